-- The migrations applied so far, with the digest of what was applied.
SELECT name, digest FROM public.migrations;
