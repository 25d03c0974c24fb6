-- The state of one case, as the read model has it.
SELECT state FROM readmodel.case_states WHERE case_id = $1;
