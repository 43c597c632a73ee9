"""An officer rejects what the machine approved."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.models import User
from crm.security import audit
from crm.security.policies import require
from kyc import reviews
from kyc.audit_codes import KycAction
from kyc.choices import DocumentState, LevelLoss, RejectReason
from kyc.documents import locked
from kyc.expiry.validity import cancel_expiry
from kyc.levels.reaching import note_level
from kyc.models import Document, MachineDecision
from kyc.verdicts.policies import can_overturn
from kyc.verdicts.restoring import restore_replaced


@transaction.atomic
def overturn(*, document_id: int, actor: User, reason_code: str, note: str, reason: str = "") -> Document:
    """Reject a document that was approved automatically: the document that it replaced counts again
    while it is valid, else the level falls; the client is asked for another one.

    note: why, for colleagues and auditors. reason: the message to the client, or the template's text without one.

    Who: `kyc.review_document` in reach, not the uploader. Raises: NotAllowed, DomainError without a note or a message.
    """
    document = locked(document_id)
    require(can_overturn(actor, document))
    return overturn_locked(document, actor=actor, reason_code=reason_code, note=note, reason=reason)


def overturn_locked(document: Document, *, actor: User, reason_code: str, note: str, reason: str = "") -> Document:
    """Overturn a document that the caller has locked; it has asked whether the actor may."""
    if not note.strip():
        raise DomainError(_("Enter why the automatic approval is wrong."), code="needs_note")
    policy_id, number = document.decided_by_policy_id, document.decided_by_policy.number  # type: ignore[union-attr]
    now = timezone.now()
    document.move_to(DocumentState.REJECTED)
    document.reason_code = RejectReason(reason_code)
    document.reason = reviews.message_to_client(document, reason_code, reason)
    document.reviewed_by, document.reviewed_at, document.review_note = actor, now, note.strip()
    document.decided_by_policy = None
    document.save()
    decision = MachineDecision.objects.get(document=document)
    decision.overturned_by, decision.overturned_at, decision.overturn_reason = actor, now, note.strip()
    decision.save(update_fields=["overturned_by", "overturned_at", "overturn_reason"])
    audit.record(
        actor=actor,
        action=KycAction.APPROVAL_OVERTURNED,
        target=document,
        client_id=document.client_id,
        brand_id=document.client.brand_id,
        before={"state": DocumentState.APPROVED.value, "policy": policy_id},
        after={"state": document.state, "reason_code": document.reason_code, "told": document.reason},
        reason=note.strip(),
        evidence={"policy_number": number, "results_sha256": decision.digest, "sha256": document.sha256},
    )
    cancel_expiry([document])
    reviews.take_effect(document)
    restore_replaced(document)
    note_level(client=document.client, loss=LevelLoss.OVERTURNED)
    return document
