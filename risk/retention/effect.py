"""What calls achieve: clients with a case beside those of the control group, who had the same flags and no case.

Counted are cases whose days are over. Who trades or pays in within these days has stayed. The groups are drawn by a keyed hash,
so they differ by chance alone; the interval of the difference is Newcombe's (Statistics in Medicine 17, 1998, method 10).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from math import hypot
from typing import Any, Final

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.models import Brand, User
from crm.money.amounts import Money
from crm.security.scope import reach_of

DAYS: Final = 30
BACK: Final = dt.timedelta(days=365)
CASES_MAX: Final = 50_000  # the newest
# With fewer in a group no difference is called one.
LEAST: Final = 30
# What clients did in the days after `n.day`: whether they traded (t), what they paid in (p) and took out (w).
AFTERWARDS: Final = """CROSS JOIN LATERAL (SELECT EXISTS (
  SELECT FROM trading_tradingaccount a JOIN trading_accountresult r ON r.account_id = a.id AND r.period = 'd'
    AND r.start > n.day AND r.start <= n.day + %(days)s
  WHERE a.client_id = n.client_id AND NOT a.is_demo) AS has_traded) t
CROSS JOIN LATERAL (SELECT coalesce(sum(d.base_amount), 0) AS paid FROM wallet_deposit d
  WHERE d.client_id = n.client_id AND d.settled_at > n.day + 1 AND d.settled_at <= n.day + 1 + %(days)s) p
CROSS JOIN LATERAL (SELECT coalesce(sum(d.base_amount), 0) AS taken FROM wallet_withdrawal d
  WHERE d.client_id = n.client_id AND d.requested_at > n.day + 1 AND d.requested_at <= n.day + 1 + %(days)s
    AND d.state NOT IN ('rejected', 'cancelled', 'failed', 'came_back')) w"""
STAYED: Final = f"""
WITH chosen AS (
  SELECT r.client_id, c.brand_id, r.state = 'held_back' AS is_control, r.opened_at::date AS day
  FROM risk_retentioncase r JOIN clients_client c ON c.id = r.client_id
  WHERE r.opened_at > %(since)s AND r.opened_at <= %(until)s AND c.book_id = ANY(%(books)s)
  ORDER BY r.opened_at DESC LIMIT %(most)s
)
SELECT n.brand_id, n.is_control, count(*), count(*) FILTER (WHERE t.has_traded OR p.paid > 0), sum(p.paid - w.taken)
FROM chosen n
{AFTERWARDS}
GROUP BY 1, 2
"""  # noqa: S608  the fragment is a constant


@dataclass(frozen=True)
class Group:
    """Clients of one group: how many, how many stayed, and their net deposits together in the brand's base currency."""

    clients: int = 0
    stayed: int = 0
    net: Decimal = Decimal(0)

    @property
    def share(self) -> float:
        return self.stayed / self.clients if self.clients else 0.0

    @property
    def percent(self) -> float:
        return 100 * self.share

    @property
    def net_each(self) -> Decimal:
        return (self.net / self.clients).quantize(Decimal("0.01")) if self.clients else Decimal(0)


@dataclass(frozen=True)
class Effect:
    """A brand's two groups; `low` and `high`: the difference in percentage points, with 95 % confidence."""

    brand: Brand
    called: Group
    control: Group
    low: float
    high: float

    @property
    def difference(self) -> float:
        return self.called.percent - self.control.percent

    @property
    def net_difference(self) -> Money:
        return Money(self.called.net_each - self.control.net_each, self.brand.base_currency)

    @property
    def verdict(self) -> str:
        """Say in one sentence what the figures show, and no more."""
        if not self.control.clients:
            return _("No client was held back, so the effect can't be measured. Set a share for the control group.")
        if min(self.called.clients, self.control.clients) < LEAST:
            return _("Fewer than %(count)s clients in a group: too few for a conclusion.") % {"count": LEAST}
        if self.low > 0:
            return _("Calls keep clients: the difference is more than chance explains.")
        if self.high < 0:
            return _("Clients with a case stay less often than those without one.")
        return _("The difference may be chance. More cases will narrow it.")


def effects(user: User, *, now: dt.datetime | None = None) -> list[Effect]:
    """Compare the two groups of each brand, among clients in reach, over the last year."""
    now = now or timezone.now()
    values: dict[str, Any] = {
        "since": now - BACK,
        "until": now - dt.timedelta(days=DAYS + 1),
        "books": list(reach_of(user).books),
        "most": CASES_MAX,
        "days": DAYS,
    }
    found: dict[int, dict[bool, Group]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(STAYED, values)
        for brand_id, is_control, clients, stayed, net in cursor:
            found[brand_id][is_control] = Group(clients, stayed, net)
    rows = []
    for brand in Brand.objects.filter(pk__in=found).order_by("name"):
        called, control = (found[brand.pk].get(is_control, Group()) for is_control in (False, True))
        rows.append(Effect(brand, called, control, *interval(called, control)))
    return rows


def interval(first: Group, second: Group) -> tuple[float, float]:
    """Compute the 95 % interval of the difference of two shares, in percentage points; all of it where a group is empty."""
    if not first.clients or not second.clients:
        return -100.0, 100.0
    from scipy.stats import binomtest

    (low1, high1), (low2, high2) = (
        binomtest(group.stayed, group.clients).proportion_ci(method="wilson") for group in (first, second)
    )
    difference = first.share - second.share
    low = difference - hypot(first.share - low1, high2 - second.share)
    return 100 * low, 100 * (difference + hypot(high1 - first.share, second.share - low2))
