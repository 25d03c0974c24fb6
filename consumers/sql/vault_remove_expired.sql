-- Deposits of a case for a field, whose term is over.
DELETE FROM vault.deposits WHERE "case" = $1 AND field = $2 AND ref = ANY ($3::uuid[]) RETURNING ref;
