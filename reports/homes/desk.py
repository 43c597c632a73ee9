"""The desk head's home: the desk's leads, first deposits and money against their targets, and who brings them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.i18n import formats
from crm.models import User
from crm.ui.cards import ChartCard, ListCard, ListRow
from crm.ui.kpis import Kpi
from reports import queries
from reports.homes.month import reached_month, targets_of
from reports.homes.parts import contact_kpi, ftd_kpi, joined, net_kpi, sales_chart, whole_money

ROWS = 6


def _targets(user: User) -> dict[str, Decimal]:
    month = reached_month(user)
    return targets_of(user, month.first, desks=queries.reach_of_reports(user).desks)


def leads_today(user: User) -> Kpi:
    """Make the card of today's leads, beside the same weekday a week ago."""
    month = reached_month(user)
    now = month.on(month.today)
    return Kpi(
        label=_("Leads today"),
        value=formats.number(now.leads, 0),
        url=f"{reverse('leads')}?created_from={month.today.isoformat()}",
        icon="user-plus",
        now=now.leads,
        before=month.on(month.today - dt.timedelta(days=7)).leads,
        versus=_("vs a week ago"),
        is_more_better=None,  # a day in progress beside a whole one
        hint=_("%(count)s contacted") % {"count": formats.number(now.touched, 0)},
        trend=month.curve("leads"),
    )


def ftds(user: User) -> Kpi:
    """Make the card of this month's first deposits against the desk's target."""
    month = reached_month(user)
    count = month.now().registrations
    hint = ngettext("%(count)s registration", "%(count)s registrations", count) % {"count": count}
    url = f"{reverse('clients')}?paid_in_from={month.first.isoformat()}"
    return ftd_kpi(month, None, _targets(user).get("first_deposits"), url, hint)


def net_deposits(user: User) -> Kpi:
    """Make the card of this month's net deposits against the desk's target."""
    month = reached_month(user)
    url = f"{reverse('clients')}?has_paid_in=1&sort=-net_deposits"
    return net_kpi(month, None, _targets(user).get("net_deposits"), url, "")


def first_contact(user: User) -> Kpi:
    """Make the card of how fast leads are contacted."""
    month = reached_month(user)
    late = month.now().late
    hint = ngettext("%(count)s lead reassigned", "%(count)s leads reassigned", late) % {"count": late}
    return contact_kpi(month, None, f"{reverse('leads')}?is_contacted=0", hint)


def sales_by_day(user: User) -> ChartCard:
    """Draw the leads, registrations and first deposits in reach by day."""
    return ChartCard(
        title=_("Leads, registrations and FTDs by day"),
        chart=sales_chart(reached_month(user), "home-sales-by-day"),
        url=reverse("reports_dashboard", args=["sales"]),
        url_text=_("Dashboard"),
    )


def ranking(user: User) -> ListCard:
    """List the agents in reach by their net deposits of this month, each with the course of a fortnight."""
    month = reached_month(user)
    owners = month.owners()
    best = sorted(owners, key=lambda owner: (-owners[owner].net, -owners[owner].first_deposits, owner))[:ROWS]
    people = User.objects.in_bulk(best)
    rows = []
    for owner in best:
        sums = owners[owner]
        count = sums.first_deposits
        rows.append(
            ListRow(
                title=str(people[owner]),
                url=f"{reverse('clients')}?owner={owner}&has_paid_in=1&sort=-net_deposits",
                note=joined(
                    ngettext("%(count)s FTD", "%(count)s FTDs", count) % {"count": count},
                    ngettext("%(count)s call", "%(count)s calls", sums.calls) % {"count": sums.calls},
                ),
                end=whole_money(sums.net, month.currency),
                tone="danger" if sums.net < 0 else "",
                is_person=True,
                trend=month.curve("calls", owner),
            )
        )
    return ListCard(
        title=_("Agents this month"),
        rows=rows,
        icon="users",
        url=reverse("reports_performance"),
        url_text=_("Performance"),
        empty=_("No figures yet"),
        empty_text=_("Figures are updated every five minutes."),
        empty_icon="chart-column",
    )
