-- Cases whose state is gone from the topic.
DELETE FROM readmodel.case_states WHERE case_id = ANY ($1::text[]);
