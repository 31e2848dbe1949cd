#!/bin/sh
# Run once by the image of PostgreSQL, when its data folder is new: the login of palmares, which owns
# the database and is no superuser, and the roles that it may take.
set -eu

psql -v ON_ERROR_STOP=1 -v password="$DATABASE_PASSWORD" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE palmares_reader NOLOGIN;
CREATE ROLE palmares_committer NOLOGIN;
CREATE ROLE palmares_projector NOLOGIN;
CREATE ROLE palmares_relay NOLOGIN;
CREATE ROLE palmares_eraser NOLOGIN;
CREATE ROLE palmares LOGIN NOSUPERUSER NOBYPASSRLS CREATEROLE PASSWORD :'password';
GRANT palmares_reader, palmares_committer, palmares_projector, palmares_relay, palmares_eraser TO palmares;
CREATE DATABASE palmares OWNER palmares;
SQL
