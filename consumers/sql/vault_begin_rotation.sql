-- One rotation at a time: whether this connection has the turn, which it keeps until it closes.
SELECT pg_try_advisory_lock($1, 1);
