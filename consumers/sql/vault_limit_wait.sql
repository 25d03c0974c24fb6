-- How long this transaction waits for each lock.
SELECT set_config('lock_timeout', $1, true);
