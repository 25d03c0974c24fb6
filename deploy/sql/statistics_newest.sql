-- The newest time that the bus recorded, of what was counted.
SELECT max(newest) FROM statistics.counted;
