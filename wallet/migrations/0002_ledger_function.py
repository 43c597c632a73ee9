"""The only writer of the ledger, and the foreign key that ties a posting's currency to its account's."""

from django.db import migrations

POSTING_TIES = """
ALTER TABLE wallet_posting ADD CONSTRAINT posting_currency_is_its_account_s
  FOREIGN KEY (account_id, currency) REFERENCES wallet_account (id, currency) DEFERRABLE INITIALLY IMMEDIATE;
"""
DROP_POSTING_TIES = "ALTER TABLE wallet_posting DROP CONSTRAINT posting_currency_is_its_account_s;"

# Error codes: KL409 same key, other body · KL404 no such reservation · KL400 a body that can't be a journal.
LEDGER_POST = r"""
CREATE FUNCTION ledger_request_hash(
  kind text, phase text, brand bigint, reverses bigint, resolves bigint, rate numeric, rate_on date, lines text
) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT sha256(convert_to(kind || '|' || phase || '|' || brand || '|' || coalesce(reverses::text, '-') || '|' ||
    coalesce(resolves::text, '-') || '|' || coalesce(trim_scale(round(rate, 12))::text, '-') || '|' || coalesce(rate_on::text, '-')
    || '|' || lines, 'UTF8'))
$$;

CREATE FUNCTION ledger_content_hash(
  id bigint, key text, posted_at timestamptz, business_on date, description text, actor bigint, request_hash bytea
) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT sha256(convert_to(id || '|' || key || '|' || (extract(epoch FROM posted_at) * 1000000)::bigint || '|' ||
    business_on || '|' || coalesce(actor::text, '-') || '|' || encode(request_hash, 'hex') || '|' || description, 'UTF8'))
$$;

CREATE FUNCTION ledger_post(
  p_keys text[], p_kinds text[], p_phases text[], p_brands bigint[], p_descriptions text[], p_business_on date[],
  p_reverses bigint[], p_resolves bigint[], p_rates numeric[], p_rate_on date[], p_actor bigint,
  p_no int[], p_accounts bigint[], p_currencies text[], p_amounts bigint[], p_posted_at timestamptz[]
) RETURNS TABLE (no int, journal_id bigint, is_new boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_no int[] := p_no;
  v_accounts bigint[] := p_accounts;
  v_currencies text[] := p_currencies;
  v_amounts bigint[] := p_amounts;
  v_layers smallint[];
  v_hashes bytea[];
  v_ids bigint[];
  v_keys text[];
  v_at timestamptz;
  v_wrong text;
BEGIN
  -- Postings that reserve are on layer 1, all others that the caller gives move money.
  SELECT coalesce(array_agg(CASE WHEN p_phases[l.no] = 'pending' THEN 1 ELSE 0 END::smallint ORDER BY l.place), '{}')
    INTO v_layers FROM unnest(p_no) WITH ORDINALITY AS l(no, place);

  -- A journal that resolves a reservation also releases it; posted in full when the caller names no postings.
  IF p_resolves <> array_fill(NULL::bigint, ARRAY[cardinality(p_resolves)]) THEN
    SELECT p_keys[r.no] INTO v_wrong FROM unnest(p_resolves) WITH ORDINALITY AS r(id, no)
      LEFT JOIN wallet_journal j ON j.id = r.id AND j.phase = 'pending' AND j.brand_id = p_brands[r.no]
      WHERE r.id IS NOT NULL AND j.id IS NULL LIMIT 1;
    IF v_wrong IS NOT NULL THEN
      RAISE EXCEPTION 'journal % resolves something that is not a reservation', v_wrong USING ERRCODE = 'KL404';
    END IF;
    WITH more AS (
      SELECT r.no::int AS no, p.account_id, p.currency, x.sign * p.amount_minor AS amount, x.layer
      FROM unnest(p_resolves) WITH ORDINALITY AS r(id, no)
      JOIN wallet_posting p ON p.journal_id = r.id AND p.layer = 1
      CROSS JOIN (VALUES (1, 0), (-1, 2)) AS x(sign, layer)
      WHERE x.layer = 2 OR (p_phases[r.no] = 'post' AND NOT r.no = ANY (p_no))
      ORDER BY r.no, x.layer DESC, p.line
    )
    -- Releases come first: what is posted next must fit into what they set free.
    SELECT array_agg(no) || v_no, array_agg(account_id) || v_accounts, array_agg(currency::text) || v_currencies,
      array_agg(amount) || v_amounts, array_agg(layer::smallint) || v_layers
      INTO v_no, v_accounts, v_currencies, v_amounts, v_layers FROM more;
  END IF;

  -- What can't be a journal: no postings, an account of another brand or currency, a sum that is not zero, a key twice.
  WITH lines AS (SELECT * FROM unnest(v_no, v_accounts, v_currencies, v_amounts, v_layers)
                   WITH ORDINALITY AS l(no, account, currency, amount, layer, place))
  SELECT wrong INTO v_wrong FROM (
    SELECT format('journal %s does not sum to zero in %s', p_keys[l.no], l.currency) AS wrong
      FROM lines l GROUP BY l.no, l.currency, l.layer HAVING sum(l.amount) <> 0
    UNION ALL
    SELECT format('journal %s: account %s is not one of its brand in %s', p_keys[l.no], l.account, l.currency)
      FROM lines l LEFT JOIN wallet_account a ON a.id = l.account
      WHERE a.id IS NULL OR a.currency <> l.currency OR a.brand_id <> p_brands[l.no]
    UNION ALL
    SELECT format('journal %s has no postings', key) FROM unnest(p_keys) WITH ORDINALITY AS k(key, no)
      WHERE NOT k.no = ANY (v_no)
    UNION ALL
    SELECT format('key %s comes twice in one call', key) FROM unnest(p_keys) AS k(key) GROUP BY key HAVING count(*) > 1
  ) problems LIMIT 1;
  IF v_wrong IS NOT NULL THEN
    RAISE EXCEPTION '%', v_wrong USING ERRCODE = 'KL400';
  END IF;

  SELECT array_agg(ledger_request_hash(p_kinds[b.no], p_phases[b.no], p_brands[b.no], p_reverses[b.no],
      p_resolves[b.no], p_rates[b.no], p_rate_on[b.no], b.body) ORDER BY b.no)
    INTO v_hashes
    FROM (SELECT l.no, string_agg(l.account || ':' || l.currency || ':' || l.layer || ':' || l.amount, ',' ORDER BY l.place)
            AS body
          FROM unnest(v_no, v_accounts, v_currencies, v_amounts, v_layers)
            WITH ORDINALITY AS l(no, account, currency, amount, layer, place) GROUP BY l.no) b;

  -- Locks: first shared with the sealer (which waits for postings in flight), then bounded accounts in id order.
  PERFORM pg_advisory_xact_lock_shared(hashtext('keelson.ledger.seal'));
  PERFORM 1 FROM wallet_balance b WHERE b.account_id = ANY (v_accounts) ORDER BY b.account_id FOR UPDATE;

  -- The time is read after the locks, and never before the last posting of a locked account.
  SELECT greatest(clock_timestamp(), max(b.last_posted_at)) INTO v_at
    FROM wallet_balance b WHERE b.account_id = ANY (v_accounts);
  IF p_posted_at IS NOT NULL THEN
    SELECT p_keys[i.no] INTO v_wrong FROM unnest(p_posted_at) WITH ORDINALITY AS i(at, no)
      WHERE i.at > v_at OR i.at < p_posted_at[i.no - 1]
         OR i.at <= (SELECT max(s.through_at) FROM wallet_ledgerseal s)
         OR i.at < (SELECT max(b.last_posted_at) FROM unnest(v_no, v_accounts) AS l(no, account)
                    JOIN wallet_balance b ON b.account_id = l.account WHERE l.no = i.no)
      ORDER BY i.no LIMIT 1;
    IF v_wrong IS NOT NULL THEN
      RAISE EXCEPTION 'journal % would rewrite the past: its time is sealed, out of order or in the future', v_wrong
        USING ERRCODE = 'KL400';
    END IF;
  END IF;

  PERFORM set_config('keelson.ledger', 'posting', true);
  WITH given AS (
    SELECT k.key, k.no, coalesce(p_posted_at[k.no], v_at) AS at,
      nextval(pg_get_serial_sequence('wallet_journal', 'id')) AS id
    FROM unnest(p_keys) WITH ORDINALITY AS k(key, no) ORDER BY k.no
  ), placed AS (
    INSERT INTO wallet_journal (id, brand_id, kind, phase, idempotency_key, request_hash, description, posted_at,
      business_on, reverses_id, resolves_id, fx_rate, fx_rate_on, actor_id, imported_at, content_hash)
    SELECT g.id, p_brands[g.no], p_kinds[g.no], p_phases[g.no], g.key, v_hashes[g.no], p_descriptions[g.no], g.at,
      coalesce(p_business_on[g.no], (g.at AT TIME ZONE 'UTC')::date), p_reverses[g.no], p_resolves[g.no],
      p_rates[g.no], p_rate_on[g.no], p_actor, CASE WHEN p_posted_at IS NOT NULL THEN v_at END,
      ledger_content_hash(g.id, g.key, g.at, coalesce(p_business_on[g.no], (g.at AT TIME ZONE 'UTC')::date),
        p_descriptions[g.no], p_actor, v_hashes[g.no])
    FROM given g
    ON CONFLICT (idempotency_key) DO NOTHING
    RETURNING id, idempotency_key
  )
  SELECT coalesce(array_agg(id), '{}'), coalesce(array_agg(idempotency_key), '{}') INTO v_ids, v_keys FROM placed;

  -- Keys that were there already: the same body is the first result, another one an error. A new statement, so that
  -- it sees what a concurrent call with the same key has just committed.
  IF cardinality(v_keys) < cardinality(p_keys) THEN
    SELECT k.key INTO v_wrong FROM unnest(p_keys) WITH ORDINALITY AS k(key, no)
      JOIN wallet_journal j ON j.idempotency_key = k.key
      WHERE NOT k.key = ANY (v_keys) AND j.request_hash <> v_hashes[k.no] LIMIT 1;
    IF v_wrong IS NOT NULL THEN
      RAISE EXCEPTION 'key % was used for another journal', v_wrong USING ERRCODE = 'KL409';
    END IF;
  END IF;

  IF cardinality(v_keys) > 0 THEN
    WITH fresh AS (
      SELECT i.id AS journal_id, k.no, coalesce(p_posted_at[k.no], v_at) AS at
      FROM unnest(v_ids, v_keys) AS i(id, key) JOIN unnest(p_keys) WITH ORDINALITY AS k(key, no) USING (key)
    ), lines AS (
      SELECT f.journal_id, f.at, l.no, l.place, l.account, l.currency, l.amount, l.layer,
        row_number() OVER (PARTITION BY l.no ORDER BY l.place) AS line
      FROM unnest(v_no, v_accounts, v_currencies, v_amounts, v_layers)
        WITH ORDINALITY AS l(no, account, currency, amount, layer, place) JOIN fresh f ON f.no = l.no
    ), counted AS (
      UPDATE wallet_balance b SET
        version = b.version + s.postings, credits_posted = b.credits_posted + s.credits,
        debits_posted = b.debits_posted + s.debits, credits_pending = b.credits_pending + s.credits_held,
        debits_pending = b.debits_pending + s.debits_held, last_posted_at = s.at
      FROM (
        SELECT l.account, count(*) AS postings, max(l.at) AS at,
          coalesce(sum(l.amount) FILTER (WHERE l.layer = 0 AND l.amount > 0), 0) AS credits,
          coalesce(-sum(l.amount) FILTER (WHERE l.layer = 0 AND l.amount < 0), 0) AS debits,
          coalesce(sum(l.amount) FILTER (WHERE (l.layer = 1 AND l.amount > 0) OR (l.layer = 2 AND l.amount < 0)), 0)
            AS credits_held,
          coalesce(-sum(l.amount) FILTER (WHERE (l.layer = 1 AND l.amount < 0) OR (l.layer = 2 AND l.amount > 0)), 0)
            AS debits_held
        FROM lines l GROUP BY l.account
      ) s WHERE b.account_id = s.account
    )
    INSERT INTO wallet_posting (journal_id, line, account_id, currency, layer, amount_minor, posted_at, version,
      balance_after, available_after)
    SELECT l.journal_id, l.line, l.account, l.currency, l.layer, l.amount, l.at,
      b.version + row_number() OVER w,
      b.credits_posted - b.debits_posted + coalesce(sum(l.amount) FILTER (WHERE l.layer = 0) OVER w, 0),
      b.credits_posted - b.debits_posted - b.debits_pending + sum(
        CASE WHEN l.layer = 0 OR (l.layer = 1 AND l.amount < 0) OR (l.layer = 2 AND l.amount > 0) THEN l.amount ELSE 0 END
      ) OVER w
    FROM lines l LEFT JOIN wallet_balance b ON b.account_id = l.account
    WINDOW w AS (PARTITION BY l.account ORDER BY l.no, l.line)
    ORDER BY l.no, l.line;
  END IF;
  PERFORM set_config('keelson.ledger', '', true);

  RETURN QUERY SELECT k.no::int, j.id, k.key = ANY (v_keys)
    FROM unnest(p_keys) WITH ORDINALITY AS k(key, no) JOIN wallet_journal j ON j.idempotency_key = k.key ORDER BY k.no;
END
$$;
"""
DROP_LEDGER_POST = """
DROP FUNCTION ledger_post(text[], text[], text[], bigint[], text[], date[], bigint[], bigint[], numeric[], date[], bigint,
  int[], bigint[], text[], bigint[], timestamptz[]);
DROP FUNCTION ledger_content_hash(bigint, text, timestamptz, date, text, bigint, bytea);
DROP FUNCTION ledger_request_hash(text, text, bigint, bigint, bigint, numeric, date, text);
"""


class Migration(migrations.Migration):
    dependencies = [("wallet", "0001_initial")]
    operations = [
        migrations.RunSQL(POSTING_TIES, DROP_POSTING_TIES),
        migrations.RunSQL(LEDGER_POST, DROP_LEDGER_POST),
    ]
