-- The states of some cases, as the read model has them.
SELECT case_id, state FROM readmodel.case_states WHERE case_id = ANY ($1::text[]);
