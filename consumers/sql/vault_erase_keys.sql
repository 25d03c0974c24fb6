-- The keys of erased cases: what a copy of the database still holds of their values opens no more with what is here.
DELETE FROM vault.case_keys WHERE "case" = ANY ($1::text[]);
