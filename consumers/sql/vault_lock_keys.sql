-- Nobody wraps a case's key until the caller's transaction ends; who has begun to is waited for.
SELECT pg_advisory_xact_lock($1, 0);
