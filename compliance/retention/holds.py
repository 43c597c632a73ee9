"""Legal holds: records that a court, an authority or a dispute needs are kept, whatever their time says."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from clients.policies import can
from compliance.audit_codes import ComplianceAction
from compliance.models import LegalHold
from compliance.retention import RIGHT
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.models import User
from crm.security import audit
from crm.security.policies import require


def hold_of(client: Client) -> LegalHold | None:
    """Find the hold in force."""
    return LegalHold.objects.filter(client=client, lifted_at=None).select_related("placed_by").first()


@transaction.atomic
def place_hold(*, client_id: int, actor: User, reason: str) -> LegalHold:
    """Keep a client's records beyond their time.

    Who: `compliance.erase_client` in reach. Raises: NotAllowed, DomainError (no reason), WrongState (there is one).
    """
    client = lock(Client, client_id, "book")
    require(can(actor, client, RIGHT))
    _require_reason(reason)
    if hold_of(client) is not None:
        raise WrongState(_("There is a legal hold already."))
    hold = LegalHold.objects.create(client=client, reason=reason.strip(), placed_by=actor, placed_at=timezone.now())
    _record(hold, client, actor, ComplianceAction.LEGAL_HOLD_PLACED, reason)
    return hold


@transaction.atomic
def lift_hold(*, client_id: int, actor: User, reason: str) -> LegalHold:
    """Lift a client's legal hold. Nothing is erased by that: an erasure takes two people.

    Who: `compliance.erase_client` in reach. Raises: NotAllowed, DomainError (no reason), WrongState (there is none).
    """
    client = lock(Client, client_id, "book")
    require(can(actor, client, RIGHT))
    _require_reason(reason)
    hold = hold_of(client)
    if hold is None:
        raise WrongState(_("There is no legal hold."))
    hold.lifted_by, hold.lifted_at, hold.lift_reason = actor, timezone.now(), reason.strip()
    hold.save(update_fields=["lifted_by", "lifted_at", "lift_reason"])
    _record(hold, client, actor, ComplianceAction.LEGAL_HOLD_LIFTED, reason)
    return hold


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise DomainError(_("Enter a reason."))


def _record(hold: LegalHold, client: Client, actor: User, action: ComplianceAction, reason: str) -> None:
    audit.record(
        actor=actor, action=action, target=hold, client_id=client.pk, brand_id=client.brand_id, reason=reason.strip()
    )
