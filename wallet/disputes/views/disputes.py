"""Disputes: the list, one with its history, the evidence, and accepting the loss."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clients.record.access import log_access
from clients.views import dialogs
from crm.choices import AccessKind
from crm.security.sealed_files import FileMissing
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from wallet.choices.disputes import DisputeState
from wallet.core import queries
from wallet.core.forms import ReasonForm
from wallet.disputes import evidence, policies
from wallet.disputes.forms import EvidenceForm
from wallet.disputes.verbs import accept_loss
from wallet.models import Dispute
from wallet.movements.history import story_of_dispute

ANSWERABLE = (DisputeState.INQUIRY, DisputeState.NEEDS_RESPONSE)


def find(request: UserRequest, pk: int, permission: str = "wallet.view_dispute") -> Dispute:
    rows = queries.disputes_visible_to(request.user).select_related("client__brand", "psp", "deposit", "submitted_by")
    return queries.one_of(rows, pk, request.user, permission)


@staff_page("wallet.view_dispute")
def dispute_page(request: UserRequest, pk: int) -> HttpResponse:
    dispute = find(request, pk)
    _note(request, dispute, AccessKind.VIEW)
    may_answer = policies.can_answer_dispute(request.user, dispute) and dispute.state in ANSWERABLE
    context = {
        "dispute": dispute,
        "story": story_of_dispute(dispute),
        "may_answer": may_answer,
        "may_read_evidence": bool(policies.can_answer_dispute(request.user, dispute)) and bool(dispute.evidence_key),
        "takes_evidence": may_answer and evidence.takes_evidence(dispute),
        "form": EvidenceForm(initial={"text": dispute.evidence_text}),
        "refuse_form": ReasonForm(prefix="accept"),
    }
    return render(request, "wallet/disputes/dispute.html", context)


def _note(request: UserRequest, dispute: Dispute, kind: AccessKind) -> None:
    log_access(request.user, dispute.client, f"wallet.dispute:{dispute.pk}", kind=kind)


@require_POST
@staff_page("wallet.answer_dispute")
def make_evidence(request: UserRequest, pk: int) -> HttpResponseBase:
    """Start the job that makes the evidence; with “submit” it is sent too."""
    dispute = find(request, pk, "wallet.answer_dispute")
    form = EvidenceForm(request.POST)
    done = run_action(
        request,
        lambda: evidence.order_evidence(
            dispute_id=dispute.pk, actor=request.user, text=form.cleaned_data["text"], submit="submit" in request.POST
        ),
        form=form,
    )
    if done:
        return redirect("job", pk=done.result.pk)
    return dialogs.show(
        request,
        form,
        url=f"/money/disputes/{dispute.pk}/",
        title=_("Evidence"),
        submit=_("Create evidence"),
        status=422,
    )


@require_safe
@staff_page("wallet.answer_dispute")
def download_evidence(request: UserRequest, pk: int) -> HttpResponseBase:
    dispute = find(request, pk, "wallet.answer_dispute")
    try:
        content = evidence.evidence_of(dispute)
        first = next(content)
    except (FileMissing, StopIteration):
        raise Http404 from None
    _note(request, dispute, AccessKind.EXPORT)
    name = f"evidence-{dispute.deposit.reference}.pdf"
    return FileResponse(_all(first, content), as_attachment=True, filename=name, content_type="application/pdf")


def _all(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


@require_POST
@staff_page("wallet.answer_dispute")
def sent_by_hand(request: UserRequest, pk: int) -> HttpResponseBase:
    dispute = find(request, pk, "wallet.answer_dispute")
    run_action(
        request,
        lambda: evidence.sent_by_hand(dispute_id=dispute.pk, actor=request.user),
        _("Evidence marked as submitted to the bank."),
    )
    return dialogs.back(request, f"/money/disputes/{dispute.pk}/")


@staff_page("wallet.answer_dispute")
def accept(request: UserRequest, pk: int) -> HttpResponseBase:
    dispute = find(request, pk, "wallet.answer_dispute")
    form = ReasonForm(request.POST or None)

    def do() -> None:
        accept_loss(dispute_id=dispute.pk, actor=request.user, reason=form.cleaned_data["reason"])

    return dialogs.run(
        request,
        form,
        do,
        url=f"/money/disputes/{dispute.pk}/",
        success_message=_("Loss accepted."),
        title=_("Accept loss"),
        submit=_("Accept loss"),
        tone="danger",
    )
