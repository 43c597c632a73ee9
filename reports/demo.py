"""Reports' part of the demo: the day figures of the months, made from what the others loaded, and targets of two months."""

import datetime as dt
from decimal import Decimal

from django.db.models import Avg, Sum

from crm.demo import Demo, webhooks
from crm.events import DepositSettled, Event, LeadAssigned
from crm.models import Brand, Desk
from leads.models import Lead
from reports import targets, upkeep
from reports.choices import TargetFigure
from reports.models import DayFigure
from wallet.models import Deposit

FIGURES = ("registrations", "first_deposits")
# A little more than an average month brings.
STRETCH = Decimal("1.15")
# As many as fill a page of the delivery log.
LEADS_SENT, DEPOSITS_SENT = 60, 24


def load(demo: Demo) -> None:
    """Compute the figures of the demo's days once everything else is loaded, and set targets for this month and the last."""
    demo.progress("Figures for dashboards", 0, 2)
    upkeep.rebuild()
    demo.progress("Figures for dashboards", 1, 2)
    this_month = demo.now.date().replace(day=1)
    for desk in Desk.objects.order_by("pk"):
        for month in ((this_month - dt.timedelta(days=1)).replace(day=1), this_month):
            targets.set_targets(desk_id=desk.pk, month=month, values=_targets(desk, demo.now.date()), actor=None)
    demo.progress("Figures for dashboards", 2, 2)


def finish(demo: Demo) -> None:
    """Write what outside systems were sent about leads and deposits, once the others have written these."""
    brand = demo.brands[0]
    webhooks.write_principals(demo, brand)
    webhooks.write_webhooks(demo, brand, assigned=_assigned(demo, brand), settled=_settled(demo, brand))


def _assigned(demo: Demo, brand: Brand) -> list[tuple[dt.datetime, Event]]:
    leads = Lead.objects.filter(brand=brand, assigned_at__lt=demo.now, assigned_to__isnull=False)
    newest = leads.order_by("-assigned_at").values_list("assigned_at", "pk", "client_id", "assigned_to_id")
    return [
        (at, LeadAssigned(lead_id=lead, agent_id=agent, client_id=client, brand_id=brand.pk))
        for at, lead, client, agent in reversed(newest[:LEADS_SENT])
        if at
    ]


def _settled(demo: Demo, brand: Brand) -> list[tuple[dt.datetime, Event]]:
    deposits = Deposit.objects.filter(brand=brand, settled_at__lt=demo.now).select_related("psp")
    return [
        (
            deposit.settled_at,
            DepositSettled(
                client_id=deposit.client_id,
                brand_id=brand.pk,
                deposit_id=deposit.pk,
                amount=deposit.amount,
                currency=deposit.currency,
                psp=deposit.psp.code,
                is_first=deposit.is_first,
                settled_at=deposit.settled_at,
            ),
        )
        for deposit in reversed(deposits.order_by("-settled_at")[:DEPOSITS_SENT])
        if deposit.settled_at
    ]


def _targets(desk: Desk, today: dt.date) -> dict[targets.Cell, Decimal | None]:
    """Take a target of each person from the last ninety days."""
    rows = DayFigure.objects.filter(desk=desk, day__gte=today - dt.timedelta(days=90)).order_by()
    people = [None, *(agent.pk for agent in targets.agents_of(desk))]
    values: dict[targets.Cell, Decimal | None] = {}
    for agent_id in people:
        mine = rows if agent_id is None else rows.filter(owner_id=agent_id)
        sums = mine.aggregate(
            registrations=Sum("registrations"),
            first_deposits=Sum("first_deposits"),
            net=Sum("deposits") - Sum("withdrawals") - Sum("reversals"),
        )
        calls = mine.filter(calls__gt=0).values("day").annotate(count=Sum("calls")).aggregate(usual=Avg("count"))
        values[agent_id, TargetFigure.CALLS.value] = Decimal(
            max(5, round(Decimal(calls["usual"] or 0) * STRETCH / 5) * 5)
        )
        for figure in FIGURES:
            values[agent_id, figure] = Decimal(max(1, round((sums[figure] or 0) * STRETCH / 3)))
        values[agent_id, TargetFigure.FTD_RATE.value] = Decimal(15)
        values[agent_id, TargetFigure.CONTACT_MINUTES.value] = Decimal(720)
        values[agent_id, TargetFigure.TALK_MINUTES.value] = 2 * (
            values[agent_id, TargetFigure.CALLS.value] or Decimal(0)
        )
        net = (sums["net"] or Decimal(0)) / 3 * STRETCH
        values[agent_id, TargetFigure.NET_DEPOSITS.value] = Decimal(max(5, round(net / 1000))) * 1000
    return values
