-- The two roles of Keelson, made by an administrator once per server, before `manage.py migrate` or a restore:
--   psql --file=deploy/roles.sql postgres
-- They get their passwords in psql with \password, which sends no password to the server and none to its log.
-- Running it again changes nothing.

DO $$
BEGIN
  -- Owns the tables; only migrate, restore and dump log in as it. It needs no right beyond its own database.
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'keelson') THEN
    CREATE ROLE keelson LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB;
  END IF;
  -- What running processes log in as. `migrate` gives it its rights on the tables, and takes those on append-only ones.
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'keelson_app') THEN
    CREATE ROLE keelson_app LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB;
  END IF;
END
$$;
