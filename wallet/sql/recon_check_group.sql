-- Guards match groups: both sides are there, in the group's currencies, and add up to what it says; what it says was
-- posted is what its journal has on the PSP's accounts, per currency. Payouts count by their gross, which is what reaches
-- the bank.
CREATE OR REPLACE FUNCTION recon_check_group(p_group bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  g record;
  f record;
  p record;
  wrong text;
BEGIN
  SELECT * INTO g FROM wallet_matchgroup WHERE id = p_group;
  SELECT count(x.row_id) AS rows, count(x.movement_id) AS movements, count(x.entry_id) AS entries,
    coalesce(sum(r.gross_minor), 0) AS gross, coalesce(sum(m.amount_minor), 0) AS booked,
    coalesce(sum(e.amount_minor), 0) AS arrived,
    coalesce(sum(CASE WHEN r.type = 'merchant_payout' THEN -r.gross_minor ELSE r.net_minor END), 0) AS paid,
    count(DISTINCT r.type = 'merchant_payout') AS sorts,
    count(*) FILTER (WHERE r.currency <> (CASE g.leg WHEN 'psp' THEN g.currency ELSE g.books_currency END)
      OR m.currency <> g.books_currency OR e.currency <> g.currency OR x.leg <> g.leg) AS foreign_lines
  INTO f FROM wallet_match x LEFT JOIN wallet_settlementrow r ON r.id = x.row_id
  LEFT JOIN wallet_pspmovement m ON m.id = x.movement_id LEFT JOIN wallet_bankentry e ON e.id = x.entry_id
  WHERE x.group_id = p_group;
  IF g.undone_at IS NOT NULL THEN
    wrong := CASE WHEN f.rows + f.movements + f.entries > 0 THEN 'was undone and has lines' END;
  ELSIF f.foreign_lines > 0 THEN
    wrong := 'has lines of another currency or leg';
  ELSIF g.leg = 'psp' THEN
    wrong := CASE WHEN f.rows = 0 OR f.movements = 0 THEN 'has one side only'
      WHEN f.gross <> g.rows_minor OR f.booked <> g.books_minor THEN 'does not add up' END;
  ELSE
    wrong := CASE WHEN f.rows = 0 OR f.entries = 0 THEN 'has one side only' WHEN f.sorts > 1 THEN 'mixes rows with payouts'
      WHEN f.arrived <> g.rows_minor OR f.paid <> g.books_minor THEN 'does not add up' END;
  END IF;
  IF wrong IS NULL AND g.undone_at IS NULL AND g.adjustment_id IS NOT NULL THEN
    SELECT coalesce(sum(q.amount_minor) FILTER (WHERE k.currency = g.currency), 0) AS rows,
      coalesce(sum(q.amount_minor) FILTER (WHERE k.currency = g.books_currency), 0) AS books
    INTO p FROM wallet_posting q JOIN wallet_account k ON k.id = q.account_id
    WHERE q.journal_id = g.adjustment_id AND q.layer = 0 AND k.kind = 'psp_clearing' AND k.psp_id = g.psp_id;
    wrong := CASE WHEN CASE WHEN g.currency = g.books_currency THEN p.rows <> -g.adjustment_minor
      ELSE p.rows <> -g.rows_minor OR p.books <> g.books_minor END THEN 'was posted as something else' END;
  END IF;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'match group % %', p_group, wrong
      USING ERRCODE = 'check_violation', CONSTRAINT = 'group_lines_add_up';
  END IF;
END
$$;
