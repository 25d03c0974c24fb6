-- The key of a case, wrapped.
SELECT key_id, wrapped FROM vault.case_keys WHERE "case" = $1;
