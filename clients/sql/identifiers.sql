-- Guards that a client's identifiers, the countries they signed in from and the hash of their number at conversations are gone
-- when the client's key is: erasing somebody leaves nothing that links them.
CREATE FUNCTION keelson_forget_identifiers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM clients_identifier WHERE client_id = NEW.client_id;
  DELETE FROM clients_signincountry WHERE client_id = NEW.client_id;
  UPDATE clients_textthread SET number_mark = NULL WHERE sealed_for_id = NEW.client_id;
  RETURN NULL;
END $$;

CREATE TRIGGER keelson_forget_identifiers AFTER UPDATE OF wrapped ON crm_subjectkey
  FOR EACH ROW WHEN (OLD.wrapped IS NOT NULL AND NEW.wrapped IS NULL) EXECUTE FUNCTION keelson_forget_identifiers();
