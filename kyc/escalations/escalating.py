"""Handing a document to a head of the officers, with a reason."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from crm import work
from crm.choices import WorkPriority
from crm.errors import DomainError
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import User
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import require
from crm.work.assigning import RIGHT
from kyc import policies
from kyc.audit_codes import KycAction
from kyc.choices import KycNotice
from kyc.documents import locked
from kyc.models import Document
from kyc.urgency.order import refresh_order


def heads_for(document: Document, *, but: set[int]) -> list[User]:
    """List who settles what officers disagree on: they review documents of the brand and assign work; never those in `but`."""
    brand_id = document.client.brand_id
    heads = User.objects.filter(pk__in=people_with("kyc.review_document", brand_id=brand_id), is_active=True)
    heads = heads.filter(pk__in=people_with(RIGHT, brand_id=brand_id)).exclude(
        pk__in=but | {document.uploaded_by_id or 0}
    )
    return list(heads.order_by("first_name", "last_name", "pk"))


@transaction.atomic
def escalate(*, document_id: int, reason: str, actor: User) -> Document:
    """Hand a document to a head: high priority, assigned to them, with the reason in its history.

    Who: `kyc.review_document`, holding the claim, not the uploader. Raises: NotAllowed, DomainError (no reason, nobody to hand to).
    """
    document = locked(document_id)
    require(policies.can_decide(actor, document))
    if not reason.strip():
        raise DomainError(_("Enter a reason."))
    hand_to_a_head(
        document,
        actor=actor,
        but={actor.pk},
        reason=reason.strip(),
        title=phrase("Document escalated: %(title)s of %(client)s")
        % {"title": document.title_words, "client": str(document.client)},
    )
    audit.record(
        actor=actor,
        action=KycAction.DOCUMENT_ESCALATED,
        target=document,
        client_id=document.client_id,
        brand_id=document.client.brand_id,
        reason=reason.strip(),
        evidence={"sha256": document.sha256},
    )
    return document


def hand_to_a_head(document: Document, *, actor: User, but: set[int], reason: str, title: LocalizedText) -> None:
    """Assign a document that the caller has locked to a head, first in the queue, and notify all heads."""
    heads = heads_for(document, but=but)
    if not heads:
        raise DomainError(
            _("There is no head of the officers to hand this to: no colleague may both review and assign work.")
        )
    assert document.work_id is not None
    work.leave_with(document.work_id, actor=actor, text=reason, to=heads[0], priority=WorkPriority.HIGH)
    refresh_order([document.pk])
    notify(
        heads,
        kind=KycNotice.DOCUMENT_ESCALATED,
        title=title,
        body=reason,
        url=document.get_absolute_url(),
        dedupe_key=f"kyc.document_escalated:{document.pk}:{document.work_id}",
    )
