-- Guards upgrades: while nothing is released, a change of the tables goes into the first migrations, whose names stay. This
-- number goes up with it, and a database with another one is refused in words (keelson.E025, `crm/checks.py`).
CREATE OR REPLACE FUNCTION keelson_schema_version() RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT 202 $$;
