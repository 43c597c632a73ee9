"""The third leg: every balance operation on a trading platform has its movement in the ledger, and the other way round.

    deal on the platform ──ticket── balance operation ──── transfer ──journal── posting on the server's clearing account

A deal that moves Balance by hand of the manager (action Balance) must lead to a posting of the same amount and currency;
credit, bonus, charges and corrections move no client money of ours, so they must at least have been ordered here. A posting
on the server's clearing account must lead to a deal. Both directions are one statement each over the days asked for; what
does not agree comes back with its name. Demo accounts have no money and are left out, and so is what moved on an account
before it was taken over here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from crm.money.amounts import EXPONENTS
from trading.choices import TRADES, DealAction
from wallet.choices.break_details import money, say_detail
from wallet.choices.reconciliation import BreakKind, Detail
from wallet.choices.transfers import TransferState

FOUND_MAX: Final = 5_000
# Fees and results that a platform books automatically, under the client's agreement with the broker.
BY_THE_PLATFORM: Final = frozenset(
    {
        DealAction.COMMISSION,
        DealAction.COMMISSION_DAILY,
        DealAction.COMMISSION_MONTHLY,
        DealAction.AGENT,
        DealAction.AGENT_DAILY,
        DealAction.AGENT_MONTHLY,
        DealAction.INTEREST,
        DealAction.BUY_CANCELED,
        DealAction.SELL_CANCELED,
        DealAction.DIVIDEND,
        DealAction.DIVIDEND_FRANKED,
        DealAction.TAX,
        DealAction.SO_COMPENSATION,
        DealAction.SO_COMPENSATION_CREDIT,
        *TRADES,
    }
)

# The ledger's side of an operation: what its transfer's journal posted on the server's clearing accounts, unless taken back.
DEALS: Final = """
WITH deal AS (
  SELECT d.ticket, d.login, d.account_id, d.action, d.comment, d.executed_at, a.currency, a.client_id,
    round((d.profit + d.commission + d.swap + d.fee) * 10 ^ coalesce((%(exponents)s::jsonb ->> a.currency)::int, 2))::bigint
      AS minor
  FROM trading_deal d LEFT JOIN trading_tradingaccount a ON a.id = d.account_id
  LEFT JOIN clients_client c ON c.id = a.client_id
  WHERE d.server_id = %(server)s AND d.executed_at >= %(since)s AND d.executed_at < %(until)s
    AND d.deleted_at IS NULL AND NOT d.action = ANY(%(ours)s) AND NOT coalesce(a.is_demo, false)
    AND (c.brand_id = %(brand)s OR (c.brand_id IS NULL AND %(strays)s))
    AND (a.imported_at IS NULL OR d.executed_at >= a.imported_at)
)
SELECT d.ticket, d.login, d.action, d.executed_at, coalesce(d.currency, ''), d.client_id, coalesce(d.minor, 0),
  o.id IS NOT NULL AS by_ticket, named.ticket IS NOT NULL AS is_second, named.id IS NOT NULL AS is_named,
  o.account_id = d.account_id AS same_account, t.state, t.reference, p.minor, p.currency, p.posted_at
FROM deal d
LEFT JOIN trading_balanceoperation o ON o.server_id = %(server)s AND o.ticket = d.ticket
LEFT JOIN trading_balanceoperation named ON o.id IS NULL AND named.reference = btrim(d.comment)
  AND named.server_id = %(server)s
LEFT JOIN wallet_transfer t ON t.operation_id = coalesce(o.id, named.id)
LEFT JOIN LATERAL (
  SELECT sum(p.amount_minor)::bigint AS minor, min(k.currency) AS currency, min(p.posted_at) AS posted_at
  FROM wallet_posting p JOIN wallet_account k ON k.id = p.account_id AND k.kind = 'platform_clearing'
    AND k.subject = %(subject)s
  WHERE p.journal_id = t.journal_id AND p.layer = 0
    AND NOT EXISTS (SELECT 1 FROM wallet_journal r WHERE r.reverses_id = t.journal_id)
) p ON true
WHERE NOT (
  CASE WHEN d.action = %(balance)s
    THEN o.account_id = d.account_id AND t.state = 'settled' AND p.minor = d.minor AND p.currency = d.currency
    ELSE o.account_id = d.account_id END
) IS TRUE
ORDER BY d.executed_at, d.ticket LIMIT %(limit)s
"""
POSTINGS: Final = """
SELECT j.id, j.kind, j.description, p.posted_at, k.currency, p.amount_minor, t.reference, t.client_id, o.ticket
FROM wallet_account k JOIN wallet_posting p ON p.account_id = k.id AND p.version IS NULL AND p.layer = 0
JOIN wallet_journal j ON j.id = p.journal_id
LEFT JOIN wallet_transfer t ON t.journal_id = j.id
LEFT JOIN trading_balanceoperation o ON o.id = t.operation_id AND o.server_id = %(server)s
WHERE k.kind = 'platform_clearing' AND k.subject = %(subject)s AND k.brand_id = %(brand)s
  AND p.posted_at >= %(since)s AND p.posted_at < %(until)s AND j.reverses_id IS NULL
  AND NOT EXISTS (SELECT 1 FROM wallet_journal r WHERE r.reverses_id = j.id)
  AND NOT EXISTS (SELECT 1 FROM trading_deal d WHERE d.server_id = %(server)s AND d.ticket = o.ticket
    AND d.deleted_at IS NULL)
ORDER BY p.posted_at, j.id LIMIT %(limit)s
"""
# Both sides agree, but in different months: for the month's closing that is a difference with a name.
CUT_OFF: Final = """
SELECT d.ticket, d.executed_at, p.posted_at, k.currency, p.amount_minor, t.reference, t.client_id
FROM trading_deal d JOIN trading_balanceoperation o ON o.server_id = d.server_id AND o.ticket = d.ticket
JOIN wallet_transfer t ON t.operation_id = o.id AND t.brand_id = %(brand)s
JOIN wallet_posting p ON p.journal_id = t.journal_id AND p.layer = 0
JOIN wallet_account k ON k.id = p.account_id AND k.kind = 'platform_clearing' AND k.subject = %(subject)s
WHERE d.server_id = %(server)s AND d.executed_at >= %(since)s AND d.executed_at < %(until)s AND d.deleted_at IS NULL
  AND date_trunc('month', d.executed_at, 'UTC') <> date_trunc('month', p.posted_at, 'UTC')
ORDER BY d.executed_at LIMIT %(limit)s
"""
COUNTED: Final = """
SELECT (SELECT count(*) FROM trading_deal d JOIN trading_tradingaccount a ON a.id = d.account_id AND NOT a.is_demo
    JOIN clients_client c ON c.id = a.client_id AND c.brand_id = %(brand)s
    WHERE d.server_id = %(server)s AND d.executed_at >= %(since)s AND d.executed_at < %(until)s
      AND d.deleted_at IS NULL AND NOT d.action = ANY(%(ours)s))
  + (SELECT count(*) FROM wallet_account k
    JOIN wallet_posting p ON p.account_id = k.id AND p.version IS NULL AND p.layer = 0
    WHERE k.kind = 'platform_clearing' AND k.subject = %(subject)s AND k.brand_id = %(brand)s
      AND p.posted_at >= %(since)s AND p.posted_at < %(until)s)
"""


@dataclass(frozen=True, slots=True)
class PlatformDifference:
    """A difference: there less here, in minor units of its currency. is_settled: it explains itself (a cut-off)."""

    fingerprint: str
    kind: BreakKind
    day: dt.date
    currency: str
    difference_minor: int
    code: Detail
    values: dict[str, Any]
    client_id: int | None = None
    is_settled: bool = False

    @property
    def explanation(self) -> str:
        """In the reader's language."""
        return say_detail(self.code, self.values)


@dataclass(frozen=True, slots=True)
class Compared:
    checked: int
    differences: tuple[PlatformDifference, ...]


def compare(*, brand_id: int, server_id: int, since: dt.datetime, until: dt.datetime, with_strays: bool) -> Compared:
    """Both directions over [since, until). with_strays: deals of unknown logins count for this brand."""
    values: dict[str, Any] = {
        "brand": brand_id,
        "server": server_id,
        "subject": f"server:{server_id}",
        "since": since,
        "until": until,
        "ours": [int(action) for action in BY_THE_PLATFORM],
        "balance": int(DealAction.BALANCE),
        "strays": with_strays,
        "exponents": _exponents(),
        "limit": FOUND_MAX,
    }
    with connection.cursor() as cursor:
        cursor.execute(COUNTED, values)
        checked = cursor.fetchone()[0]
        cursor.execute(DEALS, values)
        differences = [_deal_difference(DealRow(*row)) for row in cursor.fetchall()]
        cursor.execute(POSTINGS, values)
        differences += [_posting_difference(PostingRow(*row)) for row in cursor.fetchall()]
        cursor.execute(CUT_OFF, values)
        differences += list(_cut_offs(cursor.fetchall()))
    return Compared(checked, tuple(differences))


def _exponents() -> str:
    import orjson

    return orjson.dumps(EXPONENTS).decode()


@dataclass(frozen=True, slots=True)
class DealRow:
    """What DEALS finds of a deal: on the platform, then what was ordered and booked for it. `minor`: of its currency."""

    ticket: int
    login: str
    action: int
    at: dt.datetime
    currency: str
    client_id: int | None
    minor: int
    by_ticket: bool
    is_second: bool
    is_named: bool
    same_account: bool | None
    state: str | None
    reference: str | None
    booked: int | None
    booked_currency: str | None
    posted_at: dt.datetime | None


def _deal_difference(row: DealRow) -> PlatformDifference:
    """Name what is wrong with a deal: the first thing that explains it."""
    difference = row.minor - (row.booked or 0)
    values: dict[str, Any] = {
        "ticket": row.ticket,
        "login": row.login,
        "reference": row.reference or "",
        "money": money(row.minor, row.currency),
    }
    if row.action != DealAction.BALANCE and not row.by_ticket:
        kind, code = BreakKind.NOT_ORDERED, Detail.NOT_ORDERED
        values["action"], difference = row.action, row.minor
    elif row.by_ticket and row.same_account is False:
        kind, code = BreakKind.WRONG_ACCOUNT, Detail.OTHER_ACCOUNT
    elif row.is_second:
        kind, code, difference = BreakKind.DUPLICATE, Detail.SECOND_DEAL, row.minor
    elif row.is_named or (row.by_ticket and row.state is not None and row.state != TransferState.SETTLED):
        kind, code = BreakKind.NOT_SETTLED, Detail.NOT_SETTLED
    elif row.booked is None:
        kind, code = BreakKind.MISSING_HERE, Detail.NO_MOVEMENT
    elif row.booked_currency != row.currency:
        kind, code, difference = BreakKind.CURRENCY, Detail.OTHER_CURRENCY, row.minor
        values |= {"there": row.currency, "here": row.booked_currency}
    else:
        kind, code = BreakKind.AMOUNT, Detail.OTHER_AMOUNT
        values["here"] = money(row.booked, row.currency)
    return PlatformDifference(
        f"deal:{row.ticket}",
        kind,
        row.at.astimezone(dt.UTC).date(),
        row.currency or "?",
        difference,
        code,
        values,
        row.client_id,
    )


@dataclass(frozen=True, slots=True)
class PostingRow:
    """What POSTINGS finds: a posting of ours without its deal. `minor`: of its currency."""

    journal_id: int
    kind: str
    description: str
    at: dt.datetime
    currency: str
    minor: int
    reference: str | None
    client_id: int | None
    ticket: int | None


def _posting_difference(row: PostingRow) -> PlatformDifference:
    values = {
        "journal": row.journal_id,
        "kind": row.kind,
        "reference": row.reference or row.description,
        "money": money(row.minor, row.currency),
        "ticket": row.ticket,
    }
    if row.reference is None:
        code = Detail.JOURNAL_ALONE
    else:
        code = Detail.NO_DEAL if row.ticket is None else Detail.DEAL_NOT_LISTED
    return PlatformDifference(
        f"journal:{row.journal_id}:{row.currency}",
        BreakKind.MISSING_THERE,
        row.at.astimezone(dt.UTC).date(),
        row.currency,
        -row.minor,
        code,
        values,
        row.client_id,
    )


def _cut_offs(
    rows: list[tuple[int, dt.datetime, dt.datetime, str, int, str, int | None]],
) -> Iterator[PlatformDifference]:
    for ticket, executed_at, posted_at, currency, minor, reference, client_id in rows:
        seconds = abs(int((posted_at - executed_at).total_seconds()))
        yield PlatformDifference(
            f"cut-off:{ticket}",
            BreakKind.TIMING,
            executed_at.astimezone(dt.UTC).date(),
            currency,
            minor,
            Detail.CUT_OFF,
            {"reference": reference, "ticket": ticket, "seconds": seconds},
            client_id,
            is_settled=True,
        )


__all__ = ["Compared", "PlatformDifference", "compare"]
