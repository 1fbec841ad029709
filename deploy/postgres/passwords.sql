-- Gives both roles the passwords that are in files. compose.yaml runs it after roles.sql.
\set ON_ERROR_STOP on
\set owner `cat /run/secrets/owner_password`
\set app `cat /run/secrets/app_password`
ALTER ROLE hitstream_owner PASSWORD :'owner';
ALTER ROLE hitstream PASSWORD :'app';
