"""One document beside the registration: what the checks found and where, and the officer's decision."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from clients.queries import is_in_own_book
from crm import work
from crm.choices import AccessKind
from crm.errors import DomainError, NotAllowed, WrongState
from crm.pages.work import remember, undoable
from crm.security import access_log
from crm.ui.actions import run_action
from crm.ui.views import StaffView
from crm.web.requests import UserRequest
from crm.work.queries import work_of
from kyc import comparison, policies, queries, reviews
from kyc.choices import REASON_FOR_ISSUE, REJECT_TEMPLATES, DocumentKind, DocumentState, RejectReason
from kyc.forms import ApproveForm, RejectForm
from kyc.models import Document
from kyc.reviews import REVIEW
from kyc.verdicts.forms import OverturnForm
from kyc.verdicts.policies import can_look, can_overturn
from kyc.verdicts.reaching import verdict_of
from kyc.verdicts.second_looks import open_look_at


class Review(StaffView):
    """The document's page. Officers decide here; auditors read."""

    permission = "kyc.open_document"

    def get(self, request: UserRequest, document_id: int) -> HttpResponse:
        document = queries.get_document(request.user, document_id, permission="kyc.open_document")
        look = open_look_at(document) if document.is_overturnable else None
        if look is not None and can_look(request.user, look):
            return redirect(look)  # whoever may be asked for the second look doesn't read the first verdict before
        access_log.note(
            user=request.user,
            kind=AccessKind.VIEW,
            client_id=document.client_id,
            brand_id=document.client.brand_id,
            target=f"kyc.review:{document.pk}",
            in_book=is_in_own_book(request.user, document.client),
        )
        return show(request, document)


def show(
    request: UserRequest,
    document: Document,
    *,
    approve: ApproveForm | None = None,
    reject: RejectForm | None = None,
    overturn: OverturnForm | None = None,
) -> HttpResponse:
    """Show the page, perhaps with a form that was refused: it keeps what was typed."""
    user = request.user
    run = queries.last_run(document)
    issues = queries.issues_of(document, run)
    others = queries.documents_of(document.client)
    refused = next((form for form in (approve, reject, overturn) if form is not None and form.errors), None)
    needs_note = any(shown.issue.severity in reviews.NOTE_SEVERITIES for shown in issues)
    can_decide = policies.can_decide(user, document) if document.state == DocumentState.PENDING_REVIEW else None
    context = {
        "document": document,
        "client": document.client,
        "run": run,
        "issues": issues,
        "seen_before": queries.seen_before(user, document),
        "groups": comparison.grouped(issues),
        "pages": comparison.page_sizes(document, run),
        "rows": comparison.rows_of(document, issues),
        "others": [other for other in others if other.pk != document.pk][:12],
        "can_review": policies.can_review(user, document),
        "can_decide": can_decide,
        # The forms are gone with the right to decide: why, and what was typed, is said without them.
        "refused": refused if not can_decide else None,
        "typed": [text for name in ("reason", "note") if refused and (text := refused.data.get(name))],
        "work": work_of(user, document.work_id),
        "approve_form": approve
        or ApproveForm(
            initial={"expires_on": document.expires_on, "issued_on": document.issued_on}, needs_note=needs_note
        ),
        "reject_form": reject or RejectForm(initial=_suggested(issues)),
        "templates": {reason.value: str(REJECT_TEMPLATES[reason]) for reason in RejectReason},
        "undo": undoable(request),
        "verdict": verdict_of(document),
        "can_overturn": document.is_overturnable and bool(can_overturn(user, document)),
        "overturn_form": overturn or OverturnForm(),
    }
    return render(request, "kyc/review.html", context, status=422 if refused else 200)


def _field_of(error: DomainError, document: Document) -> str | None:
    """Name the field where the approval's form shows a refusal; of a proof of address it asks for the day of issue instead."""
    if error.code == "expired" and document.kind != DocumentKind.PROOF_OF_ADDRESS:
        return "expires_on"
    return {"needs_note": "note", "issued_on": "issued_on"}.get(error.code)


def _suggested(issues: list[queries.ShownIssue]) -> dict[str, str]:
    """Suggest the reason of the worst issue, with its text; nothing where the checks found nothing."""
    reason = next((REASON_FOR_ISSUE[shown.code] for shown in issues if shown.code in REASON_FOR_ISSUE), None)
    return {"reason_code": reason.value, "reason": str(REJECT_TEMPLATES[reason])} if reason else {}


class Approve(StaffView):
    permission = "kyc.review_document"

    def post(self, request: UserRequest, document_id: int) -> HttpResponse:
        document = queries.get_document(request.user, document_id, permission="kyc.review_document")
        form = ApproveForm(request.POST, needs_note=bool(reviews.issues_that_need_a_note(document)))
        done = run_action(
            request,
            lambda: reviews.approve(document_id=document.pk, actor=request.user, **form.cleaned_data),
            form=form,
            field=lambda error: _field_of(error, document),
            show_forbidden=True,
        )
        if done and done.result.state == DocumentState.PENDING_REVIEW:
            return go_on(request, document, _("%(title)s of %(client)s proposed: a colleague has to approve it."))
        if done:
            return go_on(request, document, _("%(title)s of %(client)s approved."))
        return show(request, queries.get_document(request.user, document_id), approve=form)


class Reject(StaffView):
    permission = "kyc.review_document"

    def post(self, request: UserRequest, document_id: int) -> HttpResponse:
        document = queries.get_document(request.user, document_id, permission="kyc.review_document")
        form = RejectForm(request.POST)
        if run_action(
            request,
            lambda: reviews.reject(document_id=document.pk, actor=request.user, **form.cleaned_data),
            form=form,
            field=lambda error: None if isinstance(error, NotAllowed | WrongState) else "reason",
            show_forbidden=True,
        ):
            return go_on(request, document, _("%(title)s of %(client)s rejected."))
        return show(request, queries.get_document(request.user, document_id), reject=form)


def go_on(request: UserRequest, document: Document, done: str) -> HttpResponse:
    """Go to the client's next waiting document, then to the next client; the last decision can be undone there."""
    remember(request, document.work_id)
    messages.success(request, done % {"title": document.title, "client": document.client})
    following = work.claim_next(REVIEW, actor=request.user, after=document.work)
    return redirect(REVIEW.subject(following)) if following else redirect("kyc:queue")
