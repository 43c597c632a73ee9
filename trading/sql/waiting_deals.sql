-- Guards results shown: the deals of an account's days whose sums are still to be made, in a function whose plans a
-- connection keeps. Asked in the statement itself, the months of deals were planned for every page, though hardly ever a
-- day waits.
CREATE OR REPLACE FUNCTION trading_waiting_deals(p_account bigint, p_since date)
RETURNS TABLE (day date, symbol varchar, hour smallint, is_trade boolean, lots numeric, net numeric)
LANGUAGE plpgsql STABLE ROWS 10 AS $$
DECLARE
  v_day date;
BEGIN
  FOR v_day IN SELECT DISTINCT c.day FROM trading_changedday c WHERE c.account_id = p_account AND c.day >= p_since LOOP
    RETURN QUERY
      SELECT v_day, d.symbol, extract(hour FROM d.executed_at AT TIME ZONE 'UTC')::smallint, d.entry <> 0, d.closed_lots,
        d.profit + d.commission + d.swap + d.fee
      FROM trading_deal d WHERE d.account_id = p_account AND d.action IN (0, 1) AND d.deleted_at IS NULL
        AND d.executed_at >= v_day::timestamp AT TIME ZONE 'UTC' AND d.executed_at < (v_day + 1)::timestamp AT TIME ZONE 'UTC';
  END LOOP;
END
$$;
