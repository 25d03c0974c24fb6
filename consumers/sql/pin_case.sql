-- Pin a case until this transaction ends. Many can at once; who waits for them comes before new ones.
SELECT pg_advisory_xact_lock_shared($1, $2);
