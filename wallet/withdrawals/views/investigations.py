"""How a payment ended, as people found it out: written down by one, booked by another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from wallet.core import queries
from wallet.core.forms import OptionalReasonForm, ReasonForm
from wallet.models import PayoutFinding
from wallet.withdrawals import investigations
from wallet.withdrawals.investigation_pages import finding_form
from wallet.withdrawals.views.withdrawals import find_withdrawal, show_withdrawal

PERMISSION = investigations.DECIDES


@require_POST
@staff_page(PERMISSION)
def say(request: UserRequest, withdrawal_id: int) -> HttpResponseBase:
    withdrawal = find_withdrawal(request, withdrawal_id)
    form = finding_form(withdrawal, investigations.possible(withdrawal), request.POST)
    done = run_action(
        request,
        lambda: investigations.say_what_happened(withdrawal_id=withdrawal.pk, actor=request.user, **form.cleaned_data),
        _("Written down. Somebody else books it."),
        form=form,
    )
    if done:
        return redirect("wallet:withdrawal", withdrawal_id=withdrawal.pk)
    empty = OptionalReasonForm(prefix="approve"), ReasonForm(prefix="reject")
    return show_withdrawal(request, withdrawal, *empty, status=422, finding_form=form)


def _finding(request: UserRequest, pk: int) -> PayoutFinding:
    reached = queries.withdrawals_visible_to(request.user).values("pk")
    rows = PayoutFinding.objects.filter(withdrawal__in=reached)
    return queries.one_of(rows, pk, request.user, PERMISSION)


def _do(
    request: HttpRequest, one: PayoutFinding, form: forms.Form | None, work: Callable[[str], Any], done: str
) -> HttpResponseBase:
    if form is not None and not form.is_valid():
        messages.error(request, _("Say what is wrong with it."))
    else:
        run_action(request, lambda: work(form.cleaned_data["reason"] if form is not None else ""), done)
    return redirect("wallet:withdrawal", withdrawal_id=one.withdrawal_id)


@require_POST
@staff_page(PERMISSION)
def agree(request: UserRequest, pk: int) -> HttpResponseBase:
    return _do(
        request,
        _finding(request, pk),
        OptionalReasonForm(request.POST, prefix="agree"),
        lambda note: investigations.agree(finding_id=pk, actor=request.user, note=note),
        _("Booked."),
    )


@require_POST
@staff_page(PERMISSION)
def refuse(request: UserRequest, pk: int) -> HttpResponseBase:
    return _do(
        request,
        _finding(request, pk),
        ReasonForm(request.POST, prefix="refuse"),
        lambda note: investigations.refuse(finding_id=pk, actor=request.user, note=note),
        _("Refused."),
    )


@require_POST
@staff_page(PERMISSION)
def withdraw(request: UserRequest, pk: int) -> HttpResponseBase:
    """What somebody wrote down and nobody agreed to yet."""
    return _do(
        request,
        _finding(request, pk),
        None,
        lambda _note: investigations.withdraw(finding_id=pk, actor=request.user),
        _("Withdrawn."),
    )
