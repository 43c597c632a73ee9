-- Guards balances of the past: the version of a bounded account at an instant. Its postings are numbered in the order of
-- time, so an instant is found by halving: back from the last one in steps that double, then between two of them. No
-- index by time is kept for it.
CREATE OR REPLACE FUNCTION ledger_version_at(p_account bigint, p_at timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_low bigint;
  v_high bigint;
  v_middle bigint;
  v_step bigint := 1;
  v_posted timestamptz;
BEGIN
  SELECT version INTO v_high FROM wallet_balance WHERE account_id = p_account;
  v_high := coalesce(v_high, 0);
  v_low := v_high;
  WHILE v_low > 0 LOOP
    SELECT posted_at INTO v_posted FROM wallet_posting WHERE account_id = p_account AND version = v_low;
    EXIT WHEN v_posted <= p_at;
    v_high := v_low - 1;
    v_low := v_low - v_step;
    v_step := v_step * 2;
  END LOOP;
  v_low := greatest(v_low, 0);
  WHILE v_low < v_high LOOP
    v_middle := (v_low + v_high + 1) / 2;
    SELECT posted_at INTO v_posted FROM wallet_posting WHERE account_id = p_account AND version = v_middle;
    IF v_posted <= p_at THEN
      v_low := v_middle;
    ELSE
      v_high := v_middle - 1;
    END IF;
  END LOOP;
  RETURN v_low;
END $$;
