-- What was counted in a year.
SELECT population, key, number FROM statistics.counts WHERE year = $1;
