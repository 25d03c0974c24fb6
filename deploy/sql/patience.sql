-- A table that somebody works in is waited for; who comes later waits behind us, so not for long.
SET lock_timeout = '20s';
