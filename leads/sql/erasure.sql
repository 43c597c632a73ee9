-- Guards that nothing says what an erased client typed and where they came from: blanks it in the transaction that destroys
-- the key.
CREATE OR REPLACE FUNCTION leads_erase_captures() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE leads_lead SET message = '', utm = '{}', click_id = '', landing_url = '', referrer = '', ip = NULL, typed = '{}',
    user_agent_hash = '', match_reasons = '[]', score_reasons = '[]', experience = '', intended_deposit = NULL,
    intended_currency = '', intended_in_base = NULL
  WHERE client_id = NEW.client_id;
  UPDATE leads_leadfacts SET experience = NULL, intended_deposit = NULL WHERE client_id = NEW.client_id;
  UPDATE leads_leadimportrow SET first_name = '', last_name = '', email = '', email_canonical = '', phone = '', message = '',
    custom = '{}', declared = '{}'
  WHERE client_id = NEW.client_id;
  RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS captures_go_with_the_key ON crm_subjectkey;
CREATE TRIGGER captures_go_with_the_key AFTER UPDATE OF wrapped ON crm_subjectkey
  FOR EACH ROW WHEN (OLD.wrapped IS NOT NULL AND NEW.wrapped IS NULL) EXECUTE FUNCTION leads_erase_captures();
