"""Clients who must not be called: marked with a reason, by whom and when, and lifted only by who leads."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import policies, timeline
from clients.audit_codes import ClientsAction
from clients.choices import TimelineKind
from clients.models import Client, DoNotCall
from clients.telephony.choices import DoNotCallReason
from crm.db.locking import lock
from crm.db.prepared import ByKey
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import phrase
from crm.models import User
from crm.security import audit
from crm.security.policies import require

LIFTS: Final = "clients.lift_do_not_call"


_STANDING: Final = ByKey(
    lambda: DoNotCall.objects.filter(lifted_at=None).select_related("set_by").order_by("pk"), "client_id", most=1
)


def mark_of(client: Client) -> DoNotCall | None:
    """Find the mark that keeps a client from being called."""
    return _STANDING.find(client_id=client.pk)


@transaction.atomic
def mark(*, client_id: int, actor: User, reason: DoNotCallReason, note: str = "") -> DoNotCall:
    """Mark a client as not to be called.

    Who: `clients.log_call` in reach. Raises: NotAllowed; WrongState where they are marked.
    """
    client = lock(Client, client_id, "brand")
    require(policies.can_log(actor, client))
    if mark_of(client) is not None:
        raise WrongState(_("This client is already marked as not to be called."))
    row = DoNotCall.objects.create(client=client, reason=reason, note=note.strip(), set_by=actor)
    _record(row, ClientsAction.DO_NOT_CALL_SET, actor, {"reason": str(reason)})
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.CALL,
        actor=actor,
        title=phrase("Do not call: %(reason)s") % {"reason": reason.label},
        body=row.note,
        dedupe_key=f"do_not_call:{row.pk}",
    )
    return row


@transaction.atomic
def lift(*, client_id: int, actor: User, reason: str) -> DoNotCall:
    """Let a client be called again.

    Who: `clients.lift_do_not_call` in reach. Raises: NotAllowed; WrongState where they aren't marked; DomainError without a reason.
    """
    client = lock(Client, client_id, "brand")
    require(policies.can(actor, client, LIFTS))
    row = mark_of(client)
    if row is None:
        raise WrongState(_("This client isn't marked."))
    if not reason.strip():
        raise DomainError(_("Enter a reason."))
    row.lifted_at, row.lifted_by, row.lift_reason = timezone.now(), actor, reason.strip()
    row.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])
    _record(row, ClientsAction.DO_NOT_CALL_LIFTED, actor, {}, reason)
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.CALL,
        actor=actor,
        title=phrase("May be called again"),
        body=row.lift_reason,
        dedupe_key=f"do_not_call_lifted:{row.pk}",
    )
    return row


def _record(row: DoNotCall, action: ClientsAction, actor: User, after: dict[str, object], reason: str = "") -> None:
    audit.record(
        actor=actor,
        action=action,
        target=row,
        client_id=row.client_id,
        brand_id=row.client.brand_id,
        after=after,
        reason=reason,
    )
