-- This transaction need not be on disk before the next: a crash takes rows and positions back together, and the tail is
-- read again. Not where the transaction erases something.
SELECT set_config('synchronous_commit', 'off', true)
WHERE current_setting('samspil.erases', true) IS DISTINCT FROM 'yes';
