"""Win-back: who trades again after a call, beside those who weren't called.

Counted are cases of clients who hadn't traded for two weeks, and whose days since are over: since the decision where an agent has
recorded one, else since the case was opened. Agents choose whom they reach, so that only the control group is a fair comparison.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.models import Brand, User
from crm.security.scope import reach_of
from risk.retention.choices import DECISIONS, CaseState
from risk.retention.effect import AFTERWARDS

DAYS: Final = (30, 60, 90)
SILENT_DAYS: Final = 14
BACK: Final = dt.timedelta(days=365)
CASES_MAX: Final = 50_000  # the newest
CONTACTED: Final = (CaseState.REACHED, CaseState.HELPED, CaseState.CONTENT, CaseState.LOST)
NOT_CONTACTED: Final = "none"

SQL: Final = f"""
WITH counted AS (
  SELECT r.client_id, c.brand_id, r.opened_at,
    CASE WHEN r.state = ANY(%(decisions)s) THEN r.ended_at ELSE r.opened_at END AS since,
    CASE WHEN r.state = ANY(%(decisions)s) OR r.state = 'held_back' THEN r.state ELSE 'none' END AS way
  FROM risk_retentioncase r JOIN clients_client c ON c.id = r.client_id
  WHERE r.opened_at > %(first)s AND r.opened_at <= %(until)s AND c.book_id = ANY(%(books)s)
  ORDER BY r.opened_at DESC LIMIT %(most)s
), chosen AS (
  SELECT client_id, brand_id, way, since::date AS day FROM counted n
  WHERE since <= %(until)s AND NOT EXISTS (
    SELECT FROM trading_tradingaccount a JOIN trading_accountresult r ON r.account_id = a.id AND r.period = 'd'
      AND r.start > n.since::date - %(silent)s AND r.start <= n.since::date
    WHERE a.client_id = n.client_id AND NOT a.is_demo)
)
SELECT n.brand_id, n.way, count(*), count(*) FILTER (WHERE t.has_traded), sum(p.paid - w.taken)
FROM chosen n
{AFTERWARDS}
GROUP BY 1, 2
"""  # noqa: S608  the fragment is a constant


@dataclass(frozen=True)
class Line:
    """Cases of one result: how many, who traded again, and their net deposits in the brand's base currency."""

    label: str
    cases: int
    back: int
    net: Decimal
    is_total: bool = False

    @property
    def percent(self) -> float:
        return 100 * self.back / self.cases if self.cases else 0.0


@dataclass(frozen=True)
class WinBack:
    """A brand's lines: each result of a call, all of them together, and those who weren't called."""

    brand: Brand
    lines: Sequence[Line]


def win_back(user: User, days: int, *, now: dt.datetime | None = None) -> list[WinBack]:
    """Count who traded again within so many days, among clients in reach, over the last year. Two statements."""
    now = now or timezone.now()
    values: dict[str, Any] = {
        "decisions": [state.value for state in DECISIONS],
        "first": now - BACK,
        "until": now - dt.timedelta(days=days + 1),
        "books": list(reach_of(user).books),
        "most": CASES_MAX,
        "days": days,
        "silent": SILENT_DAYS,
    }
    found: dict[int, dict[str, tuple[int, int, Decimal]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(SQL, values)
        for brand_id, way, cases, back, net in cursor:
            found.setdefault(brand_id, {})[way] = (cases, back, net)
    return [WinBack(brand, _lines(found[brand.pk])) for brand in Brand.objects.filter(pk__in=found).order_by("name")]


def _lines(found: dict[str, tuple[int, int, Decimal]]) -> list[Line]:
    called = [Line(str(state.label), *found[state]) for state in CONTACTED if state in found]
    others = [
        (CaseState.NO_ACTION.value, str(CaseState.NO_ACTION.label)),
        (NOT_CONTACTED, _("Not called or not reached")),
        (CaseState.HELD_BACK.value, str(CaseState.HELD_BACK.label)),
    ]
    total = [_total(called)] if called else []
    return [*called, *total, *(Line(label, *found[way]) for way, label in others if way in found)]


def _total(lines: Iterable[Line]) -> Line:
    rows = list(lines)
    net = sum((row.net for row in rows), Decimal(0))
    return Line(_("All reached"), sum(row.cases for row in rows), sum(row.back for row in rows), net, is_total=True)
