"""The clock of a lead: untouched for too long, it goes to someone else."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from clients.books import move_clients
from clients.choices import Stage
from clients.models import Client
from crm.db.locking import lock_first, lock_or_none
from crm.due import DueKind, cancel_many, declare
from crm.i18n.localized_text import phrase
from crm.models import DueRow, User
from crm.notices.notify import notify
from crm.security import audit
from leads import routing
from leads.assignment import FIRST_CONTACT, apply_decision, candidate_of, set_clocks, tell_assigned
from leads.audit_codes import LeadsAction
from leads.choices import LeadsNotice
from leads.models import Lead

TRIES = 3  # after three agents have let it lie, the desk head is asked


@transaction.atomic
def touch(*, client_id: int, agent_id: int | None) -> int:
    """Stop the clocks of a client's leads after a call, a letter or a new status; return how many were running."""
    untouched = Lead.objects.filter(client_id=client_id, touched_at=None)
    cancel_many(FIRST_CONTACT, untouched.values_list("pk", flat=True))
    return untouched.update(touched_at=timezone.now(), touched_by_id=agent_id, sla_due_at=None)


@transaction.atomic
def reroute(*, lead_id: int) -> bool:
    """Take an untouched lead from its agent and give it to the next one; False when it was touched meanwhile.

    Who: the system. After three agents it goes back to the pool and the desk head is told.
    """
    overdue = Lead.objects.filter(pk=lead_id, touched_at=None, sla_due_at__lte=timezone.now())
    for client_id in overdue.values_list("client_id", flat=True):
        lock_or_none(Client, client_id)
    lead = lock_first(overdue, "client", "brand", "assigned_to", "campaign", "routing_rule__desk")
    if lead is None:
        return False
    if lead.client.stage != Stage.LEAD:  # registered without a call: nothing left to chase
        lead.sla_due_at = None
        lead.save(update_fields=["sla_due_at"])
        return False
    now = timezone.now()
    before = lead.assigned_to
    router = routing.Router(lead.brand, now)
    waited = round((now - lead.assigned_at).total_seconds() / 60) if lead.assigned_at else 0
    lead.sla_missed += 1
    lead.routing_reasons = [*lead.routing_reasons, {"code": "sla", "agent": str(before or ""), "minutes": waited}]
    decision = _next(router, lead)
    apply_decision(lead, decision, now)
    lead.save()
    if lead.sla_due_at:
        set_clocks([lead])
    move_clients(
        client_ids=[lead.client_id],
        to_book_id=decision.book_id,
        is_owner_notified=False,
        reason=phrase("Not contacted in time"),
    )
    audit.record(
        actor=None,
        action=LeadsAction.REROUTED,
        target=lead,
        client_id=lead.client_id,
        brand_id=lead.brand_id,
        before={"assigned_to_id": before.pk if before else None},
        after={"assigned_to_id": lead.assigned_to_id},
        evidence={"routing": decision.reasons, "waited_minutes": waited},
    )
    if before is not None:
        notify(
            [before.pk],
            kind=LeadsNotice.TAKEN,
            title=phrase("%(client)s was reassigned") % {"client": lead.client},
            body=phrase("The lead wasn't contacted in time."),
            dedupe_key=f"leads.taken:{lead.pk}:{lead.sla_missed}",
        )
    if lead.assigned_to_id:
        tell_assigned(lead, lead.client)
    else:
        _tell_desk_heads(lead)
    return True


@transaction.atomic
def route_again(*, client_id: int) -> bool:
    """Give a person's newest lead to the next agent by the rules; False for who is no lead any more, or where none can take it.

    Who: the system.
    """
    client = lock_or_none(Client, client_id)
    rows = Lead.objects.filter(client_id=client_id).order_by("-captured_at", "-pk")
    lead = lock_first(rows, "client", "brand", "assigned_to", "campaign")
    if client is None or lead is None or client.stage != Stage.LEAD:
        return False
    now, before = timezone.now(), lead.assigned_to
    router = routing.Router(lead.brand, now)
    custom = router.custom_of([client_id]).get(client_id)
    decision = router.assign(candidate_of(lead, country=client.country, custom=custom), without=_held_by(lead))
    if decision.agent_id is None:
        return False
    apply_decision(lead, decision, now)
    lead.save()
    set_clocks([lead])
    reason = phrase("Routed again by an automation")
    move_clients(client_ids=[client_id], to_book_id=decision.book_id, is_owner_notified=False, reason=reason)
    audit.record(
        actor=None,
        action=LeadsAction.REROUTED,
        target=lead,
        client_id=client_id,
        brand_id=lead.brand_id,
        before={"assigned_to_id": before.pk if before else None},
        after={"assigned_to_id": lead.assigned_to_id},
        evidence={"routing": decision.reasons},
    )
    tell_assigned(lead, client)
    return True


def _held_by(lead: Lead) -> list[int]:
    return [lead.assigned_to_id] if lead.assigned_to_id else []


def _reroute(row: DueRow) -> None:
    reroute(lead_id=int(row.key))


declare(DueKind(FIRST_CONTACT, gettext_lazy("First contact of a lead"), _reroute, permission="leads.view_lead"))


def _next(router: routing.Router, lead: Lead) -> routing.Decision:
    custom = router.custom_of([lead.client_id]).get(lead.client_id)
    candidate = candidate_of(lead, country=lead.client.country, custom=custom)
    if len(lead.tried_agents) < TRIES:
        decision = router.assign(candidate, without=lead.tried_agents)
        if decision.agent_id is not None:
            return decision
        reasons = decision.reasons[:1]
    else:
        reasons = []
    pool = router.in_pool(candidate)
    return routing.Decision(pool.book_id, None, pool.rule_id, pool.rule_name, 0, [*reasons, {"code": "sla_pool"}])


def _tell_desk_heads(lead: Lead) -> None:
    notify(
        desk_heads(lead.routing_rule.desk_id if lead.routing_rule else None, lead.brand_id),
        kind=LeadsNotice.NOBODY_TOUCHED,
        title=phrase("%(client)s wasn't contacted in time") % {"client": lead.client},
        body=phrase("The lead is back in the pool. Please assign it."),
        url=lead.get_absolute_url(),
        dedupe_key=f"leads.nobody_touched:{lead.pk}",
    )


def desk_heads(desk_id: int | None, brand_id: int) -> list[int]:
    """List who may assign leads: those of the desk; of the whole brand where the lead has no desk."""
    people = User.objects.filter(
        is_active=True,
        groups__permissions__codename="assign_lead",
        groups__permissions__content_type__app_label="leads",
    )
    people = people.filter(desk_id=desk_id) if desk_id else people.filter(brand_id=brand_id)
    return list(people.distinct().values_list("pk", flat=True))
