-- Guards that nothing says how an erased client called their files, from where they answered, or what is known of a company: blanks these in the
-- transaction that destroys the key.
CREATE OR REPLACE FUNCTION kyc_erase_documents() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE kyc_document SET file_name = 'erased', number_fingerprint = '' WHERE client_id = NEW.client_id;
  UPDATE kyc_submission SET ip = NULL WHERE client_id = NEW.client_id AND ip IS NOT NULL;
  UPDATE kyc_warningacknowledgement SET ip = NULL
  WHERE ip IS NOT NULL AND submission_id IN (SELECT id FROM kyc_submission WHERE client_id = NEW.client_id);
  UPDATE kyc_categoryrequest SET ip = NULL WHERE client_id = NEW.client_id;
  UPDATE kyc_incomingfile SET file_name = 'erased' WHERE client_id = NEW.client_id;
  UPDATE kyc_company SET name = 'Erased', registration_number = 'erased-' || client_id, lei = '', registered_address = '', trading_address = '',
    activity = ''
  WHERE client_id = NEW.client_id;
  RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS documents_go_with_the_key ON crm_subjectkey;
CREATE TRIGGER documents_go_with_the_key AFTER UPDATE OF wrapped ON crm_subjectkey
  FOR EACH ROW WHEN (OLD.wrapped IS NOT NULL AND NEW.wrapped IS NULL) EXECUTE FUNCTION kyc_erase_documents();
