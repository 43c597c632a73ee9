"""Overturning an automatic approval from the document's page."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from crm.ui.actions import run_action
from crm.ui.views import StaffView
from crm.web.requests import UserRequest
from kyc import queries
from kyc.verdicts.forms import OverturnForm
from kyc.verdicts.overturning import overturn
from kyc.views import review


class Overturn(StaffView):
    permission = "kyc.review_document"

    def post(self, request: UserRequest, document_id: int) -> HttpResponse:
        document = queries.get_document(request.user, document_id, permission="kyc.review_document")
        form = OverturnForm(request.POST)
        if run_action(
            request,
            lambda: overturn(document_id=document.pk, actor=request.user, **form.cleaned_data),
            _("Approval overturned. The client is asked for another document."),
            form=form,
            show_forbidden=True,
        ):
            return redirect(document)
        return review.show(request, queries.get_document(request.user, document_id), overturn=form)
