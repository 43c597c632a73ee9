-- Guards the ledger: `ledger_post` for the commonest journal, two postings of one amount. Same rows, same errors.
-- Returns the journal's id; below zero when the key was there already, with the same body.
-- It writes as the owner of the ledger's tables, like `ledger_post`. That it is the ledger that writes is set and unset by
-- its own statements: a function with `SET "keelson.ledger" = …` in its head can only be made, or restored from a dump, by
-- a superuser (PostgreSQL 15 and later), and owners are none. It returns one number, because a function that returns rows
-- makes a table for them.
CREATE OR REPLACE FUNCTION ledger_post_pair(
  p_key text, p_kind text, p_brand bigint, p_description text, p_business_on date, p_reverses bigint, p_actor bigint,
  p_currency text, p_first bigint, p_second bigint, p_amount bigint
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  v_first_bounded boolean;
  v_second_bounded boolean;
  v_first_version bigint;
  v_first_after bigint;
  v_first_available bigint;
  v_second_version bigint;
  v_second_after bigint;
  v_second_available bigint;
  v_at timestamptz;
  v_today date;
  v_day date;
  v_hash bytea;
  v_known bytea;
  v_setting text;
  v_journal bigint;
BEGIN
  IF p_amount = 0 THEN
    RAISE EXCEPTION 'journal %: a posting moves something', p_key USING ERRCODE = 'KL400';
  END IF;
  SELECT f.is_bounded, s.is_bounded INTO v_first_bounded, v_second_bounded FROM wallet_account f, wallet_account s
    WHERE f.id = p_first AND f.brand_id = p_brand AND f.currency = p_currency
      AND s.id = p_second AND s.brand_id = p_brand AND s.currency = p_currency AND s.id <> f.id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'journal %: account % or % is not one of its brand in %', p_key, p_first, p_second, p_currency
      USING ERRCODE = 'KL400';
  END IF;

  -- One assignment, because PERFORM costs a statement.
  v_setting := pg_advisory_xact_lock_shared(hashtext('keelson.ledger.seal'))::text
    || set_config('keelson.ledger', 'posting', true);
  IF v_second_bounded AND p_amount < 0 AND NOT v_first_bounded THEN
    -- One account that is only credited: locked, counted and timed in one statement.
    UPDATE wallet_balance SET version = version + 1, credits_posted = credits_posted - p_amount,
      last_posted_at = greatest(clock_timestamp(), last_posted_at)
      WHERE account_id = p_second
      RETURNING version, credits_posted - debits_posted, credits_posted - debits_posted - debits_pending, last_posted_at
      INTO v_second_version, v_second_after, v_second_available, v_at;
  ELSIF v_first_bounded OR v_second_bounded THEN
    SELECT max(last_posted_at) INTO v_at FROM (
      SELECT last_posted_at FROM wallet_balance WHERE account_id IN (p_first, p_second) ORDER BY account_id FOR UPDATE) l;
    v_at := greatest(clock_timestamp(), v_at);
  ELSE
    v_at := clock_timestamp();
  END IF;

  v_today := (v_at AT TIME ZONE 'UTC')::date;
  v_day := coalesce(p_business_on, v_today);
  IF v_day < v_today THEN
    SELECT greatest(v_day, max(c.last_day) + 1) INTO v_day FROM wallet_period c
      WHERE c.brand_id = p_brand AND c.state <> 'open';
  END IF;
  v_hash := sha256(convert_to(p_kind || '|posted|' || p_brand || '|' || coalesce(p_reverses::text, '-') || '|-|-|-|'
    || p_first || ':' || p_currency || ':0:' || p_amount || ',' || p_second || ':' || p_currency || ':0:' || -p_amount,
    'UTF8'));
  v_journal := nextval('wallet_journal_id_seq');
  INSERT INTO wallet_journal (id, brand_id, kind, phase, idempotency_key, request_hash, description, posted_at,
    business_on, reverses_id, actor_id, content_hash)
  VALUES (v_journal, p_brand, p_kind, 'posted', p_key, v_hash, p_description, v_at, v_day, p_reverses, p_actor,
    sha256(convert_to(v_journal || '|' || p_key || '|' || (date_part('epoch', v_at) * 1000000)::bigint || '|' || v_day
      || '|' || coalesce(p_actor::text, '-') || '|' || encode(v_hash, 'hex') || '|' || p_description, 'UTF8')))
  ON CONFLICT (idempotency_key) DO NOTHING;
  IF NOT FOUND THEN
    IF v_second_version IS NOT NULL THEN
      UPDATE wallet_balance SET version = version - 1, credits_posted = credits_posted + p_amount
        WHERE account_id = p_second;
    END IF;
    v_setting := set_config('keelson.ledger', '', true);
    SELECT j.id, j.request_hash INTO v_journal, v_known FROM wallet_journal j WHERE j.idempotency_key = p_key;
    IF v_known IS DISTINCT FROM v_hash THEN
      RAISE EXCEPTION 'key % was used for another journal', p_key USING ERRCODE = 'KL409';
    END IF;
    RETURN -v_journal;
  END IF;

  IF v_first_bounded THEN
    UPDATE wallet_balance SET version = version + 1, credits_posted = credits_posted + greatest(p_amount, 0),
      debits_posted = debits_posted + greatest(-p_amount, 0), last_posted_at = v_at
      WHERE account_id = p_first
      RETURNING version, credits_posted - debits_posted, credits_posted - debits_posted - debits_pending
      INTO v_first_version, v_first_after, v_first_available;
  END IF;
  IF v_second_bounded AND v_second_version IS NULL THEN
    UPDATE wallet_balance SET version = version + 1, credits_posted = credits_posted + greatest(-p_amount, 0),
      debits_posted = debits_posted + greatest(p_amount, 0), last_posted_at = v_at
      WHERE account_id = p_second
      RETURNING version, credits_posted - debits_posted, credits_posted - debits_posted - debits_pending
      INTO v_second_version, v_second_after, v_second_available;
  END IF;
  INSERT INTO wallet_posting (journal_id, line, account_id, currency, layer, amount_minor, posted_at, version,
    balance_after, available_after)
  VALUES
    (v_journal, 1, p_first, p_currency, 0, p_amount, v_at, v_first_version, v_first_after, v_first_available),
    (v_journal, 2, p_second, p_currency, 0, -p_amount, v_at, v_second_version, v_second_after, v_second_available);
  v_setting := set_config('keelson.ledger', '', true);
  RETURN v_journal;
END
$$;
