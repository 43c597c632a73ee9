"""Open accounts whose group gives more on a class of instruments than a regulator allows their owner, and those where nobody
can tell.

A group may have been wrong when the account was opened, or become so: a line of a regulator, a client who moved or is no
professional any more, a dealer's hand on margin rates. Less leverage heals what follows the account's leverage; what doesn't
is healed by another group, or by whoever sets the platform up. Both are for a person: the list says which account, which class,
on what symbol, and by which rule; a question about the platform is opened once for each group and class.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

import orjson
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.policies import require_permission
from crm.scope import reach_of
from trading import issues
from trading.caps import COUNTRY_OF_LICENCE, Cap
from trading.choices import InstrumentClass, IssueKind
from trading.class_margins import ROUNDING, Given, of_groups
from trading.models import LeverageCap, PlatformIssue, TradingAccount, TradingServer

SHOWN_MAX: Final = 200
COUNTED_MAX: Final = 10_000
GROUPS_MAX: Final = 200
WATCHED_MAX: Final = 1000
# As `caps.limits_for`: of each class the strictest line of residence and licence; of two that are as strict, residence.
HELD: Final = """
WITH line AS (
  SELECT id, category, instrument_class AS sort, unnest(countries) AS place, leverage FROM trading_leveragecap
  WHERE valid_from <= %(day)s AND (valid_until IS NULL OR valid_until >= %(day)s)
), cap AS MATERIALIZED (
  SELECT DISTINCT ON (category, place, sort) id, category, place, sort, leverage FROM line
  ORDER BY category, place, sort, leverage, id
), licence AS (SELECT id, coalesce(%(places)s::jsonb ->> jurisdiction, jurisdiction) AS place FROM crm_brand
), given AS MATERIALIZED (
  SELECT g.server_id, g.name, one.key AS sort, (one.value ->> 'rate')::numeric AS rate,
    (one.value ->> 'fixed')::numeric AS fixed, one.value ? 'unclear' AS is_unclear
  FROM trading_platformgroup g, jsonb_each(g.class_margins) one WHERE g.gone_at IS NULL
), held AS (
  SELECT a.id, a.server_id, a."group", a.leverage, given.sort, given.rate, given.fixed, given.is_unclear,
    least(home.leverage, there.leverage) AS cap,
    CASE WHEN home.leverage <= there.leverage OR there.id IS NULL THEN home.id ELSE there.id END AS line_id,
    CASE WHEN home.leverage <= there.leverage OR there.id IS NULL THEN home.place ELSE there.place END AS place
  FROM trading_tradingaccount a JOIN clients_client c ON c.id = a.client_id JOIN licence l ON l.id = c.brand_id
  JOIN given ON given.server_id = a.server_id AND given.name = a."group"
  LEFT JOIN cap home ON home.category = c.category AND home.place = c.country AND home.sort = given.sort
  LEFT JOIN cap there ON there.category = c.category AND there.place = l.place AND there.sort = given.sort
  WHERE a.state = 'open' AND NOT a.is_demo AND a.missing_since IS NULL AND (%(books)s::int[] IS NULL OR c.book_id = ANY(%(books)s))
    AND (home.id IS NOT NULL OR there.id IS NOT NULL)
)"""
ABOVE: Final = f"""{HELD}, above AS (
  SELECT * FROM held WHERE cap = 0 OR leverage > cap * rate * %(rounding)s OR fixed > cap * %(rounding)s
)"""  # noqa: S608
LIST: Final = f"{ABOVE} SELECT id, sort, line_id, place FROM above ORDER BY id, sort LIMIT %(limit)s"  # noqa: S608
COUNT: Final = f"{ABOVE} SELECT count(*) FROM (SELECT DISTINCT id FROM above LIMIT %(limit)s) one"  # noqa: S608
BY_GROUP: Final = f"""{ABOVE} SELECT server_id, "group", sort, min(cap), max(leverage) FROM above
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT %(limit)s"""  # noqa: S608
UNCLEAR: Final = f"""{HELD} SELECT server_id, "group", sort, count(*) FROM held WHERE is_unclear AND cap > 0
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT %(limit)s"""  # noqa: S608
# Accounts whose class caps nothing is told about: their group has no margins here.
SILENT: Final = """
WITH who AS (
  SELECT DISTINCT category, unnest(countries) AS place FROM trading_leveragecap
  WHERE valid_from <= %(day)s AND (valid_until IS NULL OR valid_until >= %(day)s)
), licence AS (SELECT id, coalesce(%(places)s::jsonb ->> jurisdiction, jurisdiction) AS place FROM crm_brand)
SELECT a.server_id, count(*) FROM trading_tradingaccount a JOIN clients_client c ON c.id = a.client_id
JOIN licence l ON l.id = c.brand_id
LEFT JOIN trading_platformgroup g
  ON g.server_id = a.server_id AND g.name = a."group" AND g.gone_at IS NULL AND g.class_margins <> '{}'
LEFT JOIN who home ON home.category = c.category AND home.place = c.country
LEFT JOIN who there ON there.category = c.category AND there.place = l.place
WHERE a.state = 'open' AND NOT a.is_demo AND a.missing_since IS NULL AND c.book_id = ANY(%(books)s) AND g.id IS NULL
  AND (home.place IS NOT NULL OR there.place IS NOT NULL)
GROUP BY 1 ORDER BY 1 LIMIT %(limit)s
"""


@dataclass(frozen=True)
class ClassAbove:
    """One class of one account: the rule, and what the group gives."""

    account: TradingAccount
    sort: str
    cap: Cap
    given: Given

    @property
    def label(self) -> str:
        return str(InstrumentClass(self.sort).label)

    @property
    def most(self) -> str:
        """`1:30`, or `1:∞` for no margin at all; empty where it can't be said."""
        return words_of(self.given.at(self.account.leverage)[0])

    @property
    def symbol(self) -> str:
        return self.given.at(self.account.leverage)[1]

    @property
    def fitting(self) -> int | None:
        """The highest leverage of the account's type by which this class would be within its cap; None: no leverage heals it."""
        if self.given.is_beyond(self.cap.leverage) or self.account.account_type is None:
            return None
        return max((n for n in self.account.account_type.ladder if self.given.fits(n, self.cap.leverage)), default=None)


@dataclass(frozen=True)
class Unclear:
    """Classes of a group that can't be held against their caps, with the reason and how many accounts it concerns at most; a
    server that tells nothing has neither group nor class."""

    server: TradingServer
    group: str
    sorts: tuple[str, ...]
    accounts: int
    words: str

    @property
    def label(self) -> str:
        return ", ".join(str(InstrumentClass(sort).label) for sort in self.sorts)


def words_of(leverage: Decimal) -> str:
    return "" if not leverage else f"1:{leverage:.0f}" if leverage.is_finite() else "1:∞"


def _rows(sql: str, *, books: Sequence[int] | None, on: dt.date | None, limit: int) -> list[tuple[Any, ...]]:
    values: dict[str, Any] = {
        "day": on or timezone.now().date(), "places": orjson.dumps(COUNTRY_OF_LICENCE).decode(),
        "books": None if books is None else sorted(books), "rounding": ROUNDING, "limit": limit,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def count_above(user: Any, *, on: dt.date | None = None) -> int:
    """How many accounts of visible clients get more on some class than they may; no more than COUNTED_MAX are counted."""
    return int(_rows(COUNT, books=list(reach_of(user).books), on=on, limit=COUNTED_MAX)[0][0])


def classes_above(user: Any, *, on: dt.date | None = None, limit: int = SHOWN_MAX) -> list[ClassAbove]:
    """The list, a row for each class of an account. Four queries, however many rows."""
    require_permission(user, "trading.view_leveragecap")
    rows = _rows(LIST, books=list(reach_of(user).books), on=on, limit=limit)
    accounts = TradingAccount.objects.select_related("client__brand", "account_type", "server").in_bulk(
        {row[0] for row in rows}
    )
    lines = LeverageCap.objects.in_bulk({row[2] for row in rows})
    margins = of_groups((one.server_id, one.group) for one in accounts.values())
    found = []
    for pk, sort, line_id, place in rows:
        account, line = accounts.get(pk), lines.get(line_id)
        given = margins.get((account.server_id, account.group), {}).get(sort) if account else None
        if account and line and given:
            cap = Cap(line.leverage, line, place, is_by_licence=place != account.client.country)
            found.append(ClassAbove(account, sort, cap, given))
    return found


def not_comparable(user: Any, *, on: dt.date | None = None, limit: int = GROUPS_MAX) -> list[Unclear]:
    """Where accounts have caps of classes that nothing can be held against, or only a part. Four queries."""
    require_permission(user, "trading.view_leveragecap")
    books = list(reach_of(user).books)
    rows = _rows(UNCLEAR, books=books, on=on, limit=limit)
    silent = _rows(SILENT, books=books, on=on, limit=limit)
    servers = TradingServer.objects.in_bulk({row[0] for row in (*rows, *silent)})
    margins = of_groups((row[0], row[1]) for row in rows)
    told: dict[tuple[int, str, str], Unclear] = {}
    for server_id, group, sort, accounts in rows:
        given = margins.get((server_id, group), {}).get(sort)
        if given:
            key = (server_id, group, given.unclear_words)
            one = told.get(key, Unclear(servers[server_id], group, (), 0, key[2]))
            told[key] = replace(one, sorts=(*one.sorts, sort), accounts=max(one.accounts, accounts))
    words = _(
        "The platform told no margins of these groups: the account's cap is held, and nothing is known of its classes."
    )
    return [*told.values(), *(Unclear(servers[server_id], "", (), accounts, words) for server_id, accounts in silent)]


# ── questions about the platform ─────────────────────────────────────────────────────────────────────────────────────


def watch() -> int:
    """Open a question for each class of a server by which some account gets more than it may; close those that are healed.

    A question that a person closed stays closed while it is about the same: no further group, and no other figures. Returns how
    many there are.
    """
    rows = _rows(BY_GROUP, books=None, on=None, limit=WATCHED_MAX)
    findings = _findings(rows)
    asked = PlatformIssue.objects.filter(kind=IssueKind.CLASS_CAP)
    waiting = {(one.server_id, one.subject): one.details for one in asked.filter(closed_at__isnull=True)}
    decided = {
        (one.server_id, one.subject): one.details for one in asked.filter(closed_by__isnull=False).order_by("closed_at")
    }
    for key, finding in findings.items():
        if key in waiting and not _covers(waiting[key], finding):
            _settle(key, _("What groups give, or may give, is another now."))
        elif key not in waiting and key in decided and _covers(decided[key], finding):
            continue
        issues.open_issue(server_id=key[0], kind=IssueKind.CLASS_CAP, subject=key[1], details=finding)
    if len(rows) < WATCHED_MAX:
        for key in waiting.keys() - findings.keys():
            _settle(key, _("Every open account is within its caps again."))
    return len(findings)


def _findings(rows: Sequence[tuple[Any, ...]]) -> dict[tuple[int, str], dict[str, Any]]:
    """By server and class: its groups, and the figures of that which goes farthest beyond what it may."""
    margins, worst = of_groups((row[0], row[1]) for row in rows), dict[tuple[int, str], Decimal]()
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for server_id, group, sort, cap, leverage in rows:
        most, symbol = margins[server_id, group][sort].at(leverage)
        one = found.setdefault((server_id, sort), {"groups": []})
        one["groups"].append(group)
        beyond = most / cap if cap else Decimal("Infinity")
        if beyond > worst.get((server_id, sort), Decimal(-1)):
            worst[server_id, sort] = beyond
            one |= {"cap": cap, "most": words_of(most), "symbol": symbol}
    return found


def _covers(asked: dict[str, Any], finding: dict[str, Any]) -> bool:
    same = all(asked[name] == finding[name] for name in ("cap", "most", "symbol"))
    return same and set(finding["groups"]) <= set(asked["groups"])


def _settle(key: tuple[int, str], resolution: str) -> None:
    issues.settle(server_id=key[0], kind=IssueKind.CLASS_CAP, subject=key[1], actor=None, resolution=resolution)
