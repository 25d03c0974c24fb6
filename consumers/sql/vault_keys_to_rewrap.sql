-- Cases, in order, whose keys are not wrapped by this key-encryption key.
SELECT "case", key_id, wrapped FROM vault.case_keys WHERE key_id <> $1 AND "case" > $2 ORDER BY "case" LIMIT $3;
