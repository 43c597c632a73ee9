-- Guards that no platform's name for an erased client is left: blanks it in the transaction that destroys the key.
CREATE OR REPLACE FUNCTION trading_erase_logins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE trading_stagedlogin SET name = '', email = '', email_canonical = '', phone = '', phone_canonical = ''
  WHERE client_id = NEW.client_id OR proposed_client_id = NEW.client_id;
  RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS logins_go_with_the_key ON crm_subjectkey;
CREATE TRIGGER logins_go_with_the_key AFTER UPDATE OF wrapped ON crm_subjectkey
  FOR EACH ROW WHEN (OLD.wrapped IS NOT NULL AND NEW.wrapped IS NULL) EXECUTE FUNCTION trading_erase_logins();
