"""Leads that wait in a pool: routed again each minute while there are any, for a shift may have begun."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from clients.books import move_clients
from clients.choices import Stage
from crm.due import DueKind, declare, due
from crm.models import Brand, DueRow
from crm.queue.for_each import for_each_isolated
from crm.security import audit
from leads import routing
from leads.assignment import apply_decision, candidate_of, set_clocks, tell_assigned
from leads.audit_codes import LeadsAction
from leads.brand_policies import POOL_ROUTING_DAYS
from leads.models import Lead

ROUTE_AGAIN = dt.timedelta(seconds=60)
LOOKED_AT_MAX = 200  # half of them the newest, half those who have waited longest
# Assigned in one transaction, which holds the brand's routing: a form's lead waits for it.
ASSIGNED_MAX = 50


def waiting_leads(brand: Brand) -> QuerySet[Lead]:
    """Select a brand's leads that wait in a pool for an agent, the newest first: they still wait for a call.

    One that waited longer than the brand's policy says is the desk head's to give out by hand.
    """
    days = dt.timedelta(days=POOL_ROUTING_DAYS.of(brand))
    waiting = Lead.objects.filter(
        brand=brand, assigned_to=None, touched_at=None, is_duplicate=False, sla_missed=0, refusal=""
    )
    waiting = waiting.filter(client__stage=Stage.LEAD, client__book__is_pool=True)
    return waiting.filter(captured_at__gte=timezone.now() - days).order_by("-pk")


@transaction.atomic
def route_waiting(*, brand_id: int) -> int:
    """Route a brand's waiting leads again; return how many found an agent, at most `ASSIGNED_MAX`.

    Who: the system. Whether anybody could take one is found out before the brand's routing is held.
    """
    brand = Brand.objects.get(pk=brand_id)
    waiting = waiting_leads(brand).select_related("client", "campaign")
    newest = list(waiting[: LOOKED_AT_MAX // 2])
    longest = waiting.exclude(pk__in=[lead.pk for lead in newest]).order_by("pk")[: LOOKED_AT_MAX // 2]
    leads = [*newest, *longest]
    router = routing.Router(brand, timezone.now())
    custom = router.custom_of(lead.client_id for lead in leads)
    found = [lead.pk for lead in leads if _decide(router, lead, custom).agent_id is not None]
    if not found:
        return 0
    routing.lock_routing(brand_id)
    router = routing.Router(brand, timezone.now())
    return for_each_isolated(lambda pk: _route_one(pk, router), found[:ASSIGNED_MAX])


def _decide(router: routing.Router, lead: Lead, custom: Mapping[int, Mapping[str, Any]]) -> routing.Decision:
    candidate = candidate_of(lead, country=lead.client.country, custom=custom.get(lead.client_id))
    return router.decide(candidate, without=lead.tried_agents)


def _route_again(row: DueRow) -> None:
    """Route what waits, and again in a minute while something does; at once where one turn wasn't enough."""
    brand_id = int(row.key)
    routed = route_waiting(brand_id=brand_id)
    if waiting_leads(Brand.objects.get(pk=brand_id)).exists():
        wait = ROUTE_AGAIN if routed < ASSIGNED_MAX else dt.timedelta()
        due(ROUTE_WAITING, key=brand_id, at=timezone.now() + wait, brand_id=brand_id)


ROUTE_WAITING = declare(
    DueKind("leads.route_waiting", gettext_lazy("Leads waiting in a pool"), _route_again, permission="leads.view_lead")
)


def await_routing(brand_id: int) -> None:
    """Have a brand's leads that wait in a pool routed again: for whoever puts one there."""
    due(ROUTE_WAITING, key=brand_id, at=timezone.now() + ROUTE_AGAIN, brand_id=brand_id, only_sooner=True)


@transaction.atomic
def _route_one(lead_id: int, router: routing.Router) -> bool:
    lead = (
        Lead.objects.select_for_update(of=["self"], skip_locked=True)
        .select_related("client", "brand", "campaign", "routing_rule")
        .filter(pk=lead_id, assigned_to=None, touched_at=None)
        .first()
    )
    if lead is None:
        return False
    decision = _decide(router, lead, router.custom_of([lead.client_id]))
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
