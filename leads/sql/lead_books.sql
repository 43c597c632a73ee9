-- Guards who sees a lead: its book is its client's, whoever writes either of them, so that a list of leads is a range of one index.
-- A lead waits for a move of its client, and the move for it: the lead's lock is the one that its foreign key takes anyway, and a
-- move takes the lock that excludes it (`crm.db.locking` has taken it already).
CREATE OR REPLACE FUNCTION leads_take_book() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM clients_client WHERE id = NEW.client_id FOR KEY SHARE;
  -- Another statement, for the lock may have waited: the first one still sees the row as it was before the move.
  SELECT book_id INTO NEW.book_id FROM clients_client WHERE id = NEW.client_id;
  RETURN NEW;
END $$;
CREATE TRIGGER lead_has_its_clients_book BEFORE INSERT OR UPDATE OF client_id, book_id ON leads_lead
  FOR EACH ROW EXECUTE FUNCTION leads_take_book();

CREATE OR REPLACE FUNCTION leads_follow_book() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM clients_client WHERE id = NEW.id FOR UPDATE;
  UPDATE leads_lead SET book_id = NEW.book_id WHERE client_id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER leads_follow_their_client AFTER UPDATE OF book_id ON clients_client FOR EACH ROW
  WHEN (OLD.book_id IS DISTINCT FROM NEW.book_id) EXECUTE FUNCTION leads_follow_book();
