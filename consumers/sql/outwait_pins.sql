-- Wait until nobody has these cases pinned; until this transaction ends nobody can. Always in one order.
SELECT pg_advisory_xact_lock($1, slot) FROM unnest($2::integer[]) AS slot;
