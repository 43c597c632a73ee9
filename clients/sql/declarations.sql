-- Guards that what a client declared is gone when the client's key is: it is kept in plain columns for rules to compare.
CREATE FUNCTION keelson_forget_declarations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM clients_declaration WHERE client_id = NEW.client_id;
  RETURN NULL;
END $$;

CREATE TRIGGER keelson_forget_declarations AFTER UPDATE OF wrapped ON crm_subjectkey
  FOR EACH ROW WHEN (OLD.wrapped IS NOT NULL AND NEW.wrapped IS NULL) EXECUTE FUNCTION keelson_forget_declarations();
