"""The sales agent's home: calls, first deposits, net deposits, time to first contact, and the funnel of this month's leads."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.choices import Stage
from clients.filters import start_of
from clients.queries import clients_visible_to
from crm.i18n import formats
from crm.models import User
from crm.ui.cards import FunnelCard, funnel_steps
from crm.ui.kpis import Kpi
from reports.homes.month import own_month, rank_of, targets_of
from reports.homes.parts import contact_kpi, ftd_kpi, joined, net_kpi, of_target, rank_text, time_text


def calls_today(user: User) -> Kpi:
    """Make the card of today's calls against the target, beside the agent's usual day."""
    month = own_month(user)
    now = month.on(month.today, user.pk).calls
    days = month.days(month.today - dt.timedelta(days=14), month.today - dt.timedelta(days=1), user.pk)
    worked = [sums.calls for sums in days if sums.calls]
    target = targets_of(user, month.first).get("calls")
    return Kpi(
        label=_("Calls today"),
        value=formats.number(now, 0),
        url=reverse("my_day"),
        icon="phone-call",
        now=now,
        before=round(sum(worked) / len(worked)) if worked else None,
        versus=_("vs usual day"),
        is_more_better=None,  # a day in progress beside a whole one
        target=target,
        target_text=of_target(formats.number(now, 0), formats.number(target, 0)) if target else "",
        hint="" if target else _("%(count)s this month") % {"count": formats.number(month.now(user.pk).calls, 0)},
        trend=month.curve("calls", user.pk),
    )


def my_ftds(user: User) -> Kpi:
    """Make the card of the agent's first deposits this month, with registrations and rank."""
    month = own_month(user)
    count = month.now(user.pk).registrations
    registered = ngettext("%(count)s registration", "%(count)s registrations", count) % {"count": count}
    scores = {owner: sums.first_deposits for owner, sums in month.owners().items()}
    url = _clients(user, paid_in_from=month.first.isoformat())
    target = targets_of(user, month.first).get("first_deposits")
    return ftd_kpi(month, user.pk, target, url, joined(registered, rank_text(rank_of(user.pk, scores))))


def my_net_deposits(user: User) -> Kpi:
    """Make the card of the agent's net deposits this month, with the rank on the desk."""
    month = own_month(user)
    scores = {owner: sums.net for owner, sums in month.owners().items()}
    url = _clients(user, has_paid_in="1", sort="-net_deposits")
    target = targets_of(user, month.first).get("net_deposits")
    return net_kpi(month, user.pk, target, url, rank_text(rank_of(user.pk, scores)))


def my_first_contact(user: User) -> Kpi:
    """Make the card of the agent's time to first contact beside the desk's."""
    month = own_month(user)
    desk = month.now().speed
    hint = _("Desk: %(time)s") % {"time": time_text(desk)} if desk is not None else ""
    url = f"{reverse('leads')}?{urlencode({'owner': user.pk, 'is_contacted': '0'})}"
    return contact_kpi(month, user.pk, url, hint)


def _clients(user: User, **query: str) -> str:
    return f"{reverse('clients')}?{urlencode({'owner': user.pk, **query})}"


# What each step of the funnel asks of a client of this month: the list's filter, and the same as a condition.
STEPS: tuple[tuple[dict[str, str], Q], ...] = (
    ({}, Q()),
    ({"is_contacted": "1"}, Q(last_contact_at__isnull=False)),
    ({"registered_from": "month"}, Q(registered_at__isnull=False)),
    ({"is_verified": "1"}, Q(kyc_level__gte=1)),
    ({"has_paid_in": "1"}, Q(first_deposit_at__isnull=False)),
)


def funnel(user: User) -> FunnelCard:
    """Count how far this month's leads of the agent's book have come; every bar opens its people."""
    month = own_month(user)
    mine = clients_visible_to(user).filter(owner=user, created_at__gte=start_of(month.first)).order_by()
    counts = mine.aggregate(**{f"step_{n}": Count("pk", filter=where) for n, (_query, where) in enumerate(STEPS)})
    labels = [_("Leads"), _("Contacted"), _("Registered"), _("Verified"), _("FTD")]
    everybody = [("stage", stage) for stage in Stage.values]
    steps = []
    for number, (label, (chosen, _where)) in enumerate(zip(labels, STEPS, strict=True)):
        first = month.first.isoformat()
        query = [*everybody, ("owner", user.pk), ("created_from", first)]
        query += [(name, first if value == "month" else value) for name, value in chosen.items()]
        steps.append((label, counts[f"step_{number}"], f"{reverse('clients')}?{urlencode(query)}"))
    return FunnelCard(
        title=_("My leads this month"),
        steps=funnel_steps(steps),
        note=_("How far the people who came this month are today. Click a bar to see them."),
    )
