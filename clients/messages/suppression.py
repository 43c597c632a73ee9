"""Addresses that a brand doesn't e-mail: added by bounces, complaints, unsubscribing or a person; lifted by a person."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.audit_codes import ClientsAction
from clients.messages import policies
from clients.messages.choices import SuppressionReason
from clients.models import Suppression
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.models import Actor, Brand, User
from crm.security import audit
from crm.security.policies import require

# Who complains or unsubscribes still gets what their account needs: statements, security codes, margin calls.
STOPS_ALL: Final = frozenset({SuppressionReason.BOUNCE, SuppressionReason.MANUAL})


def reason_against(brand_id: int, address: str, *, is_marketing: bool) -> SuppressionReason | None:
    """Return why this address gets no such e-mail now; None where it does."""
    rows = Suppression.objects.filter(brand=brand_id, address=address.lower(), lifted_at=None)
    reasons = [SuppressionReason(value) for value in rows.order_by("added_at").values_list("reason", flat=True)]
    return next((reason for reason in reasons if is_marketing or reason in STOPS_ALL), None)


def suppress(*, brand_id: int, address: str, reason: SuppressionReason, detail: str = "", by: Actor = None) -> bool:
    """Put an address on a brand's list; False where it is on it for this reason already. The caller has decided."""
    values = {"detail": detail[:300], "added_by": by}
    row, is_new = Suppression.objects.get_or_create(
        brand_id=brand_id, address=address.lower(), reason=reason, lifted_at=None, defaults=values
    )
    if is_new:
        audit.record(
            actor=by,
            action=ClientsAction.ADDRESS_SUPPRESSED,
            target=row,
            brand_id=brand_id,
            after={"reason": reason},
            reason=detail[:300],
        )
    return is_new


def resubscribe(*, brand_id: int, address: str, by: User) -> None:
    """Take an address off the list of who unsubscribed: the client agreed to marketing again. The caller has decided."""
    rows = Suppression.objects.filter(brand=brand_id, address=address.lower(), lifted_at=None)
    for row in rows.filter(reason=SuppressionReason.UNSUBSCRIBED):
        row.lifted_by, row.lifted_at, row.lift_reason = by, timezone.now(), _("Agreed to marketing again")
        row.save(update_fields=["lifted_by", "lifted_at", "lift_reason"])


@transaction.atomic
def add_suppression(*, brand_id: int, address: str, actor: User, reason: str) -> None:
    """Have a brand no longer e-mail an address.

    Who: `clients.lift_suppression` on the whole brand. Raises: NotAllowed, DomainError (no reason), WrongState (on the list).
    """
    require(policies.can_lift(actor, brand_id))
    if not reason.strip():
        raise DomainError(_("Enter a reason."))
    lock(Brand, brand_id, no_key=True)
    if not suppress(
        brand_id=brand_id, address=address, reason=SuppressionReason.MANUAL, detail=reason.strip(), by=actor
    ):
        raise WrongState(_("This address is on the list already."))


@transaction.atomic
def lift_suppression(*, suppression_id: int, actor: User, reason: str) -> Suppression:
    """Let a brand e-mail an address again.

    Who: `clients.lift_suppression` on the whole brand. Raises: NotAllowed, DomainError (no reason), WrongState (lifted).
    """
    row = lock(Suppression, suppression_id)
    require(policies.can_lift(actor, row.brand_id))
    if not reason.strip():
        raise DomainError(_("Enter a reason."))
    if row.lifted_at is not None:
        raise WrongState(_("This address may be e-mailed already."))
    row.lifted_by, row.lifted_at, row.lift_reason = actor, timezone.now(), reason.strip()[:300]
    row.save(update_fields=["lifted_by", "lifted_at", "lift_reason"])
    audit.record(
        actor=actor, action=ClientsAction.SUPPRESSION_LIFTED, target=row, brand_id=row.brand_id, reason=reason.strip()
    )
    return row
