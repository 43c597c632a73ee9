"""Matches what a PSP reports as paid out to us with what reached our bank account (the bank leg).

A payout is matched by the batch or payout number in the bank's text, with exactly its amount and currency, near its
day:
one entry and one payout, one entry for several payouts, several entries for one, or one entry for all rows of a batch
net of fees where the report has no payout row. Only where the match is unambiguous on both sides. The money was booked
with the report; a match of this leg posts nothing.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

DAYS_NEAR = 14
DAYS_TO_ARRIVE = 5
TABLES = ("recon_payout", "recon_entry", "recon_named", "recon_bank")
SHORT_KEY = 4

# What reaches the bank is the gross: a fee that the PSP takes for the transfer leaves its balance beside it.
PAYOUTS = """
CREATE TEMP TABLE recon_payout ON COMMIT DROP AS
SELECT r.id, i.psp_id, upper(p.name) AS name, upper(p.code) AS code, upper(r.psp_reference) AS key, upper(r.batch) AS batch,
    r.currency, -r.gross_minor AS amount, r.booked_at, ARRAY[r.id] AS rows, r.id AS first
  FROM wallet_settlementrow r JOIN wallet_settlementimport i ON i.id = r.report_id JOIN wallet_psp p ON p.id = i.psp_id
  LEFT JOIN wallet_match x ON x.row_id = r.id AND x.leg = 'bank'
  WHERE p.brand_id = %(brand)s AND r.type = 'merchant_payout' AND NOT r.is_repeat AND r.gross_minor < 0 AND x.id IS NULL
"""
# Only where the bank names one; the numbers of these payouts are below zero.
BATCHES = """
INSERT INTO recon_payout
SELECT -min(r.id), i.psp_id, upper(p.name), upper(p.code), upper(r.batch), upper(r.batch), r.currency, sum(r.net_minor),
  max(r.booked_at), array_agg(r.id ORDER BY r.id), min(r.id)
FROM wallet_settlementrow r JOIN wallet_settlementimport i ON i.id = r.report_id JOIN wallet_psp p ON p.id = i.psp_id
WHERE p.brand_id = %(brand)s AND r.batch <> '' AND upper(r.batch) IN (SELECT word FROM recon_word) AND NOT r.is_repeat
  AND i.last_day >= (SELECT min(booked_on) FROM recon_entry) - 60
  AND NOT EXISTS (SELECT 1 FROM wallet_settlementrow q JOIN wallet_settlementimport k ON k.id = q.report_id
    WHERE k.psp_id = i.psp_id AND q.batch = r.batch AND q.type = 'merchant_payout')
  AND NOT EXISTS (SELECT 1 FROM wallet_match x WHERE x.row_id = r.id AND x.leg = 'bank')
GROUP BY i.psp_id, p.name, p.code, r.batch, r.currency HAVING sum(r.net_minor) > 0
"""
# An entry that a person is deciding on now is locked, and skipped.
ENTRIES = """
CREATE TEMP TABLE recon_entry ON COMMIT DROP AS
SELECT e.id, e.currency, e.amount_minor AS amount, e.booked_on,
  upper(concat_ws(' ', e.text, e.end_to_end, e.bank_reference, e.batch, e.party_name)) AS words
FROM wallet_bankentry e JOIN wallet_psp p ON p.id = e.psp_id LEFT JOIN wallet_match x ON x.entry_id = e.id
WHERE p.brand_id = %(brand)s AND e.amount_minor > 0 AND e.state IN ('unmatched', 'other') AND e.deposit_id IS NULL
  AND e.assigned_by_id IS NULL AND x.id IS NULL
FOR UPDATE OF e SKIP LOCKED
"""
# Words as written, and their parts between hyphens and the like: 'NP-2026-11' is a word, and so is '2026'.
WORDS = r"""
CREATE TEMP TABLE recon_word ON COMMIT DROP AS
SELECT DISTINCT e.id AS entry_id, w.word FROM recon_entry e CROSS JOIN LATERAL (
  SELECT trim(both '.-/' from regexp_split_to_table(e.words, '[^A-Z0-9_./-]+'))
  UNION SELECT regexp_split_to_table(e.words, '[^A-Z0-9]+')
) w (word) WHERE w.word <> ''
"""
NAMED = """
CREATE TEMP TABLE recon_named ON COMMIT DROP AS
SELECT DISTINCT e.id AS entry_id, p.id AS payout_id, e.amount AS entry_amount, p.amount AS payout_amount, p.psp_id, e.currency
FROM recon_word w JOIN recon_payout p ON w.word IN (p.key, p.batch) JOIN recon_entry e ON e.id = w.entry_id
WHERE e.currency = p.currency AND abs(e.booked_on - (p.booked_at AT TIME ZONE 'UTC')::date) <= %(near)s
  AND (length(w.word) >= %(short)s OR position(p.name IN e.words) > 0 OR position(p.code IN e.words) > 0)
  AND NOT EXISTS (SELECT 1 FROM wallet_notthesame n WHERE n.entry_id = e.id AND n.row_id = ANY(p.rows))
"""
FOUND = """
CREATE TEMP TABLE recon_bank (id bigint DEFAULT nextval('wallet_matchgroup_id_seq'), psp_id bigint, currency text,
  total bigint, entries bigint[], payouts bigint[]) ON COMMIT DROP
"""
ONE_TO_ONE = """
INSERT INTO recon_bank (psp_id, currency, total, entries, payouts)
SELECT psp_id, currency, entry_amount, ARRAY[entry_id], ARRAY[payout_id] FROM (
  SELECT *, count(*) OVER (PARTITION BY entry_id) AS payouts, count(*) OVER (PARTITION BY payout_id) AS entries
  FROM recon_named WHERE entry_amount = payout_amount
) f WHERE payouts = 1 AND entries = 1
"""
# All rows that an entry names, of one PSP, and each named by no other entry; and the other way round.
SEVERAL = """
INSERT INTO recon_bank (psp_id, currency, total, entries, payouts)
SELECT min(n.psp_id), min(n.currency), {total}, {entries}, {payouts} FROM recon_named n
WHERE NOT EXISTS (SELECT 1 FROM recon_bank b WHERE n.entry_id = ANY(b.entries) OR n.payout_id = ANY(b.payouts))
  AND (SELECT count(DISTINCT o.{one}) FROM recon_named o WHERE o.{many} = n.{many}
    AND NOT EXISTS (SELECT 1 FROM recon_bank b WHERE o.entry_id = ANY(b.entries) OR o.payout_id = ANY(b.payouts))) = 1
GROUP BY n.{one} HAVING count(*) > 1 AND count(DISTINCT n.psp_id) = 1 AND sum(n.{many_amount}) = min(n.{one_amount})
"""
GROUPS = """
INSERT INTO wallet_matchgroup (id, leg, psp_id, rule, currency, rows_minor, books_currency, books_minor, adjustment_minor,
  made_at, undone_reason)
SELECT b.id, 'bank', b.psp_id, 'batch', b.currency, b.total, b.currency, b.total, 0, clock_timestamp(), '' FROM recon_bank b
WHERE {is_group}
"""
# A single payout row and a single entry are a pair; everything else is a group, whose lines come in one statement.
IS_GROUP = """
(cardinality(b.entries) > 1 OR cardinality(b.payouts) > 1
  OR (SELECT cardinality(p.rows) > 1 OR NOT EXISTS (SELECT 1 FROM wallet_settlementrow r WHERE r.id = p.first
    AND r.type = 'merchant_payout') FROM recon_payout p WHERE p.id = b.payouts[1]))
"""
LINES = """
INSERT INTO wallet_match (leg, row_id, entry_id, group_id, rule)
SELECT 'bank', p.first, b.entries[1], NULL, 'batch' FROM recon_bank b JOIN recon_payout p ON p.id = b.payouts[1]
WHERE NOT {is_group}
UNION ALL
SELECT 'bank', unnest(p.rows), NULL, b.id, 'batch' FROM recon_bank b JOIN recon_payout p ON p.id = ANY(b.payouts)
WHERE {is_group}
UNION ALL
SELECT 'bank', NULL, unnest(b.entries), b.id, 'batch' FROM recon_bank b WHERE {is_group}
"""
MARK = """
UPDATE wallet_bankentry e SET state = 'settlement', processed_at = clock_timestamp(), outcome = left(p.name || ': ' || p.key, 300)
FROM recon_bank b JOIN recon_payout p ON p.id = b.payouts[1] WHERE e.id = ANY(b.entries)
"""
# The bank's statements reach past the days that a payout needs, and it is not there.
OVERDUE = """
INSERT INTO wallet_break (brand_id, leg, psp_id, report_id, kind, row_id, subject, detail, currency, difference_minor,
  happened_at, opened_at, state, resolution)
SELECT %(brand)s, 'bank', p.psp_id, r.report_id, 'missing_there', r.id, '', '', r.currency, r.gross_minor, r.booked_at,
  clock_timestamp(), 'open', ''
FROM recon_payout p JOIN wallet_settlementrow r ON r.id = p.first AND r.type = 'merchant_payout'
WHERE (p.booked_at AT TIME ZONE 'UTC')::date + %(arrive)s <= (
    SELECT max((s ->> 'last')::date) FROM wallet_bankfile f JOIN wallet_psp k ON k.id = f.psp_id
    CROSS JOIN LATERAL jsonb_array_elements(f.statements) s
    WHERE k.brand_id = %(brand)s AND s ->> 'currency' = r.currency)
  AND NOT EXISTS (SELECT 1 FROM recon_bank b WHERE p.id = ANY(b.payouts))
  AND NOT EXISTS (SELECT 1 FROM wallet_break o WHERE o.row_id = r.id AND o.leg = 'bank'
    AND (o.state = 'open' OR o.resolved_by_id IS NOT NULL))
"""
ARRIVED = """
UPDATE wallet_break o SET state = 'resolved', resolved_at = clock_timestamp(), resolution_code = 'at_bank'
WHERE o.leg = 'bank' AND o.state = 'open' AND o.brand_id = %(brand)s AND EXISTS (
  SELECT 1 FROM wallet_match x WHERE x.row_id = o.row_id AND x.leg = 'bank')
"""


@transaction.atomic
def match_payouts(brand_id: int) -> int:
    """Match what reached a brand's bank accounts with what its PSPs paid out; returns how many entries were recognised."""
    values: dict[str, Any] = {"brand": brand_id, "near": DAYS_NEAR, "short": SHORT_KEY, "arrive": DAYS_TO_ARRIVE}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('keelson.reconcile.bank'), %s)", [brand_id])
        for table in (*TABLES, "recon_word"):
            cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute(ENTRIES, values)
        cursor.execute(WORDS)
        cursor.execute("ANALYZE recon_word")
        cursor.execute(PAYOUTS, values)
        cursor.execute("SELECT EXISTS (SELECT 1 FROM recon_entry)")
        if cursor.fetchone()[0]:
            cursor.execute(BATCHES, values)
        cursor.execute("ANALYZE recon_entry, recon_payout")
        cursor.execute(NAMED, values)
        cursor.execute(FOUND)
        cursor.execute(ONE_TO_ONE)
        cursor.execute(
            SEVERAL.format(
                one="entry_id",
                many="payout_id",
                one_amount="entry_amount",
                many_amount="payout_amount",
                total="min(n.entry_amount)",
                entries="ARRAY[n.entry_id]",
                payouts="array_agg(n.payout_id)",
            )
        )
        cursor.execute(
            SEVERAL.format(
                one="payout_id",
                many="entry_id",
                one_amount="payout_amount",
                many_amount="entry_amount",
                total="min(n.payout_amount)",
                entries="array_agg(n.entry_id)",
                payouts="ARRAY[n.payout_id]",
            )
        )
        cursor.execute(GROUPS.format(is_group=IS_GROUP))
        cursor.execute(LINES.format(is_group=IS_GROUP))
        cursor.execute(MARK)
        recognised: int = cursor.rowcount
        cursor.execute(OVERDUE, values)
        cursor.execute(ARRIVED, values)
    return recognised
