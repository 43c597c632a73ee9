"""An officer's decision on a document. It can be undone for a few seconds; then it takes effect and others hear of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients import timeline
from clients.choices import TimelineKind
from crm import work
from crm.db.locking import lock_all
from crm.errors import DomainError
from crm.events import DocumentReviewed, publish
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, joined, phrase
from crm.models import Actor, User
from crm.security import audit
from crm.security.policies import Decision, require
from kyc import policies
from kyc.audit_codes import KycAction
from kyc.brand_policies import KYC_BLOCKING_SECOND_PERSON, KYC_REVIEW_HOURS, KYC_UNDO_SECONDS
from kyc.choices import (
    REJECT_TEMPLATES,
    DocumentKind,
    DocumentState,
    RejectReason,
    RequestState,
    SecondLookState,
    Severity,
)
from kyc.corrections import officer_figures
from kyc.document_requests.answering import close_requests
from kyc.documents import locked
from kyc.expiry.validity import cancel_expiry, note_renewed, schedule_expiry
from kyc.levels.reaching import note_level
from kyc.models import Document, DocumentRequest, Issue, SecondLook
from kyc.queries import documents_visible_to
from kyc.urgency.order import refresh_order

DATES = ("expires_on", "issued_on")
EXTRACT_DAYS_MAX = 92
NOTE_SEVERITIES = (Severity.WARNING, Severity.BLOCKING)


def _needs_second_person(document: Document) -> bool:
    """Approve past a blocking problem only with a colleague, where the brand's policy says so."""
    if not KYC_BLOCKING_SECOND_PERSON.of(document.client.brand):
        return False
    return any(issue.severity == Severity.BLOCKING for issue in issues_that_need_a_note(document))


class DocumentReview(work.WorkKind[Document]):
    """The review queue: a claim takes all of a client's documents, and a decision can be undone for a few seconds."""

    model = Document
    code, label = "kyc.document", gettext_lazy("Documents")
    right = "kyc.review_document"
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        DocumentState.APPROVED: work.Outcome(gettext_lazy("Approved"), second_person=_needs_second_person),
        DocumentState.REJECTED: work.Outcome(gettext_lazy("Rejected")),
    }
    hours, undo_seconds = KYC_REVIEW_HOURS, KYC_UNDO_SECONDS
    order = ("-priority", "document__urgent_at", "opened_at", "pk")
    queue_url = "kyc:queue"

    def reprioritized(self, item_ids: Sequence[int], before: Mapping[int, int]) -> None:
        refresh_order(Document.objects.filter(work__in=item_ids).values_list("pk", flat=True))

    def visible_to(self, user: Actor) -> QuerySet[Document]:
        return documents_visible_to(user)

    def offered(self, user: Actor) -> QuerySet[Document]:
        asked = DocumentRequest.objects.filter(document=OuterRef("pk"), state=RequestState.OPEN)
        read = SecondLook.objects.filter(document=OuterRef("pk"), state=SecondLookState.OPEN)
        return documents_visible_to(user).filter(~Exists(asked), ~Exists(read))

    def further_labels(self) -> list[str]:
        return officer_figures.labels()

    def further_figures(self, user: User, since: dt.datetime) -> Mapping[int, Sequence[str]]:
        return officer_figures.officer_figures(user, since)

    def may_work(self, user: Actor, subject: Document) -> Decision:
        return policies.can_review(user, subject)

    def rows(self) -> QuerySet[Document]:
        return Document.objects.select_related("client__brand", "client__book")

    def lock(self, subject_id: int) -> Document:
        return locked(subject_id)

    def title(self, subject: Document) -> LocalizedText:
        return joined([subject.title_words, str(subject.client)])

    def carry_out(self, subject: Document, outcome: str, *, actor: User, reason: str, given: Mapping[str, Any]) -> None:
        dates = {name: dt.date.fromisoformat(given[name]) if given.get(name) else None for name in DATES}
        _approve(subject, actor, note=reason, **dates)

    def take_effect(self, subject: Document) -> None:
        take_effect(subject)

    def reopen(self, subject: Document, actor: User) -> None:
        _reopen(subject, actor)


REVIEW = work.register(DocumentReview)


@transaction.atomic
def approve(
    *,
    document_id: int,
    actor: User,
    note: str = "",
    expires_on: dt.date | None = None,
    issued_on: dt.date | None = None,
) -> Document:
    """Approve a document. `note` says why, where a check found something; dates as read by the officer.

    Where the brand's policy wants a second person for a blocking problem, it is proposed and stays pending review.
    Who: `kyc.review_document`, holding the claim, not the uploader. Raises: NotAllowed, WrongState, DomainError.
    """
    document = locked(document_id)
    require(policies.can_decide(actor, document))
    problems = issues_that_need_a_note(document)
    if problems and not note.strip():
        raise DomainError(
            _("The checks found: %(problems)s. Add a note explaining why you approve the document anyway.")
            % {"problems": "; ".join(str(issue.get_code_display()) for issue in problems)},
            code="needs_note",
        )
    _refuse_expired(expires_on or document.expires_on)
    if document.kind == DocumentKind.REGISTER_EXTRACT:
        _require_recent(issued_on or document.issued_on)
    if work.needs_second_person(document, DocumentState.APPROVED):
        dates = {"expires_on": expires_on and expires_on.isoformat(), "issued_on": issued_on and issued_on.isoformat()}
        work.propose(document, actor=actor, outcome=DocumentState.APPROVED, reason=note, given=dates)
        return document
    return _approve(document, actor, note=note.strip(), expires_on=expires_on, issued_on=issued_on)


def _approve(
    document: Document, actor: User, *, note: str, expires_on: dt.date | None, issued_on: dt.date | None
) -> Document:
    document.expires_on = expires_on or document.expires_on
    document.issued_on = issued_on or document.issued_on
    _refuse_expired(document.expires_on)
    despite = [issue.code for issue in issues_that_need_a_note(document)]
    return _decide(document, DocumentState.APPROVED, actor, note=note, despite=despite)


def _require_recent(issued_on: dt.date | None) -> None:
    """Refuse a register extract without its date, or older than three months."""
    if issued_on is None:
        raise DomainError(_("Enter the date of the register extract."), code="issued_on")
    if issued_on < timezone.now().date() - dt.timedelta(days=EXTRACT_DAYS_MAX):
        raise DomainError(_("The register extract is older than three months and can't be approved."), code="issued_on")


def _refuse_expired(expires_on: dt.date | None) -> None:
    if expires_on and expires_on < timezone.now().date():
        raise DomainError(
            _("The document expired on %(date)s and can't be approved.") % {"date": formats.day(expires_on)},
            code="expired",
        )


@transaction.atomic
def reject(*, document_id: int, actor: User, reason_code: str, reason: str = "", note: str = "") -> Document:
    """Reject a document; the client reads why and what to do: `reason`, or the template's text without one.

    Who: as `approve`. Raises: NotAllowed, WrongState, DomainError when there is no text for the client.
    """
    document = locked(document_id)
    require(policies.can_decide(actor, document))
    document.reason_code = RejectReason(reason_code)
    document.reason = message_to_client(document, reason_code, reason)
    return _decide(document, DocumentState.REJECTED, actor, note=note.strip())


def message_to_client(document: Document, reason_code: str, reason: str) -> str:
    """Return what the client reads of a rejection: the officer's text, or the template's in the client's language.

    Raises: DomainError where there is neither.
    """
    template, text = REJECT_TEMPLATES[RejectReason(reason_code)], reason.strip()
    if text in ("", str(template)):
        # The unchanged template is sent in the client's language, not in the officer's.
        with translation.override(document.client.language):
            text = str(template)
    if not text:
        raise DomainError(_("Enter what the client should do. This text is sent to them."))
    return text


def issues_that_need_a_note(document: Document) -> list[Issue]:
    """List warnings and problems of the last finished check: nobody approves past one without a note."""
    run = document.runs.exclude(finished_at=None).order_by("-pk").first()
    return list(run.issues.filter(severity__in=NOTE_SEVERITIES)) if run else []


def _decide(
    document: Document, state: DocumentState, actor: User, *, note: str, despite: list[str] | None = None
) -> Document:
    document.move_to(state)
    document.reviewed_by, document.reviewed_at, document.review_note = actor, timezone.now(), note
    document.save()
    audit.record(
        actor=actor,
        action=KycAction.of("document", state.value),
        target=document,
        client_id=document.client_id,
        brand_id=document.client.brand_id,
        before={"state": DocumentState.PENDING_REVIEW.value},
        after={
            "state": state.value,
            "kind": document.kind,
            "reason_code": document.reason_code,
            "told": document.reason,
        },
        reason=note,
        evidence={"sha256": document.sha256, "despite": despite or []},
    )
    work.decide(document, actor=actor, outcome=state, reason=note or document.reason)
    return document


def _reopen(document: Document, actor: User) -> None:
    before = document.state
    document.move_to(DocumentState.PENDING_REVIEW)
    document.reviewed_by = document.reviewed_at = None
    document.reason_code = document.reason = document.review_note = ""
    document.save()
    audit.record(
        actor=actor,
        action=KycAction.REVIEW_UNDONE,
        target=document,
        client_id=document.client_id,
        brand_id=document.client.brand_id,
        before={"state": before},
        after={"state": document.state},
    )


def take_effect(document: Document) -> None:
    """Have a decision its consequences: timeline, events, the older document retired, expiry dates, the level."""
    document.settled_at = timezone.now()
    document.save(update_fields=["settled_at"])
    close_requests(document)
    if document.state == DocumentState.APPROVED:
        _retire_older(document)
        schedule_expiry([document])
        note_renewed(document.client)
    approved = document.state == DocumentState.APPROVED
    timeline.add_entry(
        client_id=document.client_id,
        kind=TimelineKind.DOCUMENT,
        actor=document.reviewed_by,
        title=_title(document) % {"title": document.title_words},
        body=document.reason,
        url=document.get_absolute_url(),
        is_visible_to_client=True,
        dedupe_key=f"document-decided:{document.pk}:{document.settled_at.isoformat()}",
    )
    publish(
        DocumentReviewed(
            document_id=document.pk,
            decision=document.state,
            reason=document.reason_code,
            client_id=document.client_id,
            brand_id=document.client.brand_id,
        ),
        actor=document.reviewed_by,
    )
    if approved:
        note_level(client=document.client, document=document, decided_by=document.reviewed_by)


def _title(document: Document) -> LocalizedText:
    is_automatic = document.decided_by_policy_id is not None
    if document.state == DocumentState.APPROVED:
        return phrase("%(title)s approved automatically") if is_automatic else phrase("%(title)s approved")
    return phrase("%(title)s rejected automatically") if is_automatic else phrase("%(title)s rejected")


def _retire_older(document: Document) -> None:
    """Replace earlier approved documents of the same kind and side."""
    older = Document.objects.filter(
        client_id=document.client_id,
        kind=document.kind,
        side=document.side,
        state__in=[DocumentState.APPROVED, DocumentState.EXPIRED],
        settled_at__isnull=False,
    ).exclude(pk=document.pk)
    retired = lock_all(older)
    cancel_expiry(retired)
    for earlier in retired:
        earlier.move_to(DocumentState.REPLACED)
        earlier.save(update_fields=["state"])
