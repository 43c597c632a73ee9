"""Giving leads to agents: what a routing decision writes, and a desk head's own hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.books import move_clients
from clients.models import Client
from crm.db.locking import lock_all
from crm.due import DueItem, cancel_many, due_many
from crm.errors import DomainError, NotAllowed
from crm.events import LeadAssigned, publish, publish_set
from crm.i18n.localized_text import phrase
from crm.models import Actor, Book, User
from crm.notices.notify import notify, push_live
from crm.security import policies
from crm.security.scope import reach_of
from leads.choices import LeadsNotice
from leads.distribution.turns import count_given
from leads.models import Lead
from leads.routing import Candidate, Decision

FIRST_CONTACT = "leads.first_contact"  # declared in leads/sla.py


def set_clocks(leads: Iterable[Lead]) -> None:
    """Have untouched leads reassigned when their time is over, and stop the clocks of those without one."""
    leads = list(leads)
    running = [lead for lead in leads if lead.sla_due_at and lead.touched_at is None]
    cancel_many(FIRST_CONTACT, [lead.pk for lead in leads if lead not in running])
    due_many(
        FIRST_CONTACT,
        [DueItem(lead.pk, lead.sla_due_at, lead.client_id, lead.brand_id) for lead in running if lead.sla_due_at],
    )


def candidate_of(lead: Lead, *, country: str = "", custom: Mapping[str, Any] | None = None) -> Candidate:
    """Describe a lead by what the routing rules compare: language, country, source, campaign, score, declared and custom fields."""
    return Candidate(
        language=lead.language,
        country=country or lead.country_guess,
        source=lead.source,
        campaign=lead.campaign.code if lead.campaign else "",
        score=lead.score,
        learned=lead.learned_score,
        custom=custom or {},
        referral_code=lead.referral_code,
        experience=lead.experience,
        intended_deposit=lead.intended_in_base,
    )


def apply_decision(lead: Lead, decision: Decision, now: dt.datetime) -> None:
    """Write a routing decision into the lead (not saved): agent, rule, reasons, clock."""
    lead.routing_rule_id = decision.rule_id
    lead.routing_reasons = [*lead.routing_reasons, *decision.reasons]
    lead.assigned_to_id = decision.agent_id
    lead.assigned_at = now if decision.agent_id else None
    lead.sla_due_at = decision.due_at
    if decision.agent_id:
        lead.tried_agents = [*lead.tried_agents, decision.agent_id]


def tell_assigned(lead: Lead, client: Client, actor: Actor = None) -> None:
    """Publish the assignment and ring the agent's bell, live."""
    assert lead.assigned_to_id is not None
    rules = [reason["rule"] for reason in lead.routing_reasons if reason.get("code") == "rule"]
    rule = rules[-1] if rules else ""
    publish(
        LeadAssigned(
            lead_id=lead.pk, client_id=client.pk, brand_id=lead.brand_id, agent_id=lead.assigned_to_id, rule=rule
        ),
        actor=actor,
    )
    push_live(lead.assigned_to_id, event="lead", data={"id": client.pk})
    if actor is None or actor.pk != lead.assigned_to_id:
        notify(
            [lead.assigned_to_id],
            kind=LeadsNotice.ASSIGNED,
            title=phrase("New lead: %(client)s") % {"client": client},
            body=phrase("%(country)s · score %(score)s · %(source)s")
            % {"country": client.country or "–", "score": lead.score, "source": lead.source},
            url=client.get_absolute_url(),
            dedupe_key=f"leads.assigned:{lead.pk}:{len(lead.tried_agents)}",
        )


@transaction.atomic
def assign_leads(*, client_ids: Iterable[int], agent_id: int, actor: User, reason: str = "") -> int:
    """Give leads to an agent by hand; return how many moved (those the agent had already stay).

    Who: `leads.assign_lead`, reaching the people and the agent's book.
    Raises: NotAllowed; DomainError when the agent has no book of the people's brand.
    """
    policies.require_permission(actor, "leads.assign_lead")
    ids = sorted(set(client_ids))
    clients = list(Client.objects.filter(pk__in=ids).only("id", "brand_id", "book_id"))
    reach = reach_of(actor).books
    if any(client.book_id not in reach for client in clients):
        raise NotAllowed(_("Some of these leads are in books you don't have access to."))
    agent = User.objects.filter(pk=agent_id).first()
    if agent is None:
        raise DomainError(_("Choose who gets these leads."))
    moved = 0
    for brand_id in sorted({client.brand_id for client in clients}):
        book = (
            Book.objects.filter(owner=agent, brand_id=brand_id, is_pool=False, archived_at=None).order_by("pk").first()
        )
        if book is None:
            raise DomainError(_("%(agent)s has no book with this brand.") % {"agent": agent})
        mine = [client.pk for client in clients if client.brand_id == brand_id]
        moving = move_clients(client_ids=mine, to_book_id=book.pk, actor=actor, reason=reason)
        _hand_over(moving, agent, actor)
        moved += len(moving)
    return moved


def _hand_over(moving: list[Client], agent: User, actor: User) -> None:
    """Give each person's newest lead to the agent, and restart its clock where one was running."""
    now = timezone.now()
    newest = lock_all(Lead.objects.filter(pk__in=newest_leads([client.pk for client in moving])), "routing_rule")
    for lead in newest:
        lead.assigned_to, lead.assigned_at = agent, now
        lead.routing_reasons = [*lead.routing_reasons, {"code": "manual", "agent": str(actor)}]
        lead.tried_agents = [*lead.tried_agents, agent.pk]
        seconds = lead.routing_rule.sla_seconds if lead.routing_rule else 0
        lead.sla_due_at = now + dt.timedelta(seconds=seconds) if seconds and lead.touched_at is None else None
    Lead.objects.bulk_update(
        newest, ["assigned_to", "assigned_at", "routing_reasons", "tried_agents", "sla_due_at"], batch_size=1000
    )
    set_clocks(newest)
    count_given({agent.pk: len(newest)}, now)
    publish_assigned(Lead.objects.filter(pk__in=[lead.pk for lead in newest]), actor=actor, is_by_rule=False)


def publish_assigned(leads: QuerySet[Lead], *, actor: Actor, is_by_rule: bool = True) -> int:
    """Publish that these leads were assigned, one event each, without reading them; returns how many."""
    rule = Coalesce("routing_rule__name", Value("")) if is_by_rule else Value("")
    rows = leads.order_by("pk").values(
        "client_id", "brand_id", lead_id=F("pk"), agent_id=F("assigned_to_id"), rule=rule
    )
    return publish_set(LeadAssigned, rows, actor=actor)


def newest_leads(client_ids: list[int]) -> list[int]:
    """List the id of each client's newest lead."""
    return list(
        Lead.objects.filter(client_id__in=client_ids)
        .order_by("client_id", "-captured_at", "-id")
        .distinct("client_id")
        .values_list("pk", flat=True)
    )
