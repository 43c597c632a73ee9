"""Leads that wait in a pool: routed again each minute while there are any, for a shift may have begun.

A pass goes through the next of them, oldest first, however old they are; it goes on behind the last one the next time,
so that leads which no agent can take keep no other from being looked at.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from clients.books import move_clients
from clients.choices import Stage
from clients.models import Client
from crm.db.locking import lock_or_none
from crm.due import DueKind, declare, due
from crm.models import Brand, DueRow
from crm.queue.for_each import for_each_isolated
from crm.security import audit
from leads import routing
from leads.assignment import apply_decision, candidate_of, set_clocks, tell_assigned
from leads.audit_codes import LeadsAction
from leads.models import Lead, PoolPass

ROUTE_AGAIN = dt.timedelta(seconds=60)
LOOKED_AT_MAX = 1_000  # in one pass
ASSIGNED_MAX = 25  # in one pass, each under the locks of its agents until the pass ends


class Pass(NamedTuple):
    """What a pass over the waiting leads did. `is_over`: all were looked at, and the next pass may wait."""

    assigned: int
    is_over: bool


def waiting_leads(brand: Brand) -> QuerySet[Lead]:
    """Select a brand's leads that wait in a pool for an agent, the oldest first."""
    waiting = Lead.objects.filter(
        brand=brand, assigned_to=None, touched_at=None, is_duplicate=False, sla_missed=0, refusal=""
    )
    return waiting.filter(client__stage=Stage.LEAD, client__book__is_pool=True).order_by("pk")


@transaction.atomic
def route_waiting(*, brand_id: int) -> Pass:
    """Route the next of a brand's waiting leads again, at most `ASSIGNED_MAX`.

    Who: the system. Whether anybody could take one is found out before any agent is held.
    """
    brand = Brand.objects.get(pk=brand_id)
    position, _is_new = PoolPass.objects.get_or_create(brand=brand)
    router = routing.Router(brand, timezone.now())
    if not router.has_room():
        return Pass(0, is_over=True)
    waiting = waiting_leads(brand).select_related("client", "campaign").filter(pk__gt=position.after_lead)
    leads = list(waiting[:LOOKED_AT_MAX])
    custom = router.custom_of(lead.client_id for lead in leads)
    router.read_referrers(lead.referral_code for lead in leads)
    found = [lead.pk for lead in leads if _decide(router, lead, custom).agent_id is not None]
    is_more = len(found) > ASSIGNED_MAX or len(leads) == LOOKED_AT_MAX
    found = found[:ASSIGNED_MAX]
    assigned = for_each_isolated(lambda pk: _route_one(pk), found)
    position.after_lead = (found[-1] if len(found) == ASSIGNED_MAX else leads[-1].pk) if is_more else 0
    position.save(update_fields=["after_lead"])
    return Pass(assigned, is_over=not is_more)


def _decide(router: routing.Router, lead: Lead, custom: Mapping[int, Mapping[str, Any]]) -> routing.Decision:
    candidate = candidate_of(lead, country=lead.client.country, custom=custom.get(lead.client_id))
    return router.decide(candidate, without=lead.tried_agents)


def _route_again(row: DueRow) -> None:
    """Route what waits, and again in a minute while something does; immediately where one pass wasn't enough."""
    brand_id = int(row.key)
    is_over = route_waiting(brand_id=brand_id).is_over
    if not is_over or waiting_leads(Brand.objects.get(pk=brand_id)).exists():
        wait = ROUTE_AGAIN if is_over else dt.timedelta()
        due(ROUTE_WAITING, key=brand_id, at=timezone.now() + wait, brand_id=brand_id)


ROUTE_WAITING = declare(
    DueKind("leads.route_waiting", gettext_lazy("Leads waiting in a pool"), _route_again, permission="leads.view_lead")
)


def await_routing(brand_id: int) -> None:
    """Have a brand's leads that wait in a pool routed again: for whoever puts one there."""
    due(ROUTE_WAITING, key=brand_id, at=timezone.now() + ROUTE_AGAIN, brand_id=brand_id, only_sooner=True)


@transaction.atomic
def _route_one(lead_id: int) -> bool:
    still = Lead.objects.filter(pk=lead_id, assigned_to=None, touched_at=None)
    for client_id in still.values_list("client_id", flat=True):
        lock_or_none(Client, client_id)
    lead = (
        still.select_for_update(of=["self"], skip_locked=True)
        .select_related("client", "brand", "campaign", "routing_rule")
        .first()
    )
    if lead is None:
        return False
    router = routing.Router(lead.brand, timezone.now())
    custom = router.custom_of([lead.client_id]).get(lead.client_id)
    candidate = candidate_of(lead, country=lead.client.country, custom=custom)
    decision = router.assign(candidate, without=lead.tried_agents)
    if decision.agent_id is None:
        return False
    apply_decision(lead, decision, timezone.now())
    lead.save()
    set_clocks([lead])
    move_clients(
        client_ids=[lead.client_id], to_book_id=decision.book_id, is_owner_notified=False, reason=decision.rule_name
    )
    audit.record(
        actor=None,
        action=LeadsAction.ASSIGNED,
        target=lead,
        client_id=lead.client_id,
        brand_id=lead.brand_id,
        after={"assigned_to_id": lead.assigned_to_id},
        evidence={"routing": decision.reasons},
    )
    tell_assigned(lead, lead.client)
    return True
