-- The database and its two roles. Run it once, as a superuser: psql -f roles.sql
--
-- hitstream_owner  owns the tables: `hitstream migrate`, and `hitstream manage sweep` every hour,
--                  which makes the partitions of the days to come.
-- hitstream        web, worker and beat: reads and writes rows, and can neither create, alter nor
--                  drop a table.
--
-- Passwords are for the operator: \password hitstream
\set ON_ERROR_STOP on

CREATE ROLE hitstream_owner LOGIN;
CREATE ROLE hitstream LOGIN;
-- Hitstream reads where the data lies, to tell how much disk is left.
GRANT pg_read_all_settings TO hitstream_owner, hitstream;

CREATE DATABASE hitstream OWNER hitstream_owner ENCODING 'UTF8' TEMPLATE template0;
\connect hitstream

REVOKE ALL ON DATABASE hitstream FROM PUBLIC;
-- `manage.py reconcile` counts in temporary tables.
GRANT CONNECT, TEMPORARY ON DATABASE hitstream TO hitstream;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO hitstream_owner;
GRANT USAGE ON SCHEMA public TO hitstream;

-- Of the tables that `hitstream migrate` and `hitstream manage sweep` will make.
ALTER DEFAULT PRIVILEGES FOR ROLE hitstream_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO hitstream;
ALTER DEFAULT PRIVILEGES FOR ROLE hitstream_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO hitstream;
