-- Guards erasure: what the importer keeps of rows that weren't imported goes with the client whom they are about: rows that
-- name the client by record, number in the other system, e-mail address or phone. It runs in the transaction that destroys the key, and
-- reads the client's details, so whoever blanks those does it afterwards.
CREATE OR REPLACE FUNCTION clients_erase_import_rows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  person clients_client%ROWTYPE;
BEGIN
  SELECT * INTO person FROM clients_client WHERE id = NEW.client_id;
  DELETE FROM crm_importrow r USING crm_dataimport b
  WHERE b.id = r.batch_id AND b.brand_id = person.brand_id AND b.rows_deleted_at IS NULL AND NOT r.is_applied AND (
    b.kind IN ('clients', 'leads') AND r.object_id = person.id
    OR b.kind NOT IN ('clients', 'leads') AND r.subject_id = person.id
    OR person.email <> '' AND (
      r.match_key = person.email_canonical OR r.values ->> 'mailbox' = person.email_canonical
      OR strpos(lower(r.cells::text), lower(person.email)) > 0)
    OR person.phone <> '' AND (r.values ->> 'phone' = person.phone OR strpos(r.cells::text, person.phone) > 0)
    OR b.kind IN ('clients', 'leads', 'notes', 'balances') AND EXISTS (
      SELECT 1 FROM crm_externalreference x WHERE x.brand_id = b.brand_id AND x.system = b.system
        AND x.kind IN ('clients', 'leads') AND x.object_id = person.id
        AND x.external_id = coalesce(r.values ->> 'client', nullif(r.key, '')))
  );
  RETURN NULL;
END
$$;
DROP TRIGGER IF EXISTS import_rows_go_with_the_key ON crm_subjectkey;
CREATE TRIGGER import_rows_go_with_the_key AFTER UPDATE ON crm_subjectkey
  FOR EACH ROW WHEN (NEW.destroyed_at IS NOT NULL AND OLD.destroyed_at IS NULL) EXECUTE FUNCTION clients_erase_import_rows();
