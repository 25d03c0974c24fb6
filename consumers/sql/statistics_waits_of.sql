-- How long cases waited that got to a stretch's end in a year.
SELECT stretch, days, number FROM statistics.waits WHERE year = $1;
