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
from decimal import ROUND_UP, Decimal
from typing import Any, Final

from django.utils.translation import gettext as _

from crm.models import Actor, User
from crm.security.policies import require_permission
from crm.security.scope import reach_of
from trading.cap_breaches import class_sql
from trading.choices import InstrumentClass, IssueKind, PlatformKind
from trading.core import issues
from trading.leverage import account_groups
from trading.leverage.caps import Cap
from trading.leverage.margins import ROUNDING, GroupLeverage, of_groups
from trading.models import LeverageCap, PlatformIssue, TradingAccount, TradingServer

CENT: Final = Decimal("0.01")
PAGE: Final = 50  # accounts, each with the classes that it has too much of
GROUPS_MAX: Final = 200
WATCHED_MAX: Final = 1000


@dataclass(frozen=True)
class ClassAbove:
    """One class of one account: the rule, and what the group gives."""

    account: TradingAccount
    sort: str
    cap: Cap
    given: GroupLeverage

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
    def margins(self) -> str:
        """What whoever sets the platform up has to change for accounts of this leverage."""
        figures = needed(self.given, self.account.leverage, self.cap.leverage)
        if figures is None:
            return _("%(symbol)s: disable trading in this group") % {"symbol": self.symbol}
        return _("%(symbol)s: margin %(now)s → %(then)s or more") % dict(
            zip(("symbol", "now", "then"), figures, strict=True)
        )

    @property
    def fitting(self) -> int | None:
        """The highest leverage of the account's type by which this class would be within its cap; None: no leverage heals it."""
        if self.given.is_beyond(self.cap.leverage) or self.account.account_type is None:
            return None
        return max((n for n in self.account.account_type.ladder if self.given.fits(n, self.cap.leverage)), default=None)


def needed(margins: GroupLeverage, leverage: int, cap: int) -> tuple[str, str, str] | None:
    """Find the symbol whose margin is too small in a group, its margin now and the least it must be; None where `cap` is 0.

    Margins are a rate where they follow the account's leverage, else a percentage of a lot's worth. A `cap` of 0 means
    that the class may not be traded at all.
    """
    if not cap:
        return None
    most, symbol = margins.at(leverage)
    if margins.fixed is not None and most == margins.fixed and margins.fixed > cap * ROUNDING:
        now = 100 / margins.fixed if margins.fixed.is_finite() else Decimal(0)
        return symbol, f"{now.quantize(CENT)} %", f"{(Decimal(100) / cap).quantize(CENT, ROUND_UP)} %"
    rate = (Decimal(leverage) / cap).quantize(CENT, ROUND_UP)
    return symbol, f"{(margins.rate or Decimal(0)).normalize():f}", f"{rate.normalize():f}"


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
    """Write a leverage as 1:30, or 1:∞ where no margin is taken; empty for none."""
    return "" if not leverage else f"1:{leverage:.0f}" if leverage.is_finite() else "1:∞"


@dataclass(frozen=True)
class Page:
    """Some accounts by id, a row for each class. `following`: what `after` is for the next page; None: this was the last."""

    rows: list[ClassAbove]
    following: int | None


def count_above(user: User, *, on: dt.date | None = None) -> int:
    """Count accounts of visible clients that get more on some class than they may, as they were counted last."""
    return int(class_sql.rows(class_sql.COUNT, books=reach_of(user).books, on=on)[0][0])


def ids_above(user: User, *, on: dt.date | None = None, after: int = 0, limit: int = PAGE) -> list[int]:
    """List accounts that were above the cap of a class when they were counted last, by id."""
    return [
        row[0] for row in class_sql.rows(class_sql.ABOVE, books=reach_of(user).books, on=on, after=after, limit=limit)
    ]


def page_above(user: User, *, on: dt.date | None = None, after: int = 0, limit: int = PAGE) -> Page:
    """Read a page of the list, as its accounts are now. Six queries, however many rows."""
    require_permission(user, "trading.view_leveragecap")
    ids = ids_above(user, on=on, after=after, limit=limit + 1)
    rows = classes_of(ids[:limit], user=user, on=on)
    return Page(rows, ids[limit - 1] if len(ids) > limit else None)


def classes_above(user: User, *, on: dt.date | None = None) -> list[ClassAbove]:
    """Read the first page of the list."""
    return page_above(user, on=on).rows


def classes_of(ids: Sequence[int], *, user: Actor, on: dt.date | None = None) -> list[ClassAbove]:
    """List on which classes these accounts have too much, a row for each class. Four queries."""
    breaches = []
    rows = class_sql.rows(class_sql.CLASSES, books=reach_of(user).books, on=on, ids=ids) if ids else []
    accounts = TradingAccount.objects.select_related("client__brand", "account_type", "server").in_bulk(
        {row[0] for row in rows}
    )
    lines = LeverageCap.objects.in_bulk({row[2] for row in rows})
    margins = of_groups((entry.server_id, entry.group) for entry in accounts.values())
    for pk, sort, line_id, place in rows:
        account, line = accounts[pk], lines[line_id]
        if margin := margins.get((account.server_id, account.group), {}).get(sort):
            cap = Cap(line.leverage, line, place, is_by_licence=place != account.client.country)
            breaches.append(ClassAbove(account, sort, cap, margin))
    return breaches


def not_comparable(user: User, *, on: dt.date | None = None, limit: int = GROUPS_MAX) -> list[Unclear]:
    """List where accounts have caps of classes that nothing can be compared with, or only a part. Four queries."""
    require_permission(user, "trading.view_leveragecap")
    values: dict[str, Any] = {"books": reach_of(user).books, "on": on, "limit": limit}
    rows, silent = class_sql.rows(class_sql.UNCLEAR, **values), class_sql.rows(class_sql.SILENT, **values)
    servers = TradingServer.objects.in_bulk({row[0] for row in (*rows, *silent)})
    margins = of_groups((row[0], row[1]) for row in rows)
    unclear: dict[tuple[int, str, str], Unclear] = {}
    for server_id, group, sort, accounts in rows:
        margin = margins.get((server_id, group), {}).get(sort)
        if margin:
            key = (server_id, group, margin.unclear_words)
            entry = unclear.get(key, Unclear(servers[server_id], group, (), 0, key[2]))
            unclear[key] = replace(entry, sorts=(*entry.sorts, sort), accounts=max(entry.accounts, int(accounts)))
    quiet = [Unclear(servers[pk], "", (), int(accounts), _untold(servers[pk].kind)) for pk, accounts in silent]
    return [*unclear.values(), *quiet]


def _untold(kind: str) -> str:
    """Explain why nothing is known of a server's classes, and what is missing."""
    missing = {
        PlatformKind.MT5: _("Its symbols or groups haven't been read yet, or none of its symbols is mapped."),
        PlatformKind.MT4: _(
            "Missing: margin percentages of symbols and groups. The manager bridge isn't known to report them."
        ),
        PlatformKind.CTRADER: _(
            "Missing: tiers of leverage profiles. The platform's known interfaces don't report them."
        ),
        PlatformKind.MATCHTRADER: _("Missing: symbol margins per group. The Broker API doesn't describe them."),
        PlatformKind.SIRIX: _("Missing: groups, symbols and margins. The platform doesn't list them."),
    }.get(PlatformKind(kind), "")
    explanation = _("The account's cap is applied, but its instrument classes can't be checked.")
    return f"{explanation} {missing}".strip()


# ── questions about the platform ─────────────────────────────────────────────────────────────────────────────────────


def watch() -> int:
    """Open a question for each class of a server by which some account gets more than it may; close those that are healed.

    A question that a person closed stays closed while it is about the same: no further group, and no other figures. Returns how
    many there are.
    """
    account_groups.refresh()
    rows = class_sql.rows(class_sql.BY_GROUP, books=None, limit=WATCHED_MAX)
    findings = _findings(rows)
    asked = PlatformIssue.objects.filter(kind=IssueKind.CLASS_CAP)
    waiting = {(issue.server_id, issue.subject): issue.details for issue in asked.filter(closed_at__isnull=True)}
    decided = {
        (issue.server_id, issue.subject): issue.details
        for issue in asked.filter(closed_by__isnull=False).order_by("closed_at")
    }
    for key, finding in findings.items():
        if key in waiting and not _covers(waiting[key], finding):
            _settle(key, _("The group's margin or the applicable cap has changed."))
        elif key not in waiting and key in decided and _covers(decided[key], finding):
            continue
        issues.open_issue(server_id=key[0], kind=IssueKind.CLASS_CAP, subject=key[1], details=finding)
    if len(rows) < WATCHED_MAX:
        for key in waiting.keys() - findings.keys():
            _settle(key, _("All open accounts are within their caps again."))
    return len(findings)


def _findings(rows: Sequence[tuple[Any, ...]]) -> dict[tuple[int, str], dict[str, Any]]:
    """Group by server and class: the groups, and the figures of the one that goes farthest beyond its cap."""
    margins, worst = of_groups((row[0], row[1]) for row in rows), dict[tuple[int, str], Decimal]()
    findings: dict[tuple[int, str], dict[str, Any]] = {}
    for server_id, group, sort, cap, leverage in rows:
        most, symbol = margins[server_id, group][sort].at(leverage)
        finding = findings.setdefault((server_id, sort), {"groups": [], "needed": {}})
        finding["groups"].append(group)
        finding["needed"][group] = needed(margins[server_id, group][sort], leverage, cap)
        beyond = most / cap if cap else Decimal("Infinity")
        if beyond > worst.get((server_id, sort), Decimal(-1)):
            worst[server_id, sort] = beyond
            finding |= {"cap": cap, "most": words_of(most), "symbol": symbol}
    return findings


def _covers(asked: dict[str, Any], finding: dict[str, Any]) -> bool:
    same = all(asked[name] == finding[name] for name in ("cap", "most", "symbol"))
    return same and set(finding["groups"]) <= set(asked["groups"])


def _settle(key: tuple[int, str], resolution: str) -> None:
    issues.settle(server_id=key[0], kind=IssueKind.CLASS_CAP, subject=key[1], actor=None, resolution=resolution)
