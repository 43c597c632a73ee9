-- Guards results: whoever writes, edits or deletes deals names the days whose sums are made again, one row per statement
-- and day.
CREATE OR REPLACE FUNCTION trading_deals_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO trading_changedday (account_id, day)
    SELECT DISTINCT account_id, (executed_at AT TIME ZONE 'UTC')::date FROM new_deals
    WHERE account_id IS NOT NULL AND action IN (0, 1);
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO trading_changedday (account_id, day)
    SELECT DISTINCT account_id, (executed_at AT TIME ZONE 'UTC')::date FROM old_deals
    WHERE account_id IS NOT NULL AND action IN (0, 1);
  ELSE
    INSERT INTO trading_changedday (account_id, day)
    SELECT account_id, (executed_at AT TIME ZONE 'UTC')::date FROM new_deals
    WHERE account_id IS NOT NULL AND action IN (0, 1)
    UNION
    SELECT account_id, (executed_at AT TIME ZONE 'UTC')::date FROM old_deals
    WHERE account_id IS NOT NULL AND action IN (0, 1);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER deals_inserted AFTER INSERT ON trading_deal REFERENCING NEW TABLE AS new_deals
  FOR EACH STATEMENT EXECUTE FUNCTION trading_deals_changed();
CREATE TRIGGER deals_updated AFTER UPDATE ON trading_deal REFERENCING OLD TABLE AS old_deals NEW TABLE AS new_deals
  FOR EACH STATEMENT EXECUTE FUNCTION trading_deals_changed();
CREATE TRIGGER deals_deleted AFTER DELETE ON trading_deal REFERENCING OLD TABLE AS old_deals
  FOR EACH STATEMENT EXECUTE FUNCTION trading_deals_changed();
