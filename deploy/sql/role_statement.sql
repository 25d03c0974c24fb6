-- The statement that makes a role, or gives it its password: quoted here, since it takes no parameters itself.
SELECT format(
    CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = $1)
        THEN 'ALTER ROLE %I LOGIN PASSWORD %L' ELSE 'CREATE ROLE %I LOGIN PASSWORD %L' END,
    $1::text, $2::text
);
