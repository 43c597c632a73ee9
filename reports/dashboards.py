"""The dashboards: sales, money, compliance, partners. Each is a few charts over the day figures."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from crm.i18n import formats
from crm.models import User
from crm.ui.charts import Chart, Series
from reports import figures, queries
from reports.figures import Totals

DAYS = 30


@dataclass
class Stat:
    label: str
    value: str
    hint: str = ""
    icon: str = ""
    trend: list[Any] = field(default_factory=list)


@dataclass
class Board:
    """One dashboard: figures on top, charts below."""

    slug: str
    title: str
    stats: list[Stat]
    charts: list[Chart]
    ages: list[queries.Age] = field(default_factory=list)


def period(user: User, days: int = DAYS) -> tuple[figures.Reach, list[dt.date], dict[dt.date, Totals]]:
    """Return the user's reach, the days, and the totals of each day."""
    reach = queries.reach_of_reports(user)
    last = figures.today_of(reach.brands)
    span = figures.days_until(last, days)
    return reach, span, figures.per_day(reach, span[0], last)


def sales(user: User, days: int = DAYS) -> Board:
    """Build the sales board: leads, time to first contact and first deposits per day within the user's reach."""
    _reach, span, by_date = period(user, days)
    total, today = figures.add_up(by_date.values()), by_date.get(span[-1], Totals())
    leads = [by_date.get(day, Totals()).leads for day in span]
    ftds = [by_date.get(day, Totals()).first_deposits for day in span]
    registered = [by_date.get(day, Totals()).registrations for day in span]
    speed = total.speed_seconds
    return Board(
        "sales",
        _("Sales"),
        [
            Stat(
                _("Leads today"),
                formats.number(today.leads, 0),
                _("%(count)s in %(days)s days") % {"count": formats.number(total.leads, 0), "days": days},
                "user-plus",
                leads,
            ),
            Stat(
                _("Time to first contact"),
                formats.duration(speed) if speed is not None else "–",
                _("%(late)s unanswered leads reassigned") % {"late": formats.number(total.late, 0)},
                "timer",
            ),
            Stat(
                _("First deposits"),
                formats.number(total.first_deposits, 0),
                _("%(count)s registrations") % {"count": formats.number(total.registrations, 0)},
                "circle-dollar-sign",
                ftds,
            ),
            Stat(
                _("Lead-to-deposit rate"),
                f"{formats.number(total.conversion, 1)} %" if total.conversion is not None else "–",
                _("%(count)s calls") % {"count": formats.number(total.calls, 0)},
                "target",
            ),
        ],
        [
            Chart(
                id="leads-by-day",
                title=_("Leads and registrations by day"),
                x=span,
                series=[
                    Series(_("Leads"), leads, kind="bars", decimals=0),
                    Series(_("Registrations"), registered, tone="success", decimals=0),
                ],
            ),
            Chart(
                id="ftd-by-day",
                title=_("First deposits by day"),
                x=span,
                series=[Series(_("First deposits"), ftds, kind="bars", tone="teal", decimals=0)],
            ),
        ],
    )


def money(user: User, days: int = DAYS) -> Board:
    """Build the money board: deposits, withdrawals and net per currency and day, never added across currencies."""
    _reach, span, by_date = period(user, days)
    total = figures.add_up(by_date.values())
    stats, charts = [], []
    for currency, sums in sorted(total.money.items()):
        by_day = [by_date.get(day, Totals()).money.get(currency, {}) for day in span]
        net = [
            d.get("deposits", Decimal(0)) - d.get("withdrawals", Decimal(0)) - d.get("reversals", Decimal(0))
            for d in by_day
        ]
        stats += [
            Stat(
                _("Deposits %(currency)s") % {"currency": currency},
                formats.money(sums["deposits"], currency),
                "",
                "wallet",
                [d.get("deposits", 0) for d in by_day],
            ),
            Stat(
                _("Withdrawals %(currency)s") % {"currency": currency},
                formats.money(sums["withdrawals"], currency),
                "",
                "hand-coins",
                [d.get("withdrawals", 0) for d in by_day],
            ),
            Stat(
                _("Net %(currency)s") % {"currency": currency},
                formats.money(total.net[currency], currency),
                _("after %(amount)s in refunds and chargebacks")
                % {"amount": formats.money(sums["reversals"], currency)},
                "scale",
                net,
            ),
        ]
        charts.append(
            Chart(
                id=f"money-{currency.lower()}",
                title=_("Deposits and withdrawals by day, %(currency)s") % {"currency": currency},
                x=span,
                series=[
                    Series(
                        _("Deposits"), [d.get("deposits", 0) for d in by_day], kind="bars", tone="teal", unit=currency
                    ),
                    Series(_("Withdrawals"), [d.get("withdrawals", 0) for d in by_day], tone="warning", unit=currency),
                    Series(_("Net"), net, tone="neutral", unit=currency),
                ],
            )
        )
    return Board("money", _("Money"), stats, charts)


def compliance(user: User) -> Board:
    """Build the compliance board: the documents that wait for review, by age."""
    ages = queries.queue_ages(user)
    waiting = sum(age.count for age in ages)
    return Board(
        "compliance",
        _("Compliance"),
        [
            Stat(_("Documents to review"), formats.number(waiting, 0), "", "file-check"),
            Stat(_("Waiting over three days"), formats.number(ages[-1].count, 0), "", "hourglass"),
        ],
        [],
        ages,
    )


def partners(user: User, days: int = DAYS) -> Board:
    """Build the partners board: commissions per currency and day."""
    _reach, span, _found = period(user, 1)
    span = figures.days_until(span[-1], days)
    commissions = queries.commissions_per_day(user, span[0], span[-1])
    stats, charts = [], []
    for currency, per_day in sorted(commissions.items()):
        values = [per_day.get(day, Decimal(0)) for day in span]
        whole = sum(values, Decimal(0)).quantize(Decimal("0.01"))
        stats.append(
            Stat(
                _("Commissions %(currency)s") % {"currency": currency},
                formats.money(whole, currency),
                "",
                "coins",
                values,
            )
        )
        charts.append(
            Chart(
                id=f"commissions-{currency.lower()}",
                title=_("Partner commissions by day, %(currency)s") % {"currency": currency},
                x=span,
                series=[Series(_("Commissions"), values, kind="bars", tone="accent", unit=currency)],
            )
        )
    return Board("partners", _("Partners"), stats, charts)


# slug → (permission, board)
BOARDS = {
    "sales": ("reports.view_sales", sales),
    "money": ("reports.view_money", money),
    "compliance": ("reports.view_compliance", compliance),
    "partners": ("ib.view_settlement", partners),
}


def boards_for(user: User) -> list[str]:
    """List the boards that the user's role may open, in their order on the page."""
    return [slug for slug, (permission, _board) in BOARDS.items() if user.has_perm(permission)]
