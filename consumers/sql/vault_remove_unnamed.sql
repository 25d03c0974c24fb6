-- Deposits of a case that no event names.
DELETE FROM vault.deposits WHERE "case" = $1 AND ref = ANY ($2::uuid[]) RETURNING ref;
