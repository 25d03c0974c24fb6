-- The oldest deposits that no event was found to name; not of cases under a legal hold.
SELECT ref, "case", deposited_at
FROM vault.deposits AS kept
WHERE NOT named AND NOT EXISTS (SELECT FROM readmodel.case_states WHERE case_id = $2 || kept."case")
ORDER BY deposited_at
LIMIT $1;
