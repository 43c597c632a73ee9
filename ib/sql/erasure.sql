-- Guards that nothing says who an erased client was as a partner (their relation as one has ended: an erasure is refused before):
-- blanks it in the transaction that destroys the key. Commissions, the tree and the agreement's digest stay.
CREATE OR REPLACE FUNCTION ib_erase_partner() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  v_partner bigint;
  v_login bigint;
BEGIN
  SELECT id, user_id INTO v_partner, v_login FROM ib_partner WHERE client_id = NEW.client_id;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  UPDATE ib_partner SET name = 'Erased', code = 'erased-' || id WHERE id = v_partner;
  UPDATE ib_historicalpartner SET name = 'Erased', code = 'erased-' || id, history_change_reason = NULL WHERE id = v_partner;
  UPDATE ib_partnerapplication SET ip = NULL, website = '', channels = '', licence = '' WHERE partner_id = v_partner;
  UPDATE ib_agreementfile SET content = '\x'::bytea
  WHERE application_id IN (SELECT id FROM ib_partnerapplication WHERE partner_id = v_partner);
  UPDATE crm_user SET first_name = '', last_name = '', email = 'erased-' || id || '@erased.invalid',
    username = 'erased-' || id, is_active = false, password = '!'
  WHERE id = v_login AND kind = 'partner';
  IF FOUND THEN
    UPDATE crm_historicaluser SET first_name = '', last_name = '', email = '', username = 'erased-' || id WHERE id = v_login;
    DELETE FROM account_emailaddress WHERE user_id = v_login;
    DELETE FROM usersessions_usersession WHERE user_id = v_login;
  END IF;
  RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS partner_goes_with_the_key ON crm_subjectkey;
CREATE TRIGGER partner_goes_with_the_key AFTER UPDATE OF wrapped ON crm_subjectkey
  FOR EACH ROW WHEN (OLD.wrapped IS NOT NULL AND NEW.wrapped IS NULL) EXECUTE FUNCTION ib_erase_partner();
