-- The verdict on one submission: the event that a party said at this very place in its inbox.
SELECT verdict::text AS verdict FROM gateway.verdicts
WHERE party = $1 AND id = $2 AND inbox_offset = $3;
