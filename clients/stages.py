"""A client's way from the first click to the closed account: the one door through which `Client.stage` changes."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import policies, timeline
from clients.audit_codes import ClientsAction
from clients.choices import Stage, TimelineKind
from clients.models import Client
from crm.db.locking import lock
from crm.errors import WrongState
from crm.events import ClientStageChanged, publish
from crm.i18n.localized_text import LocalizedText, localize, phrase
from crm.models import Actor
from crm.security import audit

# How far along a stage is. A dormant or closed client has been everywhere before.
RANK: dict[str, int] = {stage: rank for rank, stage in enumerate(Stage.values)}


@transaction.atomic
def move_stage(
    *, client_id: int, to: Stage, actor: Actor = None, reason: LocalizedText = "", is_step_back: bool = False
) -> Client:
    """Move a client to a stage that something brought about: registered, verified, funded, first deal.

    Already there, or further along: nothing changes, so that event handlers may come late or twice. A dormant client
    who trades or pays wakes up. `is_step_back` moves backwards, e.g. to verified when the only deposit was charged back.

    Who: the verb that calls this has decided; `actor` is whose act caused it, None for the system.
    Raises: WrongState when the transition table has no such step (a lead can't be verified before registering).
    """
    client = lock(Client, client_id)
    before = Stage(client.stage)
    to = Stage(to)
    if before == to or before == Stage.CLOSED:
        return client
    possible = client.can_move_to(to, "stage")
    if RANK[to] < RANK[before] and not is_step_back and not (before == Stage.DORMANT and possible):
        return client
    if not possible:
        raise WrongState(
            _("%(client)s can't move from “%(before)s” to “%(to)s”.")
            % {"client": client, "before": before.label, "to": to.label}
        )
    client.move_to(to, "stage")
    changed = ["stage"]
    if to not in (Stage.LEAD, Stage.CLOSED) and client.registered_at is None:
        client.registered_at = timezone.now()
        changed.append("registered_at")
    client.save(update_fields=changed)
    audit.record(
        actor=actor,
        action=ClientsAction.STAGE_CHANGED,
        target=client,
        client_id=client.pk,
        brand_id=client.brand_id,
        before={"stage": before.value},
        after={"stage": to.value},
        reason=localize(reason),
    )
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.STAGE,
        actor=actor,
        body=reason,
        title=phrase("%(before)s → %(to)s") % {"before": before.label, "to": to.label},
        data={"before": before.value, "after": to.value},
    )
    publish(
        ClientStageChanged(client_id=client.pk, brand_id=client.brand_id, before=before.value, after=to.value),
        actor=actor,
    )
    return client


@transaction.atomic
def close_client(*, client_id: int, actor: Actor, reason: str) -> Client:
    """End the relation with a client, for a reason that the audit log keeps.

    Who: `clients.close_client`. Raises: NotAllowed, WrongState when closed already or no reason was given.
    """
    client = lock(Client, client_id)
    policies.require(policies.can_close(actor, client))
    if client.stage == Stage.CLOSED:
        raise WrongState(_("This client is already closed."))
    if not reason.strip():
        raise WrongState(_("Enter a reason for closing the record."))
    return move_stage(client_id=client.pk, to=Stage.CLOSED, actor=actor, reason=reason.strip())
