-- How long this transaction waits for its pin, and how long it may then stand still: a frozen reader loses it.
SELECT set_config('lock_timeout', $1, true), set_config('idle_in_transaction_session_timeout', $2, true);
