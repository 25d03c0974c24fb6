-- How many keys are wrapped by another key-encryption key than this.
SELECT count(*) FROM vault.case_keys WHERE key_id <> $1;
