-- Guards figures: a row that counts names its client when it comes, changes in what counts, or goes; the client's days are
-- then counted again. A move leaves the past as it was, but today's leads, and unassigned ones, count for the new owner.
CREATE OR REPLACE FUNCTION reports_client_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE v_before bigint; v_after bigint;
BEGIN
  IF TG_TABLE_NAME = 'clients_client' THEN
    v_before := CASE WHEN TG_OP <> 'INSERT' THEN OLD.id END;
    v_after := CASE WHEN TG_OP <> 'DELETE' THEN NEW.id END;
  ELSE
    v_before := CASE WHEN TG_OP <> 'INSERT' THEN OLD.client_id END;
    v_after := CASE WHEN TG_OP <> 'DELETE' THEN NEW.client_id END;
  END IF;
  IF v_before IS NOT NULL THEN
    INSERT INTO reports_changedclient (client_id) VALUES (v_before);
  END IF;
  IF v_after IS NOT NULL AND v_after IS DISTINCT FROM v_before THEN
    INSERT INTO reports_changedclient (client_id) VALUES (v_after);
  END IF;
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION reports_book_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO reports_changedclient (client_id) SELECT id FROM clients_client WHERE book_id = NEW.id;
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION reports_days_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO reports_changedclient (client_id) VALUES (NULL);
  RETURN NULL;
END $$;
CREATE TRIGGER figures_of_the_book AFTER UPDATE OF desk_id ON crm_book FOR EACH ROW
  WHEN (OLD.desk_id IS DISTINCT FROM NEW.desk_id) EXECUTE FUNCTION reports_book_moved();
CREATE TRIGGER figures_of_the_days AFTER UPDATE OF time_zone ON crm_brand FOR EACH ROW
  WHEN (OLD.time_zone IS DISTINCT FROM NEW.time_zone) EXECUTE FUNCTION reports_days_moved();

CREATE TRIGGER figures_after_insert AFTER INSERT ON clients_client FOR EACH ROW
  EXECUTE FUNCTION reports_client_changed();
CREATE TRIGGER figures_after_update AFTER UPDATE OF brand_id, book_id, owner_id, registered_at, created_at, country, campaign, source,
  last_contact_at, kyc_level, first_deposit_at, last_trade_at
  ON clients_client FOR EACH ROW
  WHEN ((
    OLD.brand_id, OLD.book_id, OLD.owner_id, OLD.registered_at, OLD.created_at, OLD.country, OLD.campaign, OLD.source,
    OLD.last_contact_at IS NULL, OLD.kyc_level > 0, OLD.first_deposit_at IS NULL, OLD.last_trade_at IS NULL
  ) IS DISTINCT FROM (
    NEW.brand_id, NEW.book_id, NEW.owner_id, NEW.registered_at, NEW.created_at, NEW.country, NEW.campaign, NEW.source,
    NEW.last_contact_at IS NULL, NEW.kyc_level > 0, NEW.first_deposit_at IS NULL, NEW.last_trade_at IS NULL
  )) EXECUTE FUNCTION reports_client_changed();
CREATE TRIGGER figures_after_delete AFTER DELETE ON clients_client FOR EACH ROW
  EXECUTE FUNCTION reports_client_changed();

CREATE TRIGGER figures_after_insert AFTER INSERT ON leads_lead FOR EACH ROW
  WHEN (NOT NEW.is_duplicate) EXECUTE FUNCTION reports_client_changed();
CREATE TRIGGER figures_after_update AFTER UPDATE OF client_id, captured_at, is_duplicate, touched_at, sla_missed
  ON leads_lead FOR EACH ROW
  WHEN ((NOT OLD.is_duplicate OR NOT NEW.is_duplicate) AND (
    OLD.client_id, OLD.captured_at, OLD.is_duplicate, OLD.touched_at, OLD.sla_missed
  ) IS DISTINCT FROM (
    NEW.client_id, NEW.captured_at, NEW.is_duplicate, NEW.touched_at, NEW.sla_missed
  )) EXECUTE FUNCTION reports_client_changed();
CREATE TRIGGER figures_after_delete AFTER DELETE ON leads_lead FOR EACH ROW
  WHEN (NOT OLD.is_duplicate) EXECUTE FUNCTION reports_client_changed();

CREATE TRIGGER figures_after_insert AFTER INSERT ON clients_call FOR EACH ROW
  EXECUTE FUNCTION reports_client_changed();
CREATE TRIGGER figures_after_update AFTER UPDATE OF client_id, agent_id, started_at, duration_seconds
  ON clients_call FOR EACH ROW
  WHEN ((
    OLD.client_id, OLD.agent_id, OLD.started_at, OLD.duration_seconds
  ) IS DISTINCT FROM (
    NEW.client_id, NEW.agent_id, NEW.started_at, NEW.duration_seconds
  )) EXECUTE FUNCTION reports_client_changed();
CREATE TRIGGER figures_after_delete AFTER DELETE ON clients_call FOR EACH ROW
  EXECUTE FUNCTION reports_client_changed();

CREATE TRIGGER figures_after_insert AFTER INSERT ON wallet_deposit FOR EACH ROW
  WHEN (NEW.settled_at IS NOT NULL OR NEW.reversal_id IS NOT NULL) EXECUTE FUNCTION reports_client_changed();
CREATE TRIGGER figures_after_update AFTER UPDATE OF client_id, psp_id, reference, state, settled_at, is_first,
  base_amount, received_minor, reversal_id
  ON wallet_deposit FOR EACH ROW
  WHEN ((OLD.settled_at IS NOT NULL OR OLD.reversal_id IS NOT NULL OR NEW.settled_at IS NOT NULL
    OR NEW.reversal_id IS NOT NULL) AND (
    OLD.client_id, OLD.psp_id, OLD.reference, OLD.state, OLD.settled_at, OLD.is_first, OLD.base_amount,
    OLD.received_minor, OLD.reversal_id
  ) IS DISTINCT FROM (
    NEW.client_id, NEW.psp_id, NEW.reference, NEW.state, NEW.settled_at, NEW.is_first, NEW.base_amount,
    NEW.received_minor, NEW.reversal_id
  )) EXECUTE FUNCTION reports_client_changed();
CREATE TRIGGER figures_after_delete AFTER DELETE ON wallet_deposit FOR EACH ROW
  WHEN (OLD.settled_at IS NOT NULL OR OLD.reversal_id IS NOT NULL) EXECUTE FUNCTION reports_client_changed();

CREATE TRIGGER figures_after_insert AFTER INSERT ON wallet_withdrawal FOR EACH ROW
  WHEN (NEW.state = 'settled') EXECUTE FUNCTION reports_client_changed();
CREATE TRIGGER figures_after_update AFTER UPDATE OF client_id, state, from_suspense, finished_at, base_amount
  ON wallet_withdrawal FOR EACH ROW
  WHEN ((OLD.state = 'settled' OR NEW.state = 'settled') AND (
    OLD.client_id, OLD.state, OLD.from_suspense, OLD.finished_at, OLD.base_amount
  ) IS DISTINCT FROM (
    NEW.client_id, NEW.state, NEW.from_suspense, NEW.finished_at, NEW.base_amount
  )) EXECUTE FUNCTION reports_client_changed();
CREATE TRIGGER figures_after_delete AFTER DELETE ON wallet_withdrawal FOR EACH ROW
  WHEN (OLD.state = 'settled') EXECUTE FUNCTION reports_client_changed();

CREATE TRIGGER figures_after_insert AFTER INSERT ON wallet_pspmovement FOR EACH ROW
  WHEN (NEW.kind = 'refund') EXECUTE FUNCTION reports_client_changed();
CREATE TRIGGER figures_after_update AFTER UPDATE OF client_id, psp_id, reference, kind, journal_id, amount_minor
  ON wallet_pspmovement FOR EACH ROW
  WHEN ((OLD.kind = 'refund' OR NEW.kind = 'refund') AND (
    OLD.client_id, OLD.psp_id, OLD.reference, OLD.kind, OLD.journal_id, OLD.amount_minor
  ) IS DISTINCT FROM (
    NEW.client_id, NEW.psp_id, NEW.reference, NEW.kind, NEW.journal_id, NEW.amount_minor
  )) EXECUTE FUNCTION reports_client_changed();
CREATE TRIGGER figures_after_delete AFTER DELETE ON wallet_pspmovement FOR EACH ROW
  WHEN (OLD.kind = 'refund') EXECUTE FUNCTION reports_client_changed();
