-- Guards that a client's category is the one of their newest decision, retail before the first: at the end of every
-- transaction, whoever wrote the row.
CREATE OR REPLACE FUNCTION kyc_check_category(client bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  held text;
  decided text;
BEGIN
  SELECT category INTO held FROM clients_client WHERE id = client;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT category INTO decided FROM kyc_categorydecision WHERE client_id = client ORDER BY id DESC LIMIT 1;
  IF held IS DISTINCT FROM coalesce(decided, 'retail') THEN
    RAISE EXCEPTION 'client % is %, but was decided to be %', client, held, coalesce(decided, 'retail')
      USING ERRCODE = 'check_violation', CONSTRAINT = 'category_is_decided';
  END IF;
END $$;

CREATE OR REPLACE FUNCTION kyc_client_category_is_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM kyc_check_category(NEW.id);
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION kyc_decision_is_the_category() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM kyc_check_category(NEW.client_id);
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER category_of_a_new_client_is_decided AFTER INSERT ON clients_client
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.category <> 'retail')
  EXECUTE FUNCTION kyc_client_category_is_decided();
CREATE CONSTRAINT TRIGGER category_of_a_client_is_decided AFTER UPDATE OF category ON clients_client
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.category IS DISTINCT FROM NEW.category)
  EXECUTE FUNCTION kyc_client_category_is_decided();
CREATE CONSTRAINT TRIGGER decision_is_the_category AFTER INSERT ON kyc_categorydecision
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION kyc_decision_is_the_category();
