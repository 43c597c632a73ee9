"""One document beside the registration: what the checks found and where, and the officer's decision."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.record.access import log_access
from crm import work
from crm.errors import DomainError, NotAllowed, WrongState
from crm.pages.work import remember, undoable
from crm.ui.actions import run_action
from crm.ui.views import StaffView
from crm.web.requests import UserRequest
from crm.work.queries import work_of
from kyc import comparison, policies, queries, reviews
from kyc.choices import REASON_FOR_ISSUE, REJECT_TEMPLATES, CorrectionReason, DocumentKind, DocumentState, RejectReason
from kyc.corrections.correcting import correct_field
from kyc.corrections.turning import turn_pages
from kyc.document_requests.reading import request_form, requests_about
from kyc.document_requests.requesting import request_document, withdraw_request
from kyc.escalations.escalating import escalate
from kyc.escalations.second_readers import ask_second_reader
from kyc.forms import ApproveForm, CorrectionForm, EscalateForm, RejectForm, RequestForm, SecondReaderForm
from kyc.models import Document
from kyc.reviews import REVIEW
from kyc.verdicts.forms import OverturnForm
from kyc.verdicts.policies import can_look, can_overturn
from kyc.verdicts.reaching import verdict_of
from kyc.verdicts.second_looks import open_look_at, second_reading_of


class Review(StaffView):
    """The document's page. Officers decide here; auditors read."""

    permission = "kyc.open_document"

    def get(self, request: UserRequest, document_id: int) -> HttpResponse:
        document = queries.get_document(request.user, document_id, permission="kyc.open_document")
        look = open_look_at(document) if document.is_overturnable or document.is_open else None
        is_reader = look is not None and (document.is_overturnable or look.work.claimed_by_id == request.user.pk)
        if look is not None and is_reader and can_look(request.user, look):
            return redirect(look)  # whoever may be asked for the second look doesn't read the first verdict before
        log_access(request.user, document.client, f"kyc.review:{document.pk}")
        return show(request, document)


def show(request: UserRequest, document: Document, **entered: forms.Form) -> HttpResponse:
    """Show the page, perhaps with a form that was refused: it keeps what was typed.

    entered: approve, reject, overturn, correction, asking, escalation or reader.
    """
    user = request.user
    run = queries.last_run(document)
    issues = queries.issues_of(document, run)
    others = queries.documents_of(document.client)
    refused = next((form for form in entered.values() if form.errors), None)
    correction = entered.get("correction")
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
        "requests": requests_about(document),
        "request_form": entered.get("asking") or request_form(document),
        "escalate_form": entered.get("escalation") or EscalateForm(),
        "reader_form": entered.get("reader") or SecondReaderForm(),
        "second_reading": second_reading_of(document),
        "can_open": True,
        "turn_url": reverse("kyc:turn", args=[document.pk]),
        "other_side": queries.other_side_in(document, others),
        "can_correct": bool(can_decide) and run is not None,
        "correcting": correction.data.get("field", "") if correction else "",
        "correction_form": correction,
        "correction_reasons": CorrectionReason.choices,
        "can_review": policies.can_review(user, document),
        "can_decide": can_decide,
        # The forms are gone with the right to decide: why, and what was typed, is said without them.
        "refused": refused if not can_decide else None,
        "typed": [text for name in ("reason", "note") if refused and (text := refused.data.get(name))],
        "work": work_of(user, document.work_id),
        "approve_form": entered.get("approve")
        or ApproveForm(
            initial={"expires_on": document.expires_on, "issued_on": document.issued_on}, needs_note=needs_note
        ),
        "reject_form": entered.get("reject") or RejectForm(initial=_suggested(issues)),
        "templates": {reason.value: str(REJECT_TEMPLATES[reason]) for reason in RejectReason},
        "undo": undoable(request),
        "verdict": verdict_of(document),
        "can_overturn": document.is_overturnable and bool(can_overturn(user, document)),
        "overturn_form": entered.get("overturn") or OverturnForm(),
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


class Correct(StaffView):
    """Correct one field to what the document says; the checks run again on it."""

    permission = "kyc.review_document"

    def post(self, request: UserRequest, document_id: int) -> HttpResponse:
        document = queries.get_document(request.user, document_id, permission="kyc.review_document")
        form = CorrectionForm(request.POST)
        done = run_action(
            request,
            lambda: correct_field(document_id=document.pk, actor=request.user, **form.cleaned_data),
            form=form,
            field=lambda error: None if isinstance(error, NotAllowed | WrongState) else "value",
            show_forbidden=True,
        )
        if not done:
            return show(request, queries.get_document(request.user, document_id), correction=form)
        left = done.result.run.issues.count()
        messages.success(
            request,
            _("%(field)s corrected. The checks ran again: ") % {"field": comparison.FIELD_LABELS[done.result.field]}
            + (
                ngettext("%(count)s issue is left.", "%(count)s issues are left.", left) % {"count": left}
                if left
                else _("no issues are left.")
            ),
        )
        return redirect(document)


class Ask(StaffView):
    """Ask the client for another document; the one under review waits for it."""

    permission = "kyc.review_document"

    def post(self, request: UserRequest, document_id: int) -> HttpResponse:
        document = queries.get_document(request.user, document_id, permission="kyc.review_document")
        form = RequestForm(request.POST, language=document.client.language)
        if run_action(
            request,
            lambda: request_document(document_id=document.pk, actor=request.user, **form.cleaned_data),
            _("Document requested. This one comes back to you when it arrives."),
            form=form,
            field=lambda error: "due_on" if error.code == "due_on" else None,
            show_forbidden=True,
        ):
            following = work.claim_next(REVIEW, actor=request.user)
            return redirect(REVIEW.subject(following)) if following else redirect("kyc:queue")
        return show(request, queries.get_document(request.user, document_id), asking=form)


class Escalate(StaffView):
    """Hand the document to a head of the officers."""

    permission = "kyc.review_document"

    def post(self, request: UserRequest, document_id: int) -> HttpResponse:
        document = queries.get_document(request.user, document_id, permission="kyc.review_document")
        form = EscalateForm(request.POST)
        if run_action(
            request,
            lambda: escalate(document_id=document.pk, actor=request.user, **form.cleaned_data),
            _("Document escalated. A head of the officers was notified."),
            form=form,
            show_forbidden=True,
        ):
            return redirect("kyc:queue")
        return show(request, queries.get_document(request.user, document_id), escalation=form)


class AskSecondReader(StaffView):
    """Ask a colleague to judge the document without knowing one's opinion."""

    permission = "kyc.review_document"

    def post(self, request: UserRequest, document_id: int) -> HttpResponse:
        document = queries.get_document(request.user, document_id, permission="kyc.review_document")
        form = SecondReaderForm(request.POST)
        if run_action(
            request,
            lambda: ask_second_reader(document_id=document.pk, actor=request.user, **form.cleaned_data),
            _("Second reader requested. If they agree, the document comes back to you."),
            form=form,
            show_forbidden=True,
        ):
            return redirect("kyc:queue")
        return show(request, queries.get_document(request.user, document_id), reader=form)


class WithdrawRequest(StaffView):
    permission = "kyc.review_document"

    def post(self, request: UserRequest, document_id: int, request_id: int) -> HttpResponse:
        document = queries.get_document(request.user, document_id, permission="kyc.review_document")
        asked = next((row for row in requests_about(document) if row.pk == request_id), None)
        if asked is None:
            raise Http404
        run_action(
            request,
            lambda: withdraw_request(request_id=asked.pk, actor=request.user),
            _("Request withdrawn."),
            show_forbidden=True,
        )
        return redirect(document)


class Turn(StaffView):
    """Remember how a document's pages are shown, for everybody who opens it."""

    permission = "kyc.open_document"

    def post(self, request: UserRequest, document_id: int) -> HttpResponse:
        document = queries.get_document(request.user, document_id, permission="kyc.open_document")
        given = request.POST.get("quarters", "")
        if given not in ("0", "1", "2", "3"):
            return HttpResponse(status=400)
        turn_pages(document_id=document.pk, quarters=int(given), actor=request.user)
        return HttpResponse(status=204)


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
