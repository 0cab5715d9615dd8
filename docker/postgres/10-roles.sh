#!/bin/sh
# Makes the roles of docs/operations.md in an empty cluster: the product's login is no superuser and owns nothing.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$INSULA_PASSWORD" -U "$POSTGRES_USER" -d postgres <<'SQL'
CREATE ROLE insula_owner NOLOGIN CREATEROLE;
CREATE ROLE insula_platform NOLOGIN NOINHERIT;
CREATE ROLE insula_tenant NOLOGIN;
GRANT insula_tenant TO insula_owner WITH ADMIN OPTION, INHERIT FALSE, SET FALSE;
CREATE ROLE insula LOGIN PASSWORD :'password';
GRANT insula_platform TO insula WITH INHERIT TRUE, SET TRUE;
GRANT insula_owner TO insula WITH INHERIT FALSE, SET TRUE;
CREATE DATABASE insula OWNER insula_owner;
SQL
