-- Begin a topic from its beginning, without adding what was counted before.
UPDATE statistics.counted SET position = 0, again = newest;
