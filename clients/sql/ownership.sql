-- Guards the past of agents and desks: whatever moves a client to another book or owner, or a book to another desk, leaves a row
-- that says since when, in the same transaction. The first row of each has no beginning. Who brings a known past (an import)
-- writes its rows between the client and the change: what the last row says already is not repeated.
CREATE OR REPLACE FUNCTION clients_ownership_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO clients_ownership (client_id, book_id, owner_id, since)
  SELECT id, book_id, owner_id, '1970-01-01 00:00:00+00' FROM added;
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION clients_ownership_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- The time of the change itself, not of its transaction: that may have waited while another settled money. Never before the
  -- row that it follows, whatever the clock does.
  INSERT INTO clients_ownership (client_id, book_id, owner_id, since)
  SELECT NEW.id, NEW.book_id, NEW.owner_id, greatest(clock_timestamp(), l.since + interval '1 microsecond')
  FROM (SELECT book_id, owner_id, since FROM clients_ownership WHERE client_id = NEW.id ORDER BY since DESC LIMIT 1) l
  WHERE (l.book_id, l.owner_id) IS DISTINCT FROM (NEW.book_id, NEW.owner_id);
  RETURN NULL;
END $$;
CREATE TRIGGER ownership_begins AFTER INSERT ON clients_client REFERENCING NEW TABLE AS added FOR EACH STATEMENT
  EXECUTE FUNCTION clients_ownership_begins();
CREATE TRIGGER ownership_changes AFTER UPDATE OF book_id, owner_id ON clients_client FOR EACH ROW
  WHEN ((OLD.book_id, OLD.owner_id) IS DISTINCT FROM (NEW.book_id, NEW.owner_id))
  EXECUTE FUNCTION clients_ownership_changes();

CREATE OR REPLACE FUNCTION clients_book_desk_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO clients_bookdesk (book_id, desk_id, since) VALUES (NEW.id, NEW.desk_id, '1970-01-01 00:00:00+00');
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION clients_book_desk_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO clients_bookdesk (book_id, desk_id, since)
  SELECT NEW.id, NEW.desk_id, greatest(clock_timestamp(), l.since + interval '1 microsecond')
  FROM (SELECT desk_id, since FROM clients_bookdesk WHERE book_id = NEW.id ORDER BY since DESC LIMIT 1) l
  WHERE l.desk_id IS DISTINCT FROM NEW.desk_id;
  RETURN NULL;
END $$;
CREATE TRIGGER book_desk_begins AFTER INSERT ON crm_book FOR EACH ROW EXECUTE FUNCTION clients_book_desk_begins();
CREATE TRIGGER book_desk_changes AFTER UPDATE OF desk_id ON crm_book FOR EACH ROW
  WHEN (OLD.desk_id IS DISTINCT FROM NEW.desk_id) EXECUTE FUNCTION clients_book_desk_changes();

-- Both together. `owned_since` is where the client's own period begins; `next_owner_at` when somebody first owns a client who
-- has no owner now.
CREATE VIEW clients_ownership_period AS
SELECT o.client_id, o.book_id, o.owner_id, b.desk_id, greatest(o.since, b.since) AS since, least(o.until, b.until) AS until,
  o.since AS owned_since, o.next_owner_at
FROM (
  SELECT client_id, book_id, owner_id, since, lead(since, 1, 'infinity') OVER later AS until,
    CASE WHEN owner_id IS NULL THEN min(since) FILTER (WHERE owner_id IS NOT NULL) OVER
      (PARTITION BY client_id ORDER BY since ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) END AS next_owner_at
  FROM clients_ownership WINDOW later AS (PARTITION BY client_id ORDER BY since)
) o JOIN (
  SELECT book_id, desk_id, since, lead(since, 1, 'infinity') OVER (PARTITION BY book_id ORDER BY since) AS until
  FROM clients_bookdesk
) b ON b.book_id = o.book_id AND b.since < o.until AND b.until > o.since;

-- Those who were there before this table.
INSERT INTO clients_bookdesk (book_id, desk_id, since) SELECT id, desk_id, '1970-01-01 00:00:00+00' FROM crm_book
ON CONFLICT (book_id, since) DO NOTHING;
INSERT INTO clients_ownership (client_id, book_id, owner_id, since)
SELECT id, book_id, owner_id, '1970-01-01 00:00:00+00' FROM clients_client ON CONFLICT (client_id, since) DO NOTHING;
