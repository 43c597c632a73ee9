-- Guards that a client's identifiers, and the countries they signed in from, are gone when the client's key is: erasing
-- somebody leaves nothing that links them.
CREATE FUNCTION keelson_forget_identifiers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM clients_identifier WHERE client_id = NEW.client_id;
  DELETE FROM clients_signincountry WHERE client_id = NEW.client_id;
  RETURN NULL;
END $$;

CREATE TRIGGER keelson_forget_identifiers AFTER UPDATE OF wrapped ON crm_subjectkey
  FOR EACH ROW WHEN (OLD.wrapped IS NOT NULL AND NEW.wrapped IS NULL) EXECUTE FUNCTION keelson_forget_identifiers();
