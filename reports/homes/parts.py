"""What the cards of several role homes are made of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from crm.i18n import formats
from crm.ui.charts import Chart, Series
from crm.ui.kpis import Kpi
from reports.homes.month import Month, Sums
from reports.texts import time_text as time_text
from reports.texts import whole_money as whole_money

COUNT_MAX = 1_000


def of_target(now: str, target: str) -> str:
    """Say how much of a target is reached: "12 of 40"."""
    return _("%(now)s of %(target)s") % {"now": now, "target": target}


def ftd_kpi(month: Month, owner_id: int | None, target: Decimal | None, url: str, hint: str) -> Kpi:
    """Make the card of this month's first deposits."""
    now = month.now(owner_id).first_deposits
    return Kpi(
        label=_("FTDs this month"),
        value=formats.number(now, 0),
        url=url,
        icon="circle-dollar-sign",
        now=now,
        before=month.before(owner_id).first_deposits,
        versus=_("vs last month to date"),
        target=target,
        target_text=of_target(formats.number(now, 0), formats.number(target, 0)) if target else "",
        hint=hint,
        trend=month.curve("first_deposits", owner_id),
        tone="teal",
    )


def net_kpi(month: Month, owner_id: int | None, target: Decimal | None, url: str, hint: str) -> Kpi:
    """Make the card of this month's net deposits."""
    now = month.now(owner_id).net
    return Kpi(
        label=_("Net deposits this month"),
        value=whole_money(now, month.currency),
        url=url,
        icon="scale",
        now=now,
        before=month.before(owner_id).net,
        versus=_("vs last month to date"),
        target=target,
        target_text=of_target(whole_money(now, month.currency), whole_money(target, month.currency)) if target else "",
        hint=hint,
        trend=month.curve("net", owner_id),
        tone="success" if now >= 0 else "danger",
    )


def contact_kpi(month: Month, owner_id: int | None, url: str, hint: str) -> Kpi:
    """Make the card of the time from a lead's assignment to the first contact: less is better."""
    now = month.now(owner_id).speed
    return Kpi(
        label=_("Time to first contact"),
        value=time_text(now),
        url=url,
        icon="timer",
        now=now,
        before=month.before(owner_id).speed,
        versus=_("vs last month to date"),
        is_more_better=False,
        hint=hint,
        trend=[float(sums.speed or 0) for sums in _last_days(month, owner_id)],
        tone="accent",
    )


def _last_days(month: Month, owner_id: int | None) -> list[Sums]:
    return month.days(month.today - dt.timedelta(days=13), month.today, owner_id)


def rank_text(rank: tuple[int, int] | None) -> str:
    """Say the place on the desk: "Rank 2 of 14", "" where there is none."""
    return _("Rank %(place)s of %(count)s") % {"place": rank[0], "count": rank[1]} if rank else ""


def joined(*parts: str) -> str:
    """Join what there is of a card's remarks."""
    return " · ".join(part for part in parts if part)


def sales_chart(month: Month, id_: str) -> Chart:
    """Draw leads, registrations and first deposits of the last thirty days."""
    first = max(month.today - dt.timedelta(days=29), month.first_before)
    days = month.days(first, month.today)
    return Chart(
        id=id_,
        x=[first + dt.timedelta(days=number) for number in range(len(days))],
        series=[
            Series(_("Leads"), [sums.leads for sums in days], kind="bars", decimals=0),
            Series(_("Registrations"), [sums.registrations for sums in days], tone="warning", decimals=0),
            Series(_("FTDs"), [sums.first_deposits for sums in days], tone="teal", decimals=0),
        ],
        height=280,
    )


def net_by_day_chart(month: Month, owner_id: int | None, id_: str) -> Chart:
    """Draw this month's net deposits by day as bars over the whole month, with the month before as a line."""
    last = (month.first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
    now: Sequence[Sums] = month.days(month.first, month.today, owner_id)
    before = month.days(month.first_before, month.first - dt.timedelta(days=1), owner_id)
    count = last.day
    return Chart(
        id=id_,
        x=[month.first + dt.timedelta(days=number) for number in range(count)],
        series=[
            Series(
                _("This month"),
                [now[number].net if number < len(now) else None for number in range(count)],
                kind="bars",
                tone="teal",
                unit=month.currency,
            ),
            Series(
                _("Last month"),
                [before[number].net if number < len(before) else None for number in range(count)],
                tone="neutral",
                unit=month.currency,
            ),
        ],
        height=280,
    )
