-- Guards the ledger: the only writer of journals and postings, many in one call, in one pass over their lines.
-- It writes as the owner of the ledger's tables; the role of the running processes has no right to. The search path is
-- fixed, so that nobody's own table can stand in for one of ours.
-- Error codes: KL409 same key, other body · KL404 no such reservation · KL410 a reservation that has expired · KL400 a
-- body that can't be a journal.
CREATE OR REPLACE FUNCTION ledger_post(
  p_keys text[], p_kinds text[], p_phases text[], p_brands bigint[], p_descriptions text[], p_business_on date[],
  p_reverses bigint[], p_resolves bigint[], p_rates numeric[], p_rate_on date[], p_expires timestamptz[], p_actor bigint,
  p_no int[], p_accounts bigint[], p_currencies text[], p_amounts bigint[], p_posted_at timestamptz[]
) RETURNS TABLE (no int, journal_id bigint, is_new boolean) LANGUAGE plpgsql SECURITY DEFINER
-- Planned once a session: what a batch holds never makes another plan better.
SET plan_cache_mode = force_generic_plan SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  -- Lines, in order of their journals; slot: place of the line's account in a_ids, which is sorted.
  v_no int[] := p_no;
  v_accounts bigint[] := p_accounts;
  v_currencies text[] := p_currencies;
  v_amounts bigint[] := p_amounts;
  v_layers smallint[];
  v_slots int[];
  v_lines int := cardinality(p_no);
  v_journals int := cardinality(p_keys);
  -- Accounts, and what the bounded ones count.
  a_ids bigint[] := '{}';
  a_brands bigint[];
  a_currencies text[];
  c_versions bigint[];
  c_credits bigint[];
  c_debits bigint[];
  c_credits_held bigint[];
  c_debits_held bigint[];
  c_at timestamptz[];
  v_found int := 0;
  -- Journals.
  v_bodies text[];
  v_hashes bytea[];
  v_ids bigint[];
  v_fresh boolean[];
  v_times timestamptz[];
  v_placed int[];
  -- What a posting gets: its place in the journal (NULL: the journal was there already), version and balances.
  o_lines int[];
  o_versions bigint[];
  o_after bigint[];
  o_free bigint[];
  v_at timestamptz;
  v_today date;
  v_day date;
  v_total numeric := 0;
  v_wrong text;
  v_amount bigint;
  r record;
  i int;
  k int;
  n int;
BEGIN
  IF 'pending' = ANY (p_phases) THEN
    SELECT array_agg(CASE WHEN p_phases[l.no] = 'pending' THEN 1 ELSE 0 END::smallint ORDER BY l.place)
      INTO v_layers FROM unnest(p_no) WITH ORDINALITY AS l(no, place);
  ELSE
    v_layers := array_fill(0::smallint, ARRAY[v_lines]);
  END IF;

  -- A journal that resolves a reservation also releases it; posted in full when the caller names no postings.
  IF cardinality(array_remove(p_resolves, NULL)) > 0 THEN
    SELECT p_keys[r.no] INTO v_wrong FROM unnest(p_resolves) WITH ORDINALITY AS r(id, no)
      LEFT JOIN wallet_journal j ON j.id = r.id AND j.phase = 'pending' AND j.brand_id = p_brands[r.no]
      WHERE r.id IS NOT NULL AND j.id IS NULL LIMIT 1;
    IF v_wrong IS NOT NULL THEN
      RAISE EXCEPTION 'journal % resolves something that is not a reservation', v_wrong USING ERRCODE = 'KL404';
    END IF;
    -- Releases come first: what is posted next must fit into what they set free.
    WITH merged AS (
      SELECT r.no::int AS no, p.account_id, p.currency::text AS currency, x.sign * p.amount_minor AS amount, x.layer,
        1 - x.layer AS part, p.line::bigint AS place
      FROM unnest(p_resolves) WITH ORDINALITY AS r(id, no)
      JOIN wallet_posting p ON p.journal_id = r.id AND p.layer = 1
      CROSS JOIN (VALUES (1, 0), (-1, 2)) AS x(sign, layer)
      WHERE x.layer = 2 OR (p_phases[r.no] = 'post' AND NOT r.no = ANY (p_no))
      UNION ALL
      SELECT l.no, l.account, l.currency, l.amount, l.layer, 2, l.place
      FROM unnest(v_no, v_accounts, v_currencies, v_amounts, v_layers)
        WITH ORDINALITY AS l(no, account, currency, amount, layer, place)
    )
    SELECT array_agg(no ORDER BY no, part, place), array_agg(account_id ORDER BY no, part, place),
      array_agg(currency ORDER BY no, part, place), array_agg(amount ORDER BY no, part, place),
      array_agg(layer::smallint ORDER BY no, part, place), count(*)
      INTO v_no, v_accounts, v_currencies, v_amounts, v_layers, v_lines FROM merged;
  END IF;

  -- Locks: first shared with the sealer (which waits for postings in flight), then bounded accounts in id order.
  PERFORM pg_advisory_xact_lock_shared(hashtext('keelson.ledger.seal'));
  FOR r IN
    SELECT a.id, a.brand_id, a.currency, b.* FROM
      (SELECT id, brand_id, currency FROM wallet_account WHERE id = ANY (v_accounts) ORDER BY id) a
      LEFT JOIN LATERAL (SELECT * FROM wallet_balance w WHERE w.account_id = a.id FOR UPDATE) b ON true
  LOOP
    v_found := v_found + 1;
    a_ids[v_found] := r.id;
    a_brands[v_found] := r.brand_id;
    a_currencies[v_found] := r.currency;
    c_versions[v_found] := r.version;
    c_credits[v_found] := r.credits_posted;
    c_debits[v_found] := r.debits_posted;
    c_credits_held[v_found] := r.credits_pending;
    c_debits_held[v_found] := r.debits_pending;
    c_at[v_found] := NULL;
    v_at := greatest(v_at, r.last_posted_at);
  END LOOP;
  -- The time is read after the locks, and never before the last posting of a locked account.
  v_at := greatest(clock_timestamp(), v_at);

  -- What can't be a journal: an account of another brand or currency, no postings, a sum that is not zero, a key twice.
  FOR i IN 1 .. v_lines LOOP
    n := v_no[i];
    k := width_bucket(v_accounts[i], a_ids);
    IF k = 0 OR a_ids[k] IS DISTINCT FROM v_accounts[i] OR a_currencies[k] <> v_currencies[i] OR a_brands[k] <> p_brands[n]
    THEN
      RAISE EXCEPTION 'journal %: account % is not one of its brand in %', p_keys[n], v_accounts[i],
        v_currencies[i] USING ERRCODE = 'KL400';
    END IF;
    v_slots[i] := k;
    v_total := v_total + v_amounts[i];
    v_bodies[n] := CASE WHEN v_bodies[n] IS NULL THEN '' ELSE v_bodies[n] || ',' END
      || v_accounts[i] || ':' || v_currencies[i] || ':' || v_layers[i] || ':' || v_amounts[i];
  END LOOP;
  IF v_journals = 1 AND v_total <> 0 THEN
    RAISE EXCEPTION 'journal % does not sum to zero in %', p_keys[1], v_currencies[1] USING ERRCODE = 'KL400';
  END IF;
  IF v_journals > 1 OR v_lines > 2 THEN
    SELECT format('journal %s does not sum to zero in %s', p_keys[l.no], l.currency) INTO v_wrong
      FROM unnest(v_no, v_currencies, v_amounts, v_layers) AS l(no, currency, amount, layer)
      GROUP BY l.no, l.currency, l.layer HAVING sum(l.amount) <> 0 LIMIT 1;
    IF v_wrong IS NULL THEN
      SELECT format('journal %s moves money between currencies and names no rate', p_keys[l.no]) INTO v_wrong
        FROM unnest(v_no, v_currencies, v_layers) AS l(no, currency, layer)
        WHERE l.layer = 0 AND p_rates[l.no] IS NULL AND p_reverses[l.no] IS NULL AND p_resolves[l.no] IS NULL
        GROUP BY l.no HAVING min(l.currency) <> max(l.currency) LIMIT 1;
    END IF;
    IF v_wrong IS NULL THEN
      SELECT format('key %s comes twice in one call', key) INTO v_wrong FROM unnest(p_keys) AS k(key)
        GROUP BY key HAVING count(*) > 1 LIMIT 1;
    END IF;
    IF v_wrong IS NOT NULL THEN
      RAISE EXCEPTION '%', v_wrong USING ERRCODE = 'KL400';
    END IF;
  ELSIF v_lines = 2 AND (v_currencies[1] <> v_currencies[2] OR v_layers[1] <> v_layers[2]) THEN
    RAISE EXCEPTION 'journal % does not sum to zero in %', p_keys[1], v_currencies[1] USING ERRCODE = 'KL400';
  END IF;

  FOR n IN 1 .. v_journals LOOP
    IF v_bodies[n] IS NULL THEN
      RAISE EXCEPTION 'journal % has no postings', p_keys[n] USING ERRCODE = 'KL400';
    END IF;
    v_hashes[n] := ledger_request_hash(p_kinds[n], p_phases[n], p_brands[n], p_reverses[n], p_resolves[n], p_rates[n],
      p_rate_on[n], v_bodies[n]);
  END LOOP;

  v_today := (v_at AT TIME ZONE 'UTC')::date;
  IF p_posted_at IS NOT NULL THEN
    SELECT format('journal %s would rewrite the past: its time, %s, is %s', p_keys[t.no], t.at, t.reason) INTO v_wrong
      FROM (
        SELECT i.no, i.at, CASE
          WHEN i.at > v_at THEN format('in the future, now is %s', v_at)
          WHEN i.at < p_posted_at[i.no - 1] THEN format('out of order, after %s of journal %s', p_posted_at[i.no - 1],
            p_keys[i.no - 1])
          WHEN i.at <= s.through_at THEN format('sealed, through %s', s.through_at)
          WHEN i.at < b.last_at THEN format('before its account''s last posting, at %s', b.last_at)
        END AS reason
        FROM unnest(p_posted_at) WITH ORDINALITY AS i(at, no)
        CROSS JOIN (SELECT max(through_at) AS through_at FROM wallet_ledgerseal) s
        CROSS JOIN LATERAL (SELECT max(b.last_posted_at) AS last_at FROM unnest(v_no, v_accounts) AS l(no, account)
          JOIN wallet_balance b ON b.account_id = l.account WHERE l.no = i.no) b
      ) t
      WHERE t.reason IS NOT NULL ORDER BY t.no LIMIT 1;
    IF v_wrong IS NOT NULL THEN
      RAISE EXCEPTION '%', v_wrong USING ERRCODE = 'KL400';
    END IF;
  END IF;

  PERFORM set_config('keelson.ledger', 'posting', true);
  FOR n IN 1 .. v_journals LOOP
    v_times[n] := coalesce(p_posted_at[n], v_at);
    v_day := coalesce(p_business_on[n], (v_times[n] AT TIME ZONE 'UTC')::date);
    IF v_day < v_today THEN
      -- A closed period takes no entry: late facts go into the first day after it.
      SELECT greatest(v_day, max(c.last_day) + 1) INTO v_day FROM wallet_period c
        WHERE c.brand_id = p_brands[n] AND c.state <> 'open';
    END IF;
    v_ids[n] := nextval('wallet_journal_id_seq');
    INSERT INTO wallet_journal (id, brand_id, kind, phase, idempotency_key, request_hash, description, posted_at,
      business_on, reverses_id, resolves_id, fx_rate, fx_rate_on, actor_id, imported_at, expires_at, content_hash)
    VALUES (v_ids[n], p_brands[n], p_kinds[n], p_phases[n], p_keys[n], v_hashes[n], p_descriptions[n], v_times[n], v_day,
      p_reverses[n], p_resolves[n], p_rates[n], p_rate_on[n], p_actor, CASE WHEN p_posted_at IS NOT NULL THEN v_at END,
      p_expires[n], ledger_content_hash(v_ids[n], p_keys[n], v_times[n], v_day, p_descriptions[n], p_actor, v_hashes[n],
        p_expires[n]))
    ON CONFLICT (idempotency_key) DO NOTHING;
    v_fresh[n] := FOUND;
    IF NOT FOUND THEN
      -- The key was there already: the same body is the first result, another one an error. A new statement, so that it
      -- sees what a concurrent call with the same key has just committed.
      SELECT j.id, j.request_hash INTO r FROM wallet_journal j WHERE j.idempotency_key = p_keys[n];
      v_ids[n] := r.id;
      IF r.request_hash IS DISTINCT FROM v_hashes[n] THEN
        RAISE EXCEPTION 'key % was used for another journal', p_keys[n] USING ERRCODE = 'KL409';
      END IF;
    ELSIF p_phases[n] = 'post' AND v_at >= (SELECT j.expires_at FROM wallet_journal j WHERE j.id = p_resolves[n]) THEN
      RAISE EXCEPTION 'the reservation that % resolves has expired', p_keys[n] USING ERRCODE = 'KL410';
    END IF;
  END LOOP;

  o_lines := array_fill(NULL::int, ARRAY[v_lines]);
  o_versions := array_fill(NULL::bigint, ARRAY[v_lines]);
  o_after := o_versions;
  o_free := o_versions;
  FOR i IN 1 .. v_lines LOOP
    n := v_no[i];
    CONTINUE WHEN NOT v_fresh[n];
    v_placed[n] := coalesce(v_placed[n], 0) + 1;
    o_lines[i] := v_placed[n];
    k := v_slots[i];
    CONTINUE WHEN c_versions[k] IS NULL;  -- not bounded
    v_amount := v_amounts[i];
    IF v_layers[i] = 0 THEN
      IF v_amount > 0 THEN
        c_credits[k] := c_credits[k] + v_amount;
      ELSE
        c_debits[k] := c_debits[k] - v_amount;
      END IF;
    ELSIF (v_layers[i] = 1) = (v_amount > 0) THEN
      c_credits_held[k] := c_credits_held[k] + v_amount;
    ELSE
      c_debits_held[k] := c_debits_held[k] - v_amount;
    END IF;
    c_versions[k] := c_versions[k] + 1;
    c_at[k] := v_times[n];
    o_versions[i] := c_versions[k];
    o_after[i] := c_credits[k] - c_debits[k];
    o_free[i] := o_after[i] - c_debits_held[k];
  END LOOP;
  UPDATE wallet_balance b SET version = u.version, credits_posted = u.credits, debits_posted = u.debits,
    credits_pending = u.credits_held, debits_pending = u.debits_held, last_posted_at = u.at
  FROM unnest(a_ids, c_versions, c_credits, c_debits, c_credits_held, c_debits_held, c_at)
    AS u(id, version, credits, debits, credits_held, debits_held, at)
  WHERE b.account_id = u.id AND u.at IS NOT NULL;
  INSERT INTO wallet_posting (journal_id, line, account_id, currency, layer, amount_minor, posted_at, version,
    balance_after, available_after)
  SELECT v_ids[l.no], l.line, l.account, l.currency, l.layer, l.amount, v_times[l.no], l.version, l.after, l.free
  FROM unnest(v_no, o_lines, v_accounts, v_currencies, v_layers, v_amounts, o_versions, o_after, o_free)
    AS l(no, line, account, currency, layer, amount, version, after, free)
  WHERE l.line IS NOT NULL;
  PERFORM set_config('keelson.ledger', '', true);

  FOR n IN 1 .. v_journals LOOP
    no := n;
    journal_id := v_ids[n];
    is_new := v_fresh[n];
    RETURN NEXT;
  END LOOP;
END
$$;
