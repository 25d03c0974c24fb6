-- Wake who shows the overview.
SELECT pg_notify('overview', '');
