-- How far each partition was counted.
SELECT partition, position, newest, again FROM statistics.counted;
