-- A publisher can ask for 14 days; an acceptance stays as long as anything that was said after it.
DELETE FROM gateway.verdicts AS old
WHERE said_at < now() - interval '14 days'
    AND (standing = 0 OR NOT EXISTS (
        SELECT FROM gateway.verdicts AS later
        WHERE later.party = old.party AND later.id = old.id AND later.said_at >= now() - interval '14 days'
    ));
