-- Begin a new file of the write-ahead log.
SELECT pg_switch_wal();
