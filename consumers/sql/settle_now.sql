-- This transaction erases something: it must be on disk when it is committed, whatever else it does.
SELECT set_config('samspil.erases', 'yes', true), set_config('synchronous_commit', NULL, true);
