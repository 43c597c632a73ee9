"""The generated truth of `bench reconcile`: movements, the rows of six PSPs' reports, and what each of them really is.

Everything is drawn from hashes of a number, so that every run has the same truth. Beside plain rows there are rows without
the PSP's reference or without ours, rows in another currency at the PSP's rate, payouts paid in parts or together,
near-duplicates (another payment of the same amount at the same time), and traps that must never be matched: two rows that
both could be one movement, a second payment under the reference of a first one, rows that name nothing. Every kind of break
is planted.
"""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.utils import timezone

from wallet.choices.psp import PspKind
from wallet.choices.reconciliation import RowType
from wallet.models import Psp, PspCost, SettlementImport

PSPS = 6
CLIENTS = 5_000
FEE_BASIS_POINTS = 200
# What a movement's number makes of it: (category, how many of 100,000).
CATEGORIES = (
    ("no_psp_ref", 5_000),
    ("no_our_ref", 3_000),
    ("no_ref", 50),
    ("missing_there", 300),
    ("amount", 300),
    ("fee", 60),
    ("currency", 60),
    ("duplicate", 60),
    ("wrong_client", 60),
    ("status", 60),
    ("fx", 1_000),
    ("split", 200),
    ("merged", 200),
    ("ambiguous", 60),
    ("second_payment", 60),
    ("timing", 60),
)
ONLY_PAYMENTS = ("fee", "currency", "duplicate", "wrong_client", "status", "fx", "ambiguous", "second_payment")

DRAW = """
CREATE FUNCTION bench_draw(n bigint, salt bigint, below bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT mod(hashint8extended(n, salt) & 9223372036854775807, below) $$
"""
TRUTH = """
CREATE UNLOGGED TABLE bench_truth AS
SELECT n, 1 + mod(n, {psps}) AS psp, category, kind, 1 + bench_draw(n, 4, {clients}) AS client,
  (CASE WHEN kind IN ('payment', 'chargeback_reversed') THEN 1 ELSE -1 END) * CASE WHEN bench_draw(n, 5, 10) < 3
    THEN (ARRAY[10000, 25000, 50000, 100000])[1 + bench_draw(n, 6, 4)] ELSE 1000 + bench_draw(n, 7, 500000) END AS amount,
  CASE WHEN mod(n, {psps}) = 5 AND bench_draw(n, 8, 10) < 3 THEN 'JPY' WHEN bench_draw(n, 8, 10) < 4 THEN 'USD' ELSE 'EUR' END
    AS currency,
  CASE WHEN category = 'timing' THEN %(end)s::timestamptz - make_interval(secs => 600 + bench_draw(n, 9, 16000))
    ELSE %(start)s::timestamptz + make_interval(secs => bench_draw(n, 9, %(seconds)s)) END AS at,
  'D-' || upper(to_hex(n + 1048576)) AS ref,
  CASE WHEN category = 'ambiguous' THEN 'D-' || upper(to_hex(n + 1048576))
    ELSE 'pay_' || md5(n::text) END AS psp_ref
FROM (
  SELECT n, category, CASE WHEN category = ANY(%(payments)s) THEN 'payment' WHEN category IN ('split', 'merged') THEN 'payout'
    WHEN d < 880 THEN 'payment' WHEN d < 940 THEN 'payout' WHEN d < 980 THEN 'refund' WHEN d < 995 THEN 'chargeback'
    ELSE 'chargeback_reversed' END AS kind
  FROM (SELECT n, bench_draw(n, 2, 1000) AS d, CASE {cases} ELSE 'plain' END AS category
    FROM (SELECT n, bench_draw(n, 1, 100000) AS b FROM generate_series(1, %(count)s) n) drawn) sorted
) known
"""
MOVEMENTS = """
INSERT INTO wallet_pspmovement (id, psp_id, kind, reference, common_reference, psp_reference, client_id, journal_id,
  amount_minor, currency, occurred_at)
SELECT n, psp, kind, ref, CASE WHEN kind = 'payout' THEN ref ELSE '' END, psp_ref, client, n, amount, currency, at
FROM bench_truth
UNION ALL
SELECT n + {shift}, psp, kind, ref || '-2', ref, psp_ref || '-2', client, n + {shift}, amount - 700, currency, at
FROM bench_truth WHERE category = 'merged'
"""
# truth: which movements a row is; expected: the break that it is to become. A row has one of them.
ROWS = """
CREATE UNLOGGED TABLE bench_row AS
SELECT row_number() OVER (PARTITION BY psp ORDER BY at, n, place) AS line, * FROM (
  SELECT n, 1 AS place, psp, kind, client, at + make_interval(secs => bench_draw(n, 10, 7200)) AS at,
    CASE WHEN category IN ('no_psp_ref', 'no_ref') THEN '' ELSE psp_ref END AS psp_ref,
    CASE WHEN category IN ('no_our_ref', 'no_ref') THEN ''
      WHEN category = 'wrong_client' AND n % 2 = 0 THEN 'D-' || upper(to_hex(1048576 + 1 + (n + 5) % {count})) ELSE ref END
      AS our_ref,
    '' AS original, CASE WHEN category = 'wrong_client' AND n % 2 = 1 THEN 'client-' || (client + {clients}) ELSE '' END AS who,
    CASE category WHEN 'currency' THEN CASE currency WHEN 'EUR' THEN 'USD' ELSE 'EUR' END WHEN 'fx' THEN 'GBP' ELSE currency
      END AS currency,
    CASE category WHEN 'amount' THEN amount + 1 + bench_draw(n, 11, 500)
      WHEN 'fx' THEN round(amount * (0.8 + bench_draw(n, 12, 9999) / 100000.0) * CASE currency WHEN 'JPY' THEN 100 ELSE 1 END)
      ELSE amount END::bigint AS gross,
    CASE category WHEN 'fee' THEN 150 ELSE 0 END AS fee_more,
    CASE category WHEN 'fx' THEN 0.8 + bench_draw(n, 12, 9999) / 100000.0 END AS rate,
    CASE category WHEN 'fx' THEN currency ELSE '' END AS paid_currency, CASE category WHEN 'fx' THEN amount END AS paid,
    CASE WHEN category IN ('amount', 'currency', 'wrong_client', 'no_ref') THEN NULL ELSE ARRAY[n] END AS truth,
    CASE WHEN category IN ('amount', 'currency', 'wrong_client') THEN category WHEN category = 'no_ref' THEN 'missing_here'
      END AS expected, category
  FROM bench_truth WHERE category NOT IN ('missing_there', 'timing', 'split', 'merged', 'ambiguous', 'second_payment')
  UNION ALL
  SELECT n, 2, psp, kind, client, at + interval '3 hours', psp_ref, ref, '', '', currency, amount, 0, NULL, '', NULL, NULL,
    'duplicate', category FROM bench_truth WHERE category = 'duplicate'
  UNION ALL
  SELECT n, p, psp, kind, client, at + make_interval(hours => p), 'part_' || p || md5(n::text), ref, '', '', currency,
    CASE p WHEN 1 THEN amount / 3 ELSE amount - amount / 3 END, 0, NULL, '', NULL, ARRAY[n], NULL, category
  FROM bench_truth CROSS JOIN generate_series(1, 2) p WHERE category = 'split'
  UNION ALL
  SELECT n, 1, psp, kind, client, at + interval '1 hour', 'all_' || md5(n::text), ref, '', '', currency, 2 * amount - 700, 0,
    NULL, '', NULL, ARRAY[n, n + {shift}], NULL, category FROM bench_truth WHERE category = 'merged'
  UNION ALL
  SELECT n, 2, psp, 'refund', client, at + interval '5 hours', 're_' || md5(n::text), '', psp_ref, '', currency, -amount, 0, NULL,
    '', NULL, NULL, 'status', category FROM bench_truth WHERE category = 'status'
  UNION ALL
  SELECT n, p, psp, kind, client, at + make_interval(mins => p), 'twin_' || p || md5(n::text), ref, '', '', currency, amount, 0,
    NULL, '', NULL, NULL, 'missing_here', category
  FROM bench_truth CROSS JOIN generate_series(1, 2) p WHERE category = 'ambiguous'
  UNION ALL
  SELECT n, 1, psp, kind, client, at + interval '2 hours', 'second_' || md5(n::text), ref, '', '', currency, amount, 0, NULL, '',
    NULL, NULL, 'missing_here', category FROM bench_truth WHERE category = 'second_payment'
  UNION ALL
  SELECT n, 3, psp, kind, client, at, 'pay_' || md5('x' || n), 'D-X' || upper(to_hex(n)), '', '', currency, amount, 0, NULL, '',
    NULL, NULL, 'missing_here', 'near_duplicate' FROM bench_truth
  WHERE category = 'plain' AND kind = 'payment' AND bench_draw(n, 3, 1000) < 3
) all_rows
"""
STORE_ROWS = """
INSERT INTO wallet_settlementrow (report_id, line, type, psp_reference, merchant_reference, original_reference,
  client_reference, batch, booked_at, currency, gross_minor, fee_minor, net_minor, paid_currency, paid_minor, rate)
SELECT %(report)s, line, kind, psp_ref, our_ref, original, who, 'week-' || extract(week FROM at), at, currency, gross, fee,
  gross - fee, paid_currency, paid, rate
FROM (SELECT *, fee_more + CASE kind WHEN 'payment' THEN round(abs(gross) * {basis_points} / 10000.0)::bigint ELSE 0 END AS fee
  FROM bench_row WHERE psp = %(psp)s) r ORDER BY line
"""
# What is open in our books after all six reports.
EXPECTED_MOVEMENTS = """
SELECT n, CASE category WHEN 'timing' THEN 'timing' ELSE 'missing_there' END FROM bench_truth
WHERE category IN ('missing_there', 'timing', 'no_ref', 'ambiguous', 'second_payment')
"""


def month() -> tuple[dt.date, dt.date]:
    """The last whole month."""
    last = timezone.now().date().replace(day=1) - dt.timedelta(days=1)
    return last.replace(day=1), last


def generate(brand_id: int, count: int) -> list[SettlementImport]:
    """Fill the books and the six reports; returns the reports, whose rows wait to be matched."""
    first, last = month()
    start = dt.datetime.combine(first, dt.time(), tzinfo=dt.UTC)
    end = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), tzinfo=dt.UTC)
    cases, below = "", 0
    for category, share in CATEGORIES:
        below += share
        cases += f" WHEN b < {below} THEN '{category}'"
    with connection.cursor() as cursor:
        _leave_journals_out(cursor)
        cursor.execute(DRAW)
        cursor.execute(
            TRUTH.format(psps=PSPS, clients=CLIENTS, cases=cases),
            {
                "count": count,
                "start": start,
                "end": end,
                "payments": list(ONLY_PAYMENTS),
                "seconds": int((end - start).total_seconds()) - 12 * 3600,
            },
        )
        cursor.execute("ANALYZE bench_truth")
        cursor.execute(MOVEMENTS.format(shift=10 * count))
        cursor.execute(ROWS.format(count=count, clients=CLIENTS, shift=10 * count))
        cursor.execute("ANALYZE bench_row")
    return [_report(brand_id, number, first, last) for number in range(1, PSPS + 1)]


def _leave_journals_out(cursor: object) -> None:
    """A movement has a journal; a million of them would measure the ledger, which `bench ledger` does."""
    cursor.execute(  # type: ignore[attr-defined]
        "SELECT conname FROM pg_constraint WHERE conrelid = 'wallet_pspmovement'::regclass AND contype = 'f'"
        " AND confrelid = 'wallet_journal'::regclass"
    )
    for (name,) in cursor.fetchall():  # type: ignore[attr-defined]
        cursor.execute(f'ALTER TABLE wallet_pspmovement DROP CONSTRAINT "{name}"')  # type: ignore[attr-defined]


def _report(brand_id: int, number: int, first: dt.date, last: dt.date) -> SettlementImport:
    psp = Psp.objects.get(pk=number)
    report = SettlementImport.objects.create(
        psp=psp,
        file_name=f"{psp.code}.csv",
        sha256=f"{number:064d}",
        stored_name=f"bench-{number}",
        size_bytes=0,
        first_day=first,
        last_day=last,
        row_count=0,
        imported_at=timezone.now(),
    )
    with connection.cursor() as cursor:
        cursor.execute(STORE_ROWS.format(basis_points=FEE_BASIS_POINTS), {"report": report.pk, "psp": number})
        report.row_count = cursor.rowcount
    report.save(update_fields=["row_count"])
    return report


def psps(brand_id: int) -> None:
    """Six PSPs with the numbers 1 to 6, and what they cost."""
    for number in range(1, PSPS + 1):
        psp = Psp.objects.create(
            pk=number, brand_id=brand_id, code=f"bench{number}", name=f"Bench {number}", kind=PspKind.CARD
        )
        PspCost.objects.bulk_create(
            PspCost(
                psp=psp,
                type=RowType.PAYMENT,
                currency=currency,
                basis_points=FEE_BASIS_POINTS,
                valid_from=dt.date(2020, 1, 1),
            )
            for currency in ("EUR", "USD", "GBP", "JPY")
        )
