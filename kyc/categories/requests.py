"""A client's request to be treated as a professional: criteria, evidence, the warning they read, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.choices import Category
from clients.mail import send_mail_to
from clients.models import Client
from clients.policies import can
from clients.texts.letters import brand_values
from crm import approvals, work
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, Brand, User
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import Decision, require
from crm.security.request_context import current
from crm.security.scope import reach_of
from crm.texts.wording import Wording, store, wording_of
from kyc.audit_codes import KycAction
from kyc.brand_policies import CATEGORY_REVIEW_HOURS
from kyc.categories import policies
from kyc.categories.choices import CRITERIA_NEEDED, NEED_EVIDENCE, Criterion, RequestState
from kyc.categories.decisions import close_request
from kyc.categories.figures import trade_figures
from kyc.categories.models import CategoryEvidence, CategoryProposal, CategoryRequest
from kyc.categories.texts import WARNING
from kyc.choices import DocumentState, KycNotice
from kyc.models import Document
from kyc.questionnaires.models import sealed

STATEMENT_MAX = 1_000
DOCUMENTS_MAX = 10


def requests_visible_to(user: Actor) -> QuerySet[CategoryRequest]:
    """List the requests of clients in reach, for who sees categories."""
    if user is None or not user.is_team or not user.has_perm(policies.SEES):
        return CategoryRequest.objects.none()
    return CategoryRequest.objects.filter(client__book_id__in=reach_of(user).books)


class CategoryRequests(work.WorkKind[CategoryRequest]):
    """The queue of requests: a claim keeps colleagues out; nobody has to claim. It ends with the second person's decision."""

    model = CategoryRequest
    code, label = "kyc.category_request", gettext_lazy("Client category requests")
    right = policies.PROPOSES
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        RequestState.REJECTED: work.Outcome(gettext_lazy("Declined"), needs_reason=True)
    }
    hours = CATEGORY_REVIEW_HOURS
    needs_claim = False
    by_client = False
    queue_url = "kyc:category_requests"

    def visible_to(self, user: Actor) -> QuerySet[CategoryRequest]:
        return requests_visible_to(user)

    def may_work(self, user: Actor, subject: CategoryRequest) -> Decision:
        return can(user, subject.client, self.right)

    def rows(self) -> QuerySet[CategoryRequest]:
        return CategoryRequest.objects.select_related("client__brand", "client__book")

    def lock(self, subject_id: int) -> CategoryRequest:
        return _locked(subject_id)

    def title(self, subject: CategoryRequest) -> LocalizedText:
        return phrase("%(client)s: %(category)s") % {
            "client": subject.client,
            "category": Category(subject.wanted).label,
        }


REQUESTS = work.register(CategoryRequests)


def _locked(request_id: int) -> CategoryRequest:
    client_id = CategoryRequest.objects.values_list("client_id", flat=True).get(pk=request_id)
    lock(Client, client_id, no_key=True)
    return lock(CategoryRequest, request_id, "client__brand", "work")


def warning_of(brand: Brand, language: str) -> Wording:
    """Write the warning about lost protections, as a reader of this language sees it."""
    return wording_of(WARNING, brand, language, brand_values(brand, language))


def evidence_choices(client: Client) -> list[Document]:
    """List the documents that a client may attach: their own, not rejected or replaced."""
    states = (DocumentState.REJECTED, DocumentState.REPLACED, DocumentState.EXPIRED)
    rows = client.documents.filter(kind__in=("other", "source_of_funds")).exclude(state__in=states)
    return list(rows.order_by("-pk")[:50])


@transaction.atomic
def request_professional(
    *,
    client_id: int,
    actor: User,
    criteria: Sequence[str],
    statement: Mapping[str, str],
    evidence: Mapping[str, Sequence[int]],
    warning_sha256: str,
    language: str = "",
) -> CategoryRequest:
    """Ask to be treated as a professional, with the criteria, what proves them, and the warning that was read.

    statement: the client's own words by criterion. evidence: ids of their documents by criterion.
    Who: the client, verified and retail. Raises: NotAllowed, DomainError (too few criteria, no evidence, another warning),
    WrongState (one is open).
    """
    client = lock(Client, client_id, "brand", no_key=True)
    require(policies.can_ask(actor, client))
    claimed = [Criterion(code) for code in Criterion.values if code in criteria]
    if len(claimed) < CRITERIA_NEEDED:
        raise DomainError(_("At least two of the three criteria must apply to you."), code="criteria")
    if CategoryRequest.objects.filter(client=client, state=RequestState.OPEN).exists():
        raise WrongState(_("We already have your request and will reply soon."))
    if not warning_sha256:
        raise DomainError(_("Tick the box to confirm that you have read the warning."), code="warning")
    warning = warning_of(client.brand, language or translation.get_language() or client.language)
    if warning.sha256 != warning_sha256:
        raise DomainError(
            _("The warning has changed since you opened this page. Please read it again."), code="warning"
        )
    figures = trade_figures(client)
    if Criterion.TRADES in claimed and not figures.is_met and not statement.get(Criterion.TRADES, "").strip():
        raise DomainError(
            _("Your trades with us don't meet this criterion. Enter where else you have traded."), code="trades"
        )
    documents = _evidence(client, claimed, evidence)
    now = timezone.now()
    item = work.open_item(REQUESTS, client_id=client.pk, brand=client.brand, opened_at=now)
    row = CategoryRequest.objects.create(
        client=client,
        wanted=Category.PROFESSIONAL,
        criteria=[criterion.value for criterion in claimed],
        figures=figures.as_json(),
        statement_sealed=sealed(
            client.pk, {code.value: statement.get(code, "").strip()[:STATEMENT_MAX] for code in claimed}
        ),
        warning=store(warning),
        requested_by=actor,
        requested_at=now,
        ip=current().ip,
        work=item,
    )
    CategoryEvidence.objects.bulk_create(
        CategoryEvidence(request=row, criterion=criterion, document=document) for criterion, document in documents
    )
    _tell_of_request(row, client, actor)
    return row


def _evidence(
    client: Client, claimed: Sequence[Criterion], given: Mapping[str, Sequence[int]]
) -> list[tuple[Criterion, Document]]:
    """Find the documents; each criterion that needs one has one. Raises: DomainError."""
    own = {document.pk: document for document in evidence_choices(client)}
    found = []
    for criterion in claimed:
        documents = [own[pk] for pk in dict.fromkeys(given.get(criterion, ())) if pk in own][:DOCUMENTS_MAX]
        if not documents and criterion in NEED_EVIDENCE:
            raise DomainError(_("Attach at least one document that proves this."), code=criterion.value)
        found += [(criterion, document) for document in documents]
    return found


def _tell_of_request(row: CategoryRequest, client: Client, actor: User) -> None:
    audit.record(
        actor=actor,
        action=KycAction.CATEGORY_REQUESTED,
        target=row,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={"wanted": row.wanted, "criteria": row.criteria, "figures": row.figures},
        evidence={"warning_sha256": row.warning.sha256, "documents": [one.document_id for one in row.evidence.all()]},
    )
    notify(
        people_with(policies.PROPOSES, brand_id=client.brand_id),
        kind=KycNotice.CATEGORY_REQUESTED,
        title=phrase("%(client)s asks to be a professional client") % {"client": client},
        url=row.get_absolute_url(),
        dedupe_key=f"kyc.category_request:{row.pk}",
    )


@transaction.atomic
def decline_request(*, request_id: int, actor: User, answer: str) -> CategoryRequest:
    """Decline a request; the client reads why. The client keeps their protection, so nobody else has to agree.

    Who: `kyc.propose_category` in reach. Raises: NotAllowed, DomainError without an answer, WrongState (decided, or proposed
    to a second person already).
    """
    request = _locked(request_id)
    require(policies.can_decline(actor, request))
    text = answer.strip()
    if not text:
        raise DomainError(_("Enter why the request is declined. This text is sent to the client."))
    waiting = approvals.kind_of(CategoryProposal).awaiting(CategoryProposal.objects.filter(request=request))
    if waiting.exists():
        raise WrongState(_("This was proposed to a second person. Withdraw the proposal first."))
    request.move_to(RequestState.REJECTED)
    request.decided_by, request.decided_at, request.answer = actor, timezone.now(), text[:2_000]
    request.save()
    work.decide(request, actor=actor, outcome=RequestState.REJECTED, reason=text)
    audit.record(
        actor=actor,
        action=KycAction.CATEGORY_DECLINED,
        target=request,
        client_id=request.client_id,
        brand_id=request.client.brand_id,
        before={"state": RequestState.OPEN.value},
        after={"state": request.state},
        reason=text,
    )
    send_mail_to(
        client_id=request.client_id,
        template="kyc.category_declined",
        context={"reason": request.answer},
        dedupe_key=f"kyc.category_request:{request.pk}",
    )
    return request


@transaction.atomic
def withdraw_request(*, request_id: int, actor: User) -> CategoryRequest:
    """Take one's own request back while nobody has decided. Who: the client. Raises: NotAllowed, WrongState."""
    request = _locked(request_id)
    require(policies.is_own(actor, request.client))
    waiting = approvals.kind_of(CategoryProposal).awaiting(CategoryProposal.objects.filter(request=request))
    if waiting.exists():
        raise WrongState(_("Your request is being decided. Please contact support."))
    close_request(request, RequestState.WITHDRAWN, actor)
    audit.record(
        actor=actor,
        action=KycAction.CATEGORY_REQUEST_WITHDRAWN,
        target=request,
        client_id=request.client_id,
        brand_id=request.client.brand_id,
        before={"state": RequestState.OPEN.value},
        after={"state": request.state},
    )
    return request


def open_request_of(client: Client) -> CategoryRequest | None:
    """Find a client's open request."""
    return CategoryRequest.objects.filter(client=client, state=RequestState.OPEN).first()
