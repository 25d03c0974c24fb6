-- The one database of the bus; run once, as the server's admin.
CREATE DATABASE samspil
