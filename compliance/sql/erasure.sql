-- Guards that nothing says by what names an erased client was screened, or which words were compared: blanks them in the
-- transaction that destroys the key.
CREATE OR REPLACE FUNCTION compliance_erase_screening() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM compliance_clientkeys WHERE client_id = NEW.client_id;
  UPDATE compliance_hit SET explanation = '{}' WHERE client_id = NEW.client_id;
  UPDATE compliance_screenedparty SET name = 'erased ' || id, normalised = 'erased', pair_keys = '{}', country = '', subject = '',
    is_current = false
  WHERE client_id = NEW.client_id;
  RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS screening_goes_with_the_key ON crm_subjectkey;
CREATE TRIGGER screening_goes_with_the_key AFTER UPDATE OF wrapped ON crm_subjectkey
  FOR EACH ROW WHEN (OLD.wrapped IS NOT NULL AND NEW.wrapped IS NULL) EXECUTE FUNCTION compliance_erase_screening();
