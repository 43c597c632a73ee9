"""The dashboards: sales, money, compliance, partners. Figures with their change, charts and lists for what the filter bar chose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from clients.countries import country_name
from crm.i18n import formats
from crm.models import User
from crm.ui.cards import FunnelStep, funnel_steps
from crm.ui.charts import Chart, Number, Series
from crm.ui.kpis import Kpi
from reports import cohorts, figures, origins, people, queries
from reports.figures import Totals
from reports.filters import Selection
from reports.links import Links
from reports.performance.definitions import SHORT
from reports.texts import time_text, whole_money

COUNTRIES = 10
AGENTS = 10
CHART_HEIGHT = 280


@dataclass
class CountryRow:
    """What one country brought. `share` is the bar: per cent of the first country's leads."""

    code: str
    name: str
    share: int
    totals: Totals
    net: str
    leads_url: str
    registered_url: str
    paid_in_url: str


@dataclass
class Board:
    """One dashboard: figures on top, then what it has of charts, funnel, countries, agents and cohorts."""

    slug: str
    title: str
    kpis: Sequence[Kpi]
    charts: Sequence[Chart] = ()
    funnel: Sequence[FunnelStep] = ()
    countries: Sequence[CountryRow] = ()
    agents: people.Ranking | None = None
    heat: Sequence[cohorts.HeatTable] = ()
    measure: str = ""
    ages: Sequence[queries.Age] = ()


@dataclass
class Sheet:
    """What the parts of a board read: the totals of each day, of the period, and of the period it is compared with."""

    user: User
    selection: Selection
    today: dt.date
    measure: str = cohorts.SHARE
    by_day: dict[dt.date, Totals] = field(default_factory=dict)
    total: Totals = field(default_factory=Totals)
    before: Totals | None = None

    def __post_init__(self) -> None:
        self.links = Links.of(self.user, self.selection)

    def read(self) -> Sheet:
        """Read the figures of the period and of the one before: two statements."""
        chosen = self.selection
        self.by_day = origins.sum_by(origins.days_of(chosen, chosen.span), "day")
        self.total = figures.add_up(self.by_day.values())
        if chosen.before:
            self.before = figures.add_up(origins.sum_by(origins.days_of(chosen, chosen.before), "brand_id").values())
        return self

    def course(self, value: Callable[[Totals], Number]) -> list[Number]:
        """Return one figure of each day of the period."""
        return [value(self.by_day.get(day, Totals())) for day in self.selection.span.days]

    def kpi(self, label: str, value: Callable[[Totals], Number], shown: Callable[[Any], str], **more: Any) -> Kpi:
        """Make the card of one figure, compared with the same figure of the period before."""
        now = value(self.total)
        return Kpi(
            label=label,
            value=shown(now),
            now=now,
            before=value(self.before) if self.before else None,
            versus=self.selection.versus,
            **{"trend": self.course(value), **more},
        )


def _count(value: Any) -> str:
    return formats.number(value, 0)


def _share(part: int, whole: int) -> str:
    return f"{formats.number(Decimal(100 * part) / whole, 1)} %" if whole else ""


def sales_kpis(sheet: Sheet) -> list[Kpi]:
    """Make the cards of leads, registrations, first deposits, calls, time to first contact and net deposits."""
    total, links = sheet.total, sheet.links
    contacted = _share(total.touched, total.leads)
    rate = _share(total.first_deposits, total.leads) if total.conversion is not None else ""
    return [
        sheet.kpi(
            _("Leads"),
            lambda t: t.leads,
            _count,
            icon="user-plus",
            url=links.seen(),
            hint=_("%(share)s contacted") % {"share": contacted} if contacted else "",
        ),
        sheet.kpi(_("Registrations"), lambda t: t.registrations, _count, icon="user-check", url=links.registered()),
        sheet.kpi(
            _("FTDs"), lambda t: t.first_deposits, _count, icon="circle-dollar-sign", url=links.paid_in(), tone="teal"
        ),
        Kpi(
            _("Lead to FTD"),
            rate or "–",
            url=links.paid_in(),
            icon="target",
            tone="teal",
            now=total.conversion,
            before=sheet.before.conversion if sheet.before else None,
            versus=sheet.selection.versus,
        ),
        sheet.kpi(
            _("Time to first contact"),
            lambda t: t.speed_seconds,
            time_text,
            icon="timer",
            tone="accent",
            is_more_better=False,
            trend=(),
            url=links.seen(is_contacted="0"),
            hint=_("%(late)s leads reassigned late") % {"late": _count(total.late)} if total.late else "",
        ),
        *(net_kpi(sheet, code) for code in sheet.selection.currencies),
        sheet.kpi(_("Calls"), lambda t: t.calls, _count, icon="phone", is_more_better=None),
    ]


def net_kpi(sheet: Sheet, code: str) -> Kpi:
    """Make the card of net deposits in one currency."""
    several = len(sheet.selection.currencies) > 1
    refunds = origins.deposits_of(sheet.total, code, "reversals")
    return sheet.kpi(
        _("Net deposits %(currency)s") % {"currency": code} if several else _("Net deposits"),
        lambda t: origins.net_of(t, code),
        lambda amount: whole_money(Decimal(amount), code),
        icon="scale",
        tone="success" if origins.net_of(sheet.total, code) >= 0 else "danger",
        url=sheet.links.deposited(),
        hint=_("after %(amount)s in refunds and chargebacks") % {"amount": whole_money(refunds, code)}
        if refunds
        else "",
    )


def sales(sheet: Sheet) -> Board:
    """Build the sales board: what comes in by day, how far people come, from where, by whom, and what cohorts pay."""
    sheet.read()
    return Board(
        "sales",
        _("Sales"),
        sales_kpis(sheet),
        [
            Chart(
                id="leads-by-day",
                title=_("Leads, registrations and FTDs by day"),
                x=sheet.selection.span.days,
                series=[
                    Series(_("Leads"), sheet.course(lambda t: t.leads), kind="bars", decimals=0),
                    Series(_("Registrations"), sheet.course(lambda t: t.registrations), tone="warning", decimals=0),
                    Series(_("FTDs"), sheet.course(lambda t: t.first_deposits), tone="teal", decimals=0),
                ],
                height=CHART_HEIGHT,
                urls=sheet.links.seen_on(sheet.selection.span.days),
            )
        ],
        funnel=funnel_of(sheet.total, sheet.links),
        countries=countries_of(sheet),
        agents=_agents(sheet),
        heat=_heat(sheet),
        measure=sheet.measure,
    )


def funnel_of(total: Totals, links: Links, **filters: str) -> list[FunnelStep]:
    """Make the funnel of the people first seen in the period: how far each has come so far. Every step opens its list."""
    return funnel_steps(
        [
            (_("Leads"), total.seen, links.seen(**filters)),
            (_("Contacted"), total.seen_contacted, links.seen(is_contacted="1", **filters)),
            (_("Registered"), total.seen_registered, links.seen(is_registered="1", **filters)),
            (_("Verified"), total.seen_verified, links.seen(is_verified="1", **filters)),
            (_("FTD"), total.seen_funded, links.seen(has_paid_in="1", **filters)),
            (_("Active"), total.seen_active, links.seen(has_traded="1", **filters)),
        ]
    )


def countries_of(sheet: Sheet) -> list[CountryRow]:
    """List the countries with the most leads of the period, each figure with its list."""
    chosen, links = sheet.selection, sheet.links
    found = origins.sum_by(origins.days_of(chosen, chosen.span), "country")
    best = sorted(found, key=lambda code: (-found[code].leads, -found[code].first_deposits, code))[:COUNTRIES]
    most = max((found[code].leads for code in best), default=0)
    return [
        CountryRow(
            code=code,
            name=country_name(code) if code else _("Unknown"),
            share=round(100 * found[code].leads / most) if most else 0,
            totals=found[code],
            net=" · ".join(
                whole_money(amount, currency) for currency, amount in sorted(found[code].net.items()) if amount
            ),
            leads_url=links.seen(country=code) if code else "",
            registered_url=links.registered(country=code) if code else "",
            paid_in_url=links.paid_in(country=code) if code else "",
        )
        for code in best
        if found[code].leads or found[code].registrations or found[code].first_deposits
    ]


def _agents(sheet: Sheet) -> people.Ranking | None:
    if not sheet.user.has_perm("reports.view_performance"):
        return None
    return people.ranking(sheet.selection, sheet.links, by="agent", shown=SHORT, limit=AGENTS)


def _heat(sheet: Sheet) -> list[cohorts.HeatTable]:
    return cohorts.heat_tables(sheet.selection, sheet.links, sheet.today, sheet.measure)


def money(sheet: Sheet) -> Board:
    """Build the money board: deposits, withdrawals and net per currency and day, never added across currencies."""
    sheet.read()
    kpis: list[Kpi] = []
    charts: list[Chart] = []
    for code in sheet.selection.currencies:
        kpis += _money_kpis(sheet, code)
        charts.append(_money_chart(sheet, code))
    return Board("money", _("Money"), kpis, charts, heat=_heat(sheet), measure=sheet.measure)


def _money_kpis(sheet: Sheet, code: str) -> list[Kpi]:
    def shown(amount: Any) -> str:
        return whole_money(Decimal(amount), code)

    return [
        sheet.kpi(
            _("Deposits %(currency)s") % {"currency": code},
            lambda t: origins.deposits_of(t, code),
            shown,
            icon="wallet",
            tone="teal",
            url=sheet.links.deposited(),
        ),
        sheet.kpi(
            _("Withdrawals %(currency)s") % {"currency": code},
            lambda t: origins.deposits_of(t, code, "withdrawals"),
            shown,
            icon="hand-coins",
            tone="warning",
            is_more_better=None,
        ),
        net_kpi(sheet, code),
        sheet.kpi(_("FTDs"), lambda t: t.first_deposits, _count, icon="circle-dollar-sign", url=sheet.links.paid_in())
        if code == sheet.selection.currencies[0]
        else sheet.kpi(
            _("Refunds and chargebacks %(currency)s") % {"currency": code},
            lambda t: origins.deposits_of(t, code, "reversals"),
            shown,
            icon="undo-2",
            is_more_better=False,
        ),
    ]


def _money_chart(sheet: Sheet, code: str) -> Chart:
    def out(name: str) -> list[Number]:
        return sheet.course(lambda t: -origins.deposits_of(t, code, name))

    return Chart(
        id=f"money-{code.lower()}",
        title=_("Deposits and withdrawals by day, %(currency)s") % {"currency": code},
        x=sheet.selection.span.days,
        series=[
            Series(
                _("Deposits"), sheet.course(lambda t: origins.deposits_of(t, code)), kind="bars", tone="teal", unit=code
            ),
            Series(_("Withdrawals"), out("withdrawals"), kind="bars", tone="warning", unit=code),
            Series(_("Refunds and chargebacks"), out("reversals"), kind="bars", tone="danger", unit=code),
            Series(_("Net"), sheet.course(lambda t: origins.net_of(t, code)), tone="neutral", unit=code),
        ],
        height=CHART_HEIGHT,
        is_stacked=True,
        urls=sheet.links.deposited_on(sheet.selection.span.days),
    )


def compliance(sheet: Sheet) -> Board:
    """Build the compliance board: the documents that wait for review, by age."""
    ages = queries.queue_ages(sheet.user, brand=sheet.selection.brand)
    waiting = sum(age.count for age in ages)
    return Board(
        "compliance",
        _("Compliance"),
        [
            Kpi(_("Documents to review"), _count(waiting), icon="file-check"),
            Kpi(
                _("Waiting over three days"),
                _count(ages[-1].count),
                icon="hourglass",
                tone="danger" if ages[-1].count else "",
            ),
        ],
        ages=ages,
    )


def partners(sheet: Sheet) -> Board:
    """Build the partners board: commissions per currency and day."""
    chosen = sheet.selection
    now = queries.commissions_per_day(sheet.user, chosen.span.first, chosen.span.last, brand=chosen.brand)
    before = chosen.before
    earlier = queries.commissions_per_day(sheet.user, before.first, before.last, brand=chosen.brand) if before else {}
    kpis, charts = [], []
    for currency in sorted({*now, *earlier}):
        values = [now.get(currency, {}).get(day, Decimal(0)) for day in chosen.span.days]
        total = sum(values, Decimal(0))
        kpis.append(
            Kpi(
                _("Commissions %(currency)s") % {"currency": currency},
                whole_money(total, currency),
                icon="coins",
                now=total,
                before=sum(earlier.get(currency, {}).values(), Decimal(0)) if before else None,
                versus=chosen.versus,
                is_more_better=None,
                trend=values,
                tone="accent",
            )
        )
        charts.append(
            Chart(
                id=f"commissions-{currency.lower()}",
                title=_("Partner commissions by day, %(currency)s") % {"currency": currency},
                x=chosen.span.days,
                series=[Series(_("Commissions"), values, kind="bars", tone="accent", unit=currency)],
                height=CHART_HEIGHT,
            )
        )
    return Board("partners", _("Partners"), kpis, charts)


@dataclass(frozen=True)
class BoardKind:
    """Who may open a board, how it is made, and what its filter bar offers."""

    permission: str
    make: Callable[[Sheet], Board]
    narrows: tuple[str, ...] = ("brand", "desk", "country", "campaign")
    has_period: bool = True


BOARDS = {
    "sales": BoardKind("reports.view_sales", sales),
    "money": BoardKind("reports.view_money", money),
    "compliance": BoardKind("reports.view_compliance", compliance, ("brand",), has_period=False),
    "partners": BoardKind("ib.view_settlement", partners, ("brand",)),
}


def boards_for(user: User) -> list[str]:
    """List the boards that the user's role may open, in their order on the page."""
    return [slug for slug, kind in BOARDS.items() if user.has_perm(kind.permission)]
