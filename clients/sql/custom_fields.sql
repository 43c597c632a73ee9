-- Guards that a value fits its field (type, brand, choices), that a field keeps its key, its brand and, while records have a
-- value in it, its type; and deletes a client's values when their key is destroyed.
CREATE OR REPLACE FUNCTION clients_custom_value_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_type varchar;
  v_brand bigint;
BEGIN
  SELECT f.type, f.brand_id INTO v_type, v_brand FROM clients_customfield f WHERE f.id = NEW.field_id FOR SHARE;
  IF v_type IS DISTINCT FROM NEW.type THEN
    RAISE EXCEPTION 'a custom value has the type of its field' USING ERRCODE = 'check_violation';
  END IF;
  IF v_brand IS DISTINCT FROM (SELECT c.brand_id FROM clients_client c WHERE c.id = NEW.client_id) THEN
    RAISE EXCEPTION 'a custom value is in a field of the client''s brand' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (
    SELECT 1 FROM unnest(coalesce(NEW.codes, '{}'::varchar[]) || NEW.code) AS n(code) WHERE n.code IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM clients_customchoice o WHERE o.field_id = NEW.field_id AND o.code = n.code)
  ) THEN
    RAISE EXCEPTION 'a custom value names a choice of its field' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
DROP TRIGGER IF EXISTS custom_value_fits_its_field ON clients_customvalue;
CREATE TRIGGER custom_value_fits_its_field BEFORE INSERT OR UPDATE ON clients_customvalue
  FOR EACH ROW EXECUTE FUNCTION clients_custom_value_fits();

CREATE OR REPLACE FUNCTION clients_custom_field_keeps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.key <> OLD.key OR NEW.brand_id <> OLD.brand_id THEN
    RAISE EXCEPTION 'a custom field keeps its key and its brand' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.type <> OLD.type AND EXISTS (SELECT 1 FROM clients_customvalue v WHERE v.field_id = OLD.id) THEN
    RAISE EXCEPTION 'a custom field with values keeps its type' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
DROP TRIGGER IF EXISTS custom_field_keeps_key_and_type ON clients_customfield;
CREATE TRIGGER custom_field_keeps_key_and_type BEFORE UPDATE ON clients_customfield
  FOR EACH ROW EXECUTE FUNCTION clients_custom_field_keeps();

CREATE OR REPLACE FUNCTION clients_custom_choice_keeps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND (NEW.code <> OLD.code OR NEW.field_id <> OLD.field_id) THEN
    RAISE EXCEPTION 'a choice keeps its code and its field' USING ERRCODE = 'check_violation';
  END IF;
  IF TG_OP = 'DELETE' AND EXISTS (
    SELECT 1 FROM clients_customvalue v WHERE v.field_id = OLD.field_id AND (v.code = OLD.code OR v.codes @> ARRAY[OLD.code])
  ) THEN
    RAISE EXCEPTION 'a choice that records have is archived, not deleted' USING ERRCODE = 'check_violation';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$$;
DROP TRIGGER IF EXISTS custom_choice_keeps_its_code ON clients_customchoice;
CREATE TRIGGER custom_choice_keeps_its_code BEFORE UPDATE OR DELETE ON clients_customchoice
  FOR EACH ROW EXECUTE FUNCTION clients_custom_choice_keeps();

CREATE OR REPLACE FUNCTION clients_erase_custom_values() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM clients_customvalue WHERE client_id = NEW.client_id;
  RETURN NULL;
END
$$;
DROP TRIGGER IF EXISTS custom_values_go_with_the_key ON crm_subjectkey;
CREATE TRIGGER custom_values_go_with_the_key AFTER UPDATE ON crm_subjectkey
  FOR EACH ROW WHEN (NEW.destroyed_at IS NOT NULL AND OLD.destroyed_at IS NULL) EXECUTE FUNCTION clients_erase_custom_values();
