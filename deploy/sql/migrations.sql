-- Which migrations were applied, each once; the lock lets one process at a time do it, until its transaction ends.
SELECT pg_advisory_xact_lock(hashtext('samspil migrations'));

CREATE TABLE IF NOT EXISTS public.migrations (
    name       text        PRIMARY KEY,
    digest     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
