-- Note a migration as applied.
INSERT INTO public.migrations (name, digest) VALUES ($1, $2);
