-- What ku may see, one row an event; the same record read again gives the same row.
INSERT INTO readmodel.overview_items
    (case_id, event_id, type, party, said_at, place, fields, topic, record_key)
SELECT case_id, event_id, type, party, said_at, place, fields::jsonb, topic, record_key
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::bigint[], $7::text[], $8::text[], $9::text[]
) AS read (case_id, event_id, type, party, said_at, place, fields, topic, record_key)
ON CONFLICT (case_id, event_id) DO UPDATE SET
    type = excluded.type,
    party = excluded.party,
    said_at = excluded.said_at,
    place = excluded.place,
    fields = excluded.fields,
    topic = excluded.topic,
    record_key = excluded.record_key;
