-- What tombstones take away, each by its topic and key; returns the cases that lose something.
DELETE FROM readmodel.overview_items AS kept
USING unnest($1::text[], $2::text[]) AS erased (topic, record_key)
WHERE kept.topic = erased.topic AND kept.record_key = erased.record_key
RETURNING kept.case_id;
