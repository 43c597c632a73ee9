"""Calls as agents log them, and as the phone exchange measured them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import followups, policies, timeline
from clients.audit_codes import ClientsAction
from clients.choices import CallDirection, CallOutcome, TimelineKind
from clients.facts import rebuild_client
from clients.models import Call, Client
from clients.record.access import log_access
from crm.choices import AccessKind
from crm.db.locking import lock
from crm.errors import DomainError
from crm.events import ClientContacted, publish
from crm.i18n.localized_text import joined
from crm.models import Actor, User
from crm.security import audit

LONGEST_SECONDS = 86_400
CLOCK_SKEW = dt.timedelta(minutes=5)


@dataclass(frozen=True)
class CallDetails:
    """What the agent enters about a call. `started_at` None: it has just ended."""

    outcome: CallOutcome
    duration_seconds: int = 0
    notes: str = ""
    direction: CallDirection = CallDirection.OUTBOUND
    started_at: dt.datetime | None = None


@dataclass(frozen=True)
class FollowUp:
    """The next step agreed in a call; without a title it reads "Call back"."""

    due_at: dt.datetime
    title: str = ""


@transaction.atomic
def log_call(*, client_id: int, actor: User, details: CallDetails, follow_up: FollowUp | None = None) -> Call:
    """Log a call with a client, and set the follow-up where there is one.

    Who: `clients.log_call` in reach. Raises: NotAllowed; DomainError for a call in the future or of more than a day.
    """
    client = lock(Client, client_id, "brand")
    policies.require(policies.can_log(actor, client))
    duration_seconds = details.duration_seconds
    started_at = details.started_at or timezone.now() - dt.timedelta(seconds=duration_seconds)
    if started_at > timezone.now() + CLOCK_SKEW:
        raise DomainError(_("A call can't start in the future."))
    if not 0 <= duration_seconds <= LONGEST_SECONDS:
        raise DomainError(_("Enter a duration of at most 24 hours."))
    call = record_call(
        client=client,
        agent=actor,
        details=CallDetails(details.outcome, duration_seconds, details.notes.strip(), details.direction, started_at),
        actor=actor,
    )
    set_follow_up(client, actor, follow_up)
    return call


def record_call(
    *,
    client: Client,
    agent: User,
    details: CallDetails,
    actor: Actor,
    data: dict[str, Any] | None = None,
    url: str = "",
) -> Call:
    """Write a call to the record, the audit log, the access log and the timeline. The caller has decided that it may be.

    actor: who entered it; None where the exchange reported it. data, url: what else the timeline's entry holds, and its page.
    """
    started_at = details.started_at or timezone.now()
    call = Call.objects.create(
        client=client,
        agent=agent,
        direction=details.direction,
        outcome=details.outcome,
        duration_seconds=details.duration_seconds,
        started_at=started_at,
        notes=details.notes.strip(),
    )
    audit.record(
        actor=actor,
        action=ClientsAction.CALL_LOGGED,
        target=call,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={
            "outcome": str(details.outcome),
            "duration_seconds": details.duration_seconds,
            "direction": str(details.direction),
        },
    )
    log_access(agent, client, f"clients.call:{call.pk}", kind=AccessKind.CALL, reason=str(details.outcome))
    outcome = str(details.outcome)
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.CALL,
        actor=agent,
        at=started_at,
        body=call.notes,
        title=joined([CallDirection(details.direction).label, CallOutcome(details.outcome).label], ": "),
        url=url,
        data={"call_id": call.pk, "outcome": outcome, "duration_seconds": details.duration_seconds, **(data or {})},
        dedupe_key=f"call:{call.pk}",
    )
    rebuild_client(client.pk, "last_contact_at")
    publish(
        ClientContacted(
            client_id=client.pk,
            brand_id=client.brand_id,
            agent_id=agent.pk,
            kind="call",
            outcome=outcome,
            contact_id=call.pk,
        ),
        actor=actor,
    )
    return call


def set_follow_up(client: Client, actor: User, follow_up: FollowUp | None) -> None:
    """Set what was agreed in a call as a task, where something was."""
    if follow_up is not None:
        followups.add_task(
            client_id=client.pk, actor=actor, title=follow_up.title or _("Call back"), due_at=follow_up.due_at
        )
