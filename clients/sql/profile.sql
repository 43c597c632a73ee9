-- Guards that nothing says who an erased client was: blanks it in the transaction that destroys their key. The record and its
-- history, the portal login, what people wrote about them and what they were sent. By its name it runs after the triggers that
-- still read the record.
CREATE OR REPLACE FUNCTION clients_erase_profile() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  v_login bigint;
BEGIN
  SELECT user_id INTO v_login FROM clients_client WHERE id = NEW.client_id;
  UPDATE clients_client SET first_name = '', last_name = 'Erased', email = '', phone = '', date_of_birth = NULL,
    nationality = '', address_line = '', city = '', postal_code = '', time_zone = '', marketing_consent = false
  WHERE id = NEW.client_id;
  UPDATE clients_historicalclient SET first_name = '', last_name = 'Erased', email = '', phone = '', date_of_birth = NULL,
    nationality = '', address_line = '', city = '', postal_code = '', time_zone = '', history_change_reason = NULL
  WHERE id = NEW.client_id;
  DELETE FROM clients_timelineentry WHERE client_id = NEW.client_id;
  UPDATE clients_note SET body = 'Erased' WHERE client_id = NEW.client_id;
  -- A note's versions only grow, but for this.
  UPDATE clients_noteversion SET body = 'Erased'
  WHERE note_id IN (SELECT id FROM clients_note WHERE client_id = NEW.client_id);
  UPDATE clients_call SET notes = '' WHERE client_id = NEW.client_id;
  UPDATE clients_task SET title = 'Erased' WHERE client_id = NEW.client_id;
  UPDATE clients_message SET to_address = '', subject = '', body = '' WHERE client_id = NEW.client_id;
  DELETE FROM clients_maildraft WHERE client_id = NEW.client_id;
  UPDATE clients_mailthread SET subject = '' WHERE client_id = NEW.client_id;
  UPDATE clients_incomingmail SET from_name = '', from_address = '', subject = '' WHERE client_id = NEW.client_id;
  UPDATE clients_mailattachment SET name = 'erased' WHERE sealed_for_id = NEW.client_id;
  UPDATE clients_sentattachment SET name = 'erased' WHERE sealed_for_id = NEW.client_id;
  UPDATE clients_donotcall SET note = '' WHERE client_id = NEW.client_id;
  UPDATE crm_outgoingmail SET "to" = '', subject = '' WHERE client_id = NEW.client_id;
  UPDATE crm_user SET first_name = '', last_name = '', email = 'erased-' || id || '@erased.invalid',
    username = 'erased-' || id, is_active = false, password = '!'
  WHERE id = v_login AND kind = 'client';
  IF FOUND THEN
    UPDATE crm_historicaluser SET first_name = '', last_name = '', email = '', username = 'erased-' || id WHERE id = v_login;
    DELETE FROM account_emailaddress WHERE user_id = v_login;
    DELETE FROM usersessions_usersession WHERE user_id = v_login;
  END IF;
  RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS profile_goes_with_the_key ON crm_subjectkey;
CREATE TRIGGER profile_goes_with_the_key AFTER UPDATE OF wrapped ON crm_subjectkey
  FOR EACH ROW WHEN (OLD.wrapped IS NOT NULL AND NEW.wrapped IS NULL) EXECUTE FUNCTION clients_erase_profile();
