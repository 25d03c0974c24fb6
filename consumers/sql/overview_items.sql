-- Everything that is kept of these cases.
SELECT case_id, event_id, type, party, said_at, place, fields::text AS fields
FROM readmodel.overview_items
WHERE case_id = ANY ($1::text[]);
