-- Keep the newest verdict of each event. By place in the inbox: an older submission never overwrites a newer one.
-- A refusal of the gateway has no place (nothing reached the inbox): it replaces another refusal, keeping that
-- one's place so that nobody waits for ever, and never an acceptance, which stands whatever is said after it.
-- Two verdicts on one submission: what no step could judge was judged again, and its acceptance is the newer one.
INSERT INTO gateway.verdicts AS kept (party, id, verdict, inbox_offset, recorded)
SELECT party, id, verdict::jsonb, inbox_offset, recorded
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[], $5::timestamptz[])
    AS said (party, id, verdict, inbox_offset, recorded)
ON CONFLICT (party, id) DO UPDATE SET
    verdict = excluded.verdict,
    inbox_offset = coalesce(excluded.inbox_offset, kept.inbox_offset),
    recorded = coalesce(excluded.recorded, kept.recorded),
    said_at = now()
WHERE CASE
    WHEN excluded.inbox_offset IS NULL THEN kept.verdict ->> 'verdict' = 'refused'
    WHEN excluded.inbox_offset = kept.inbox_offset AND excluded.verdict ->> 'verdict' = 'refused'
        THEN kept.verdict ->> 'verdict' = 'refused'
    ELSE kept.inbox_offset IS NULL OR excluded.inbox_offset >= kept.inbox_offset
END;
