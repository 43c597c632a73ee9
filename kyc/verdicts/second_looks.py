"""The blind second look: an officer judges a sample of what the machine approved, without seeing its verdict or its issues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.queries import clients_visible_to
from crm import work
from crm.db.locking import lock
from crm.errors import DomainError
from crm.i18n.localized_text import LocalizedText, joined, phrase
from crm.models import Actor, User
from crm.security import audit
from crm.security.policies import Decision, require
from crm.security.scope import reach_of
from kyc.audit_codes import KycAction
from kyc.brand_policies import KYC_SECOND_LOOK_HOURS
from kyc.choices import DocumentState, Opinion, RejectReason, SecondLookState
from kyc.documents import locked
from kyc.escalations.escalating import hand_to_a_head
from kyc.models import Document, SecondLook
from kyc.verdicts import overturning
from kyc.verdicts.policies import can_look


def looks_visible_to(user: Actor) -> QuerySet[SecondLook]:
    """List the second looks at documents of clients in the user's books."""
    if not user or not user.is_authenticated or not user.is_team or not user.has_perm("kyc.review_document"):
        return SecondLook.objects.none()
    return SecondLook.objects.filter(document__client__book_id__in=reach_of(user).books)


def get_look(user: User, look_id: int) -> SecondLook:
    """Find a second look that the user may see. Raises: Http404."""
    rows = SecondLook.objects.filter(document__client__in=clients_visible_to(user))
    found = rows.select_related("document__client__brand", "document__client__book", "decided_by").filter(pk=look_id)
    look = found.first() if user.has_perm("kyc.review_document") else None
    if look is None:
        raise Http404
    return look


def open_look_at(document: Document) -> SecondLook | None:
    """Find the second look that still waits for this document."""
    return SecondLook.objects.filter(document=document, state=SecondLookState.OPEN).first()


def second_reading_of(document: Document) -> SecondLook | None:
    """Find the second reader's result for a document."""
    rows = SecondLook.objects.filter(document=document, asked_by__isnull=False)
    return rows.select_related("asked_by", "decided_by").first()


class BlindReview(work.WorkKind[SecondLook]):
    """The queue of second looks: one document at a time, final when decided."""

    model = SecondLook
    code, label = "kyc.second_look", gettext_lazy("Second looks")
    right = "kyc.review_document"
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        SecondLookState.AGREED: work.Outcome(gettext_lazy("Agreed")),
        SecondLookState.DISAGREED: work.Outcome(gettext_lazy("Disagreed"), needs_reason=True),
    }
    hours = KYC_SECOND_LOOK_HOURS
    by_client = False
    queue_url = "kyc:second_looks"

    def visible_to(self, user: Actor) -> QuerySet[SecondLook]:
        return looks_visible_to(user)

    def may_work(self, user: Actor, subject: SecondLook) -> Decision:
        return can_look(user, subject)

    def rows(self) -> QuerySet[SecondLook]:
        return SecondLook.objects.select_related("document__client__brand", "document__client__book")

    def lock(self, subject_id: int) -> SecondLook:
        return _locked(subject_id)

    def title(self, subject: SecondLook) -> LocalizedText:
        return joined([subject.document.title_words, str(subject.document.client)])


SECOND_LOOK = work.register(BlindReview)


def open_look(document: Document, **asked: Any) -> SecondLook:
    """Put a document into the queue of second looks; the caller holds it. asked: by whom, with what opinion and note."""
    now = timezone.now()
    item = work.open_item(SECOND_LOOK, client_id=document.client_id, brand=document.client.brand, opened_at=now)
    return SecondLook.objects.create(document=document, work=item, opened_at=now, **asked)


@transaction.atomic
def decide_second_look(
    *, look_id: int, actor: User, is_approved: bool, reason_code: str = "", reason: str = "", note: str = ""
) -> SecondLook:
    """Say what one would have decided. Who rejects overturns the automatic approval, with a message to the client.

    Who: `kyc.review_document`, holding the claim, not the uploader. Raises: NotAllowed, WrongState, DomainError without a reason.
    """
    look = _locked(look_id)
    require(can_look(actor, look))
    require(work.may_decide(actor, look.work))
    opinion = Opinion.APPROVE if is_approved else Opinion.REJECT
    agrees = opinion == look.first_opinion if look.asked_by_id is not None else is_approved
    if not is_approved and (not note.strip() or reason_code not in RejectReason.values):
        raise DomainError(_("Choose a reason, and enter what is wrong with the document."), code="needs_note")
    if not agrees and not note.strip():
        raise DomainError(_("Enter why you would decide so."), code="needs_note")
    look.move_to(SecondLookState.AGREED if agrees else SecondLookState.DISAGREED)
    look.opinion = opinion
    look.decided_by, look.decided_at, look.note = actor, timezone.now(), note.strip()
    look.reason_code = "" if is_approved else reason_code
    look.save()
    document = look.document
    audit.record(
        actor=actor,
        action=KycAction.SECOND_LOOK_AGREED if agrees else KycAction.SECOND_LOOK_DISAGREED,
        target=document,
        client_id=document.client_id,
        brand_id=document.client.brand_id,
        after={"second_look": look.state, "opinion": look.opinion, "reason_code": look.reason_code},
        reason=look.note,
        evidence={"sha256": document.sha256},
    )
    work.decide(look, actor=actor, outcome=look.state, reason=look.note)
    # What was replaced, expired or overturned meanwhile is not approved any more: the disagreement is kept all the same.
    if look.asked_by_id is not None:
        if not agrees and document.state == DocumentState.PENDING_REVIEW:
            hand_to_a_head(
                document,
                actor=actor,
                but={actor.pk, look.asked_by_id},
                reason=look.note,
                title=phrase("Two officers disagree: %(title)s of %(client)s")
                % {"title": document.title_words, "client": str(document.client)},
            )
    elif not is_approved and document.state == DocumentState.APPROVED and document.decided_by_policy_id is not None:
        overturning.overturn_locked(document, actor=actor, reason_code=reason_code, note=note, reason=reason)
    return look


def _locked(look_id: int) -> SecondLook:
    """Lock a second look and, before it, client and document."""
    row = SecondLook.objects.filter(pk=look_id).values_list("document_id", flat=True).first()
    document = locked(row) if row is not None else None
    look = lock(SecondLook, look_id, "work")
    if document is not None:
        look.document = document
    return look
