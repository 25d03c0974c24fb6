-- What is remembered of these cases.
SELECT case_id, memory FROM statistics.remembered WHERE case_id = ANY($1::text[]);
