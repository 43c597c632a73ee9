"""Whoever writes, edits or deletes deals names the days whose sums are to be made anew. One row per statement and day."""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION trading_deals_changed() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE FUNCTION keelson_euro_rate(p_currency text, p_on date) RETURNS numeric LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN p_currency = 'EUR' THEN 1 ELSE (
    SELECT rate FROM crm_fxrate WHERE "on" <= p_on
      AND currency = CASE WHEN p_currency IN ('USDT', 'USDC') THEN 'USD' ELSE p_currency END
    ORDER BY "on" DESC LIMIT 1) END
$$;
COMMENT ON FUNCTION keelson_euro_rate IS '1 EUR in a currency by the last reference day; as crm.fx.rate. NULL: no rate';
INSERT INTO trading_changedday (account_id, day)
SELECT DISTINCT account_id, (executed_at AT TIME ZONE 'UTC')::date FROM trading_deal
WHERE account_id IS NOT NULL AND action IN (0, 1);
"""
BACKWARDS = """
DROP TRIGGER deals_inserted ON trading_deal;
DROP TRIGGER deals_updated ON trading_deal;
DROP TRIGGER deals_deleted ON trading_deal;
DROP FUNCTION trading_deals_changed();
DROP FUNCTION keelson_euro_rate(text, date);
"""


class Migration(migrations.Migration):
    dependencies = [("trading", "0010_results_and_margin")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
