"""Screening a typed name: a form, and beside it what the lists say."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from compliance.brand_policies import SCREENING_THRESHOLD
from compliance.choices import EVIDENCE, IDENTIFIER_KINDS
from compliance.forms import NameCheckForm
from compliance.matches.name_check import Typed, check_name
from crm.ui.actions import run_action
from crm.ui.views import StaffView
from crm.web.requests import UserRequest


class NameCheck(StaffView):
    permission = "compliance.screen_client"

    def get(self, request: UserRequest) -> HttpResponse:
        return self._page(request, NameCheckForm())

    def post(self, request: UserRequest) -> HttpResponse:
        """Screen what was typed; the form keeps it."""
        form = NameCheckForm(request.POST)
        done = run_action(request, lambda: check_name(Typed(**form.cleaned_data), actor=request.user), form=form)
        return self._page(request, form, found=done.result if done else None)

    def _page(self, request: UserRequest, form: NameCheckForm, **more: Any) -> HttpResponse:
        context = {
            "form": form,
            "threshold": SCREENING_THRESHOLD.default,
            "evidence": EVIDENCE,
            "identifier_kinds": IDENTIFIER_KINDS,
            **more,
        }
        return render(request, "compliance/name_check.html", context, status=422 if form.errors else 200)
