-- Which of these references this party deposited for this case, and for which field.
SELECT ref, field FROM vault.deposits WHERE ref = ANY ($1::uuid[]) AND party = $2 AND "case" = $3;
