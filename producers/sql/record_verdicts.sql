-- Keep the verdict on each submission; wake who waits for any of them ($8: names, or '*'), also where nothing changed.
-- Two verdicts on one: the gateway's refusals of one id, of which the newest stays, and what no step could judge, refused
-- and then judged again, where the acceptance stays. In whatever order they come.
WITH recorded AS (
    INSERT INTO gateway.verdicts AS kept (party, id, inbox_offset, verdict, standing, told, recorded)
    SELECT party, id, inbox_offset, verdict::jsonb, standing, told, recorded
    FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::smallint[], $6::bigint[], $7::timestamptz[])
        AS said (party, id, inbox_offset, verdict, standing, told, recorded)
    ON CONFLICT (party, id, inbox_offset) DO UPDATE SET
        verdict = excluded.verdict,
        standing = excluded.standing,
        told = excluded.told,
        recorded = excluded.recorded,
        said_at = now()
    WHERE (excluded.standing, excluded.told) > (kept.standing, kept.told)
)
SELECT pg_notify('verdicts', said) FROM unnest($8::text[]) AS said;
