"""The sales agent's home: calls, first deposits, net deposits, time to first contact, and the funnel of this month's leads."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlencode

from django.db.models import Sum
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.choices import Stage
from crm.i18n import formats
from crm.models import User
from crm.ui.cards import FunnelCard, ListCard, ListRow, funnel_steps
from crm.ui.kpis import Kpi
from leads.brand_policies import LEADERBOARD_FOR_AGENTS
from reports.homes.month import own_month, rank_of, targets_of
from reports.homes.parts import contact_kpi, ftd_kpi, joined, net_kpi, of_target, rank_text, time_text
from reports.models import OriginDay


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


# The steps of the funnel: the figure of the people first seen on a day, and the list's filter for it.
STEPS: tuple[tuple[str, dict[str, str]], ...] = (
    ("seen", {}),
    ("seen_contacted", {"is_contacted": "1"}),
    ("seen_registered", {"registered_from": "month"}),
    ("seen_verified", {"is_verified": "1"}),
    ("seen_funded", {"has_paid_in": "1"}),
)


def funnel(user: User) -> FunnelCard:
    """Count how far the people have come who came to the agent this month, whoever looks after them now.

    Every bar opens those who are the agent's today.
    """
    month = own_month(user)
    came = OriginDay.objects.filter(owner=user, day__range=(month.first, month.today)).order_by()
    counts = came.aggregate(**{name: Sum(name, default=0) for name, _filter in STEPS})
    labels = [_("Leads"), _("Contacted"), _("Registered"), _("Verified"), _("FTD")]
    everybody = [("stage", stage) for stage in Stage.values]
    steps = []
    for label, (name, chosen) in zip(labels, STEPS, strict=True):
        first = month.first.isoformat()
        query = [*everybody, ("owner", user.pk), ("created_from", first)]
        query += [(key, first if value == "month" else value) for key, value in chosen.items()]
        steps.append((label, counts[name], f"{reverse('clients')}?{urlencode(query)}"))
    return FunnelCard(
        title=_("My leads this month"),
        steps=funnel_steps(steps),
        note=_(
            "How far the people who came to you this month are today, also those who were moved since. Click a bar to see "
            "yours."
        ),
    )


LEADERBOARD_ROWS = 10


def leaderboard(user: User) -> ListCard | None:
    """List the agents of the desk by first deposits of this month, where the brand shows it to them. Equal ones share a place."""
    if user.desk is None or not LEADERBOARD_FOR_AGENTS.of(user.desk.brand):
        return None
    month = own_month(user)
    owners = {owner: sums for owner, sums in month.owners().items() if sums.first_deposits or sums.calls}
    scores = {owner: sums.first_deposits for owner, sums in owners.items()}
    best = sorted(owners, key=lambda owner: (-scores[owner], -owners[owner].registrations, owner))[:LEADERBOARD_ROWS]
    people = User.objects.in_bulk(best)
    rows = [
        ListRow(
            title=f"{1 + sum(score > scores[owner] for score in scores.values())}. {people[owner]}",
            note=joined(
                ngettext("%(count)s registration", "%(count)s registrations", owners[owner].registrations)
                % {"count": owners[owner].registrations},
                ngettext("%(count)s call", "%(count)s calls", owners[owner].calls) % {"count": owners[owner].calls},
            ),
            end=ngettext("%(count)s FTD", "%(count)s FTDs", scores[owner]) % {"count": scores[owner]},
            tone="success" if owner == user.pk else "",
            trend=month.curve("first_deposits", owner),
        )
        for owner in best
    ]
    return ListCard(title=_("Leaderboard of my desk"), rows=rows, icon="thumbs-up", empty=_("No figures yet"))
