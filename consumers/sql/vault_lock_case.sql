-- A case is not erased while a value is deposited for it; one that is being erased is waited for.
SELECT pg_advisory_xact_lock_shared(hashtextextended($1::text, 0));
