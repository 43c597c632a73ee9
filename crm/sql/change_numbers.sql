-- Guards lists of changes (`crm/api/changes.py`): a row's `changed_in` numbers the transaction that wrote its current version.
-- The offset is 0 in a new database; `manage.py migrate` raises it in one that was restored into another cluster, whose
-- transactions are numbered from the start: `crm/db/change_numbers.py`.
CREATE OR REPLACE FUNCTION crm_change_offset() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT 0::bigint $$;
CREATE OR REPLACE FUNCTION crm_change_number() RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT pg_current_xact_id()::text::bigint + crm_change_offset()
$$;
CREATE OR REPLACE FUNCTION crm_number_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.changed_in := pg_current_xact_id()::text::bigint + crm_change_offset();
  RETURN NEW;
END $$;
