"""Finance's home: today's deposits, and the money in and out by day, in one currency."""

from __future__ import annotations

import datetime as dt

from django.db.models import Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from crm.models import User
from crm.ui.cards import ChartCard
from crm.ui.charts import Chart, Series
from crm.ui.day_counts import CHART_DAYS, CURVE_DAYS
from crm.ui.kpis import Kpi, once_per_page
from reports import figures, queries
from wallet.core.rollup import Total, rollup_of

Flow = tuple[Total, Total, int]  # in, out, first deposits
NOTHING: Flow = (Total(), Total(), 0)


def _flows(user: User) -> tuple[list[dt.date], list[Flow]]:
    """Read the day figures of the last thirty days in reach, in the reader's currency."""

    def read() -> tuple[list[dt.date], list[Flow]]:
        reach, rollup = queries.reach_of_reports(user), rollup_of(user)
        days = figures.days_until(figures.today_of(reach.brands), CHART_DAYS)
        rows = figures.figures_of(reach, days[0], days[-1]).values_list("day", "brand__base_currency")
        flows: dict[dt.date, Flow] = {}
        for day, code, paid_in, paid_out, reversed_, first in rows.annotate(
            Sum("deposits"), Sum("withdrawals"), Sum("reversals"), Sum("first_deposits")
        ):
            came, went, ftds = flows.get(day, NOTHING)
            flows[day] = came + rollup.of(paid_in, code), went + rollup.of(paid_out + reversed_, code), ftds + first
        return days, [flows.get(day, NOTHING) for day in days]

    return once_per_page(user, "reports.flows", read)  # type: ignore[no-any-return]


def deposits_today(user: User) -> Kpi:
    """Make the card of today's deposits beside the same weekday a week ago."""
    days, flows = _flows(user)
    rollup = rollup_of(user)
    came, went, ftds = flows[-1]
    facts = _("%(count)s FTDs · %(out)s paid out") % {"count": ftds, "out": rollup.text(went)}
    return Kpi(
        label=_("Deposits today"),
        value=rollup.figure(came),
        url=f"{reverse('wallet:deposits')}?state=settled&settled_after={days[-1].isoformat()}",
        icon="wallet",
        now=came.amount,
        before=flows[-8][0].amount,
        versus=_("vs a week ago"),
        is_more_better=None,  # a day in progress beside a whole one
        hint=" · ".join(filter(None, (rollup.missing(came), facts))),
        trend=[came.amount for came, _went, _ftds in flows[-CURVE_DAYS:]],
        tone="teal",
    )


def money_by_day(user: User) -> ChartCard:
    """Draw what came in above the line and what went out below it, with the net."""
    days, flows = _flows(user)
    rollup = rollup_of(user)
    others = sorted(code for code, rate in rollup.rates.items() if rate)
    notes = []
    if others:
        notes.append(
            _("%(others)s converted to %(currency)s at today's reference rates. Out includes refunds and chargebacks.")
            % {"others": ", ".join(others), "currency": rollup.currency}
        )
    if missing := rollup.missing(sum((came + went for came, went, _n in flows), Total())):
        notes.append(_("The figures are %(missing)s.") % {"missing": missing})
    return ChartCard(
        title=_("Money in and out by day"),
        chart=Chart(
            id="home-money",
            x=days,
            series=[
                Series(
                    _("Money in"),
                    [came.amount for came, _went, _n in flows],
                    kind="bars",
                    tone="teal",
                    unit=rollup.currency,
                ),
                Series(
                    _("Money out"),
                    [-went.amount for _came, went, _n in flows],
                    kind="bars",
                    tone="warning",
                    unit=rollup.currency,
                ),
                Series(
                    _("Net"),
                    [came.amount - went.amount for came, went, _n in flows],
                    tone="neutral",
                    unit=rollup.currency,
                ),
            ],
            is_stacked=True,
            height=280,
        ),
        icon="arrow-left-right",
        url=reverse("reports_dashboard", args=["money"]),
        url_text=_("Dashboard"),
        note=" ".join(notes),
    )
