-- Nobody deposits for these cases until the caller's transaction ends; who has begun to is waited for.
SELECT pg_advisory_xact_lock(hashtextextended(erased, 0)) FROM unnest($1::text[]) AS erased;
