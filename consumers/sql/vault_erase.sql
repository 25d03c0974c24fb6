-- The values of erased cases.
DELETE FROM vault.deposits WHERE "case" = ANY ($1::text[]);
