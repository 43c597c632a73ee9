-- Guards that nothing says from which address an erased client registered and ticked what: blanks it in the transaction that
-- destroys the key. What they agreed to, and when, stays.
CREATE OR REPLACE FUNCTION portal_erase_consents() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE portal_consent SET ip = NULL WHERE client_id = NEW.client_id AND ip IS NOT NULL;
  UPDATE portal_portallogin SET registered_ip = NULL, referral_code = ''
  WHERE user_id = (SELECT user_id FROM clients_client WHERE id = NEW.client_id);
  RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS consents_go_with_the_key ON crm_subjectkey;
CREATE TRIGGER consents_go_with_the_key AFTER UPDATE OF wrapped ON crm_subjectkey
  FOR EACH ROW WHEN (OLD.wrapped IS NOT NULL AND NEW.wrapped IS NULL) EXECUTE FUNCTION portal_erase_consents();
