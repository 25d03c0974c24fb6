-- No key-encryption key is given up until the caller's transaction ends.
SELECT pg_advisory_xact_lock_shared($1, 0);
