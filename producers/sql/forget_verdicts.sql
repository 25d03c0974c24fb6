-- A publisher can ask for 14 days.
DELETE FROM gateway.verdicts WHERE said_at < now() - interval '14 days';
