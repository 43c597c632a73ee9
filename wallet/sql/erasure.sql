-- Guards that nothing says who paid for an erased client, and where to: blanks it in the transaction that destroys the key.
-- Amounts and references stay.
CREATE OR REPLACE FUNCTION wallet_erase_payers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE wallet_deposit SET payer_name = '', instructions = '{}', redirect_url = '' WHERE client_id = NEW.client_id;
  UPDATE wallet_withdrawal SET destination_label = 'Erased' WHERE client_id = NEW.client_id;
  UPDATE wallet_dispute SET evidence_text = '' WHERE client_id = NEW.client_id;
  UPDATE wallet_bankentry SET party_name = '', text = ''
  WHERE deposit_id IN (SELECT id FROM wallet_deposit WHERE client_id = NEW.client_id);
  RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS payers_go_with_the_key ON crm_subjectkey;
CREATE TRIGGER payers_go_with_the_key AFTER UPDATE OF wrapped ON crm_subjectkey
  FOR EACH ROW WHEN (OLD.wrapped IS NOT NULL AND NEW.wrapped IS NULL) EXECUTE FUNCTION wallet_erase_payers();
