-- Wake who waits for these events.
SELECT pg_notify('verdicts', said) FROM unnest($1::text[]) AS said;
