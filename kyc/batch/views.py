"""The batch view: a grid of pictures with one doubt each, a preview, then one decision after the other."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.record.access import log_access
from crm import work
from crm.models import User
from crm.pages.work import all_undoable, remember_all
from crm.pages.work_decisions import DecideSelected
from crm.ui.views import StaffView
from crm.web.requests import UserRequest
from kyc import reviews
from kyc.batch.reading import SIZE, cards_of, claim_batch, claimed_by, opened_by, qualifying
from kyc.choices import DocumentState
from kyc.models import Document
from kyc.reviews import REVIEW
from kyc.tables import DocumentQueueTable
from kyc.urgency.order import flaw_label


class Batch(StaffView):
    """The files of the batch that one has claimed; a POST claims the next ones."""

    permission = "kyc.review_document"

    def get(self, request: UserRequest) -> HttpResponse:
        documents = list(claimed_by(request.user)[:SIZE])
        for document in documents:
            log_access(request.user, document.client, f"kyc.review:{document.pk}")
        context = {
            "cards": cards_of(documents),
            "waiting": len(qualifying(request.user).values_list("pk", flat=True)[:100]),
            "undos": all_undoable(request),
        }
        return render(request, "kyc/batch/grid.html", context)

    def post(self, request: UserRequest) -> HttpResponse:
        if not claim_batch(actor=request.user) and not claimed_by(request.user).exists():
            messages.info(request, _("No file qualifies for the batch view now."))
            return redirect(REVIEW.queue_url)
        return redirect("kyc:batch")


class ConfirmForm(forms.Form):
    """A note for all of them; each one's doubt is noted separately."""

    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("For colleagues and auditors, beside the doubt that each file has."),
    )


class ConfirmBatch(DecideSelected):
    """Approve the files whose pictures one has seen: a preview first, then each in its own transaction."""

    kind, table, permission = REVIEW, DocumentQueueTable, "kyc.review_document"
    outcome = DocumentState.APPROVED
    form_class = ConfirmForm
    title = gettext_lazy("Approve files with one doubt")
    back_url = "kyc:batch"

    @cached_property
    def _claimed(self) -> dict[int, Document]:
        return {document.pk: document for document in claimed_by(self.request.user)}

    @cached_property
    def _seen(self) -> set[int]:
        return opened_by(self.request.user, self._claimed.values())

    def check(self, subject: Document, data: dict[str, Any]) -> str:
        if subject.pk not in self._claimed:
            return _("This file doesn't qualify any more, or your claim has expired.")
        if subject.pk not in self._seen:
            return _("Its picture hasn't been shown to you since you claimed it.")
        return ""

    def decide(self, subject: Document, user: User, data: dict[str, Any]) -> object:
        note = _("Compared in the batch view. Doubt: %(doubt)s.") % {"doubt": flaw_label(subject.doubt)}
        return reviews.approve(document_id=subject.pk, actor=user, note=f"{note} {data['note']}".strip())

    def decided(self, request: UserRequest, lines: list[work.DecisionLine]) -> None:
        remember_all(request, [line.item.pk for line in lines if line.is_done])
