-- The states of cases with a deposit for a field; not of those under a legal hold.
SELECT case_id, state
FROM readmodel.case_states AS standing
WHERE case_id IN (SELECT "case" FROM vault.deposits WHERE field = $1)
    AND NOT EXISTS (SELECT FROM readmodel.case_states AS hold WHERE hold.case_id = $2 || standing.case_id);
