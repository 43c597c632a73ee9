"""The pipeline: what sales knows about a person, one step at a time."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import SALES_NOT_CHOSEN, SALES_TRANSITIONS, SalesStatus, Stage, TimelineKind
from clients.facts import rebuild_client
from clients.models import Client
from clients.policies import can
from crm.db.locking import lock
from crm.errors import WrongState
from crm.events import SalesStatusChanged, publish
from crm.i18n.localized_text import phrase
from crm.models import Actor, User
from crm.security import audit, policies
from crm.security.policies import Decision, has_permission
from leads import sla
from leads.audit_codes import LeadsAction
from leads.choices import AFTER_A_TALK, BY_CALL
from leads.models import SalesStatusChange


def can_change_status(user: Actor, client: Client) -> Decision:
    """Decide whether somebody may move this lead along the pipeline: `leads.change_sales_status` in reach."""
    return can(user, client, "leads.change_sales_status")


def next_statuses(user: User, client: Client) -> list[SalesStatus]:
    """List the steps that the page offers: what the transition table and the role allow."""
    return statuses_offered(user, client.sales_status) if can_change_status(user, client) else []


def statuses_offered(user: User, status: str) -> list[SalesStatus]:
    """List the steps from a status that the role may take with a lead in reach."""
    if status == SalesStatus.DO_NOT_CALL and not has_permission(user, "leads.lift_do_not_call"):
        return []
    offered = SALES_TRANSITIONS.get(status, set()) - SALES_NOT_CHOSEN
    return [after for after in SalesStatus if after in offered]


@transaction.atomic
def move_by_call(*, client_id: int, agent: Actor, outcome: str) -> bool:
    """Move an early lead by the outcome of a logged call; return False where it stays.

    Who: the system; in the agent's name where they may change the status themselves.
    """
    client = lock(Client, client_id, "brand")
    status, to = client.sales_status, BY_CALL.get(outcome)
    is_early = status in (SalesStatus.NEW, SalesStatus.NO_ANSWER)
    if (
        to is None
        or client.stage != Stage.LEAD
        or not (is_early or (status == SalesStatus.CONTACTED and outcome in AFTER_A_TALK))
    ):
        return False
    if to == status or not client.can_move_to(to, "sales_status"):
        return False
    actor = agent if agent is not None and can_change_status(agent, client) else None
    change_sales_status(client_id=client.pk, to=to, actor=actor)
    return True


@transaction.atomic
def change_sales_status(*, client_id: int, to: SalesStatus, actor: Actor = None, reason: str = "") -> Client:
    """Move a person along the pipeline. Already there: nothing happens.

    Who: `leads.change_sales_status` in reach; leaving "do not call" also needs `leads.lift_do_not_call`. None: the system.
    Raises: NotAllowed; WrongState when the pipeline has no such step, or only the system takes it (`SALES_NOT_CHOSEN`).
    """
    client = lock(Client, client_id, "brand")
    policies.require(can_change_status(actor, client))
    before, to = SalesStatus(client.sales_status), SalesStatus(to)
    if before == to:
        return client
    if before == SalesStatus.DO_NOT_CALL and actor is not None:
        policies.require_permission(actor, "leads.lift_do_not_call")
    if actor is not None and to in SALES_NOT_CHOSEN:
        raise WrongState(_set_automatically(to))
    if not client.can_move_to(to, "sales_status"):
        raise WrongState(
            _("A lead can't move from “%(before)s” to “%(to)s”.") % {"before": before.label, "to": to.label}
        )
    return _record_step(client, to, actor, reason)


@transaction.atomic
def take_back_status(*, client_id: int, from_status: SalesStatus, to: SalesStatus, actor: User) -> Client:
    """Put a lead back to the status it had, also against the pipeline's direction: a part of undoing what moved it.

    Who: `leads.change_sales_status` in reach. Raises: NotAllowed; WrongState where it has moved on, or registered.
    """
    client = lock(Client, client_id, "brand")
    policies.require(can_change_status(actor, client))
    if client.sales_status != from_status or client.stage != Stage.LEAD:
        raise WrongState(_("The lead has moved on since."))
    return _record_step(client, to, actor, is_taken_back=True)


@transaction.atomic
def mark_registration_sent(*, client_id: int, actor: Actor) -> Client:
    """Move a lead to "registration sent", where the pipeline has that step: part of sending the link.

    Who: `leads.send_invitation` in reach; None for the system.
    Raises: NotAllowed.
    """
    client = lock(Client, client_id, "brand")
    policies.require(can(actor, client, "leads.send_invitation"))
    if not client.can_move_to(SalesStatus.REGISTRATION_SENT, "sales_status"):
        return client
    return _record_step(client, SalesStatus.REGISTRATION_SENT, actor)


def _set_automatically(status: SalesStatus) -> str:
    if status == SalesStatus.CONVERTED:
        return _("A lead is converted automatically when they register.")
    return _("“%(status)s” is set automatically when the registration link is sent.") % {"status": status.label}


def _record_step(
    client: Client, to: SalesStatus, actor: Actor, reason: str = "", *, is_taken_back: bool = False
) -> Client:
    """Write a step of a client whom the caller has locked."""
    before = SalesStatus(client.sales_status)
    SalesStatusChange.objects.create(client=client, before=before, after=to, actor=actor, reason=reason[:300])
    rebuild_client(client.pk, "sales_status")
    if is_taken_back:
        client.refresh_from_db(fields=["sales_status"])  # against the pipeline's direction: the newest change counts
    else:
        client.move_to(to, "sales_status")
    audit.record(
        actor=actor,
        action=LeadsAction.STATUS_CHANGED,
        target=client,
        client_id=client.pk,
        brand_id=client.brand_id,
        before={"sales_status": before.value},
        after={"sales_status": to.value},
        reason=reason,
    )
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.LEAD,
        actor=actor,
        body=reason,
        title=phrase("Status: %(before)s → %(to)s") % {"before": before.label, "to": to.label},
        data={"before": before.value, "after": to.value},
    )
    publish(
        SalesStatusChanged(client_id=client.pk, brand_id=client.brand_id, before=before.value, after=to.value),
        actor=actor,
    )
    sla.touch(client_id=client.pk, agent_id=actor.pk if actor else None)
    return client
