"""The months of the books: the state of each, its checklist and trial balance, closing and reopening."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.approvals.queries import proposal_of
from crm.choices import AccessKind, ApprovalState
from crm.errors import DomainError
from crm.files.jobs import start_job
from crm.security import access_log
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from wallet.choices.month_end import PeriodState
from wallet.closing import periods
from wallet.closing import policies as closing_policies
from wallet.closing.period_checks import checks_of
from wallet.closing.sign_offs import signatures_of
from wallet.closing.trial_balance import trial_balance
from wallet.core import queries
from wallet.core.forms import OptionalReasonForm, ReasonForm
from wallet.models import Period, PeriodReopening

MONTHS_SHOWN = 120


@staff_page("wallet.view_period")
def period_list(request: UserRequest) -> HttpResponse:
    """Show the newest months of every brand in reach, grouped by brand."""
    rows = queries.periods_visible_to(request.user).select_related("brand", "closed_by")
    shown = list(rows.order_by("-first_day", "brand_id")[:MONTHS_SHOWN])
    waiting = set(
        PeriodReopening.objects.filter(period__in=shown, state=ApprovalState.PENDING).values_list(
            "period_id", flat=True
        )
    )
    shown.sort(key=lambda period: (period.brand.name, period.brand_id))
    brands = [(brand, list(group)) for brand, group in groupby(shown, key=lambda period: period.brand)]
    return render(request, "wallet/closing/periods.html", {"brands": brands, "waiting": waiting})


def _find(request: UserRequest, pk: int) -> Period:
    rows = queries.periods_visible_to(request.user).select_related("brand", "closed_by")
    return queries.one_of(rows, pk, request.user, "wallet.view_period")


@staff_page("wallet.view_period")
def period_page(request: UserRequest, pk: int) -> HttpResponse:
    return show_period(request, _find(request, pk))


def show_period(
    request: UserRequest, period: Period, wrong: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    reopenings = list(period.reopenings.select_related("requested_by", "decided_by", "period")[:20])
    waiting = next((reopening for reopening in reopenings if reopening.state == ApprovalState.PENDING), None)
    checks = checks_of(period) if period.state == PeriodState.OPEN else []
    context: dict[str, Any] = {
        "period": period,
        "wishes": reopenings,
        "waiting": waiting,
        "checks": checks,
        "blocked": any(check.blocks and not check.is_fine for check in checks),
        "trial": trial_balance(period) if period.state != PeriodState.CLOSING else None,
        "signed": period.state == PeriodState.OPEN and signatures_of(period).are_enough,
        "may_close": closing_policies.can_close_period(request.user, period.brand_id),
        "is_last_closed": _is_last_closed(period),
        "proposal": proposal_of(waiting, request.user) if waiting else None,
        "close_form": OptionalReasonForm(prefix="close"),
        "ask_form": ReasonForm(prefix="ask"),
        **(wrong or {}),
    }
    return render(request, "wallet/closing/period.html", context, status=status)


def _is_last_closed(period: Period) -> bool:
    later = Period.objects.filter(brand_id=period.brand_id, first_day__gt=period.last_day).exclude(
        state=PeriodState.OPEN
    )
    return period.state == PeriodState.CLOSED and not later.exists()


def _do(
    request: UserRequest, period: Period, name: str, form: forms.Form, work: Callable[[str], Any], message: str
) -> HttpResponseBase:
    """Run a verb with the form's reason; a refusal shows the page again with what was typed."""
    done = run_action(request, lambda: work(form.cleaned_data["reason"]), message, form=form, show_forbidden=True)
    if done:
        return redirect("job", pk=done.result.pk) if name == "close_form" else redirect("wallet:period", pk=period.pk)
    return show_period(request, period, {name: form}, status=422)


@require_POST
@staff_page("wallet.close_period")
def period_close(request: UserRequest, pk: int) -> HttpResponseBase:
    """Start the job that closes a month."""
    period, form = _find(request, pk), OptionalReasonForm(request.POST, prefix="close")

    def work(note: str) -> Any:
        return periods.order_closing(period_id=pk, actor=request.user, note=note)

    return _do(request, period, "close_form", form, work, _("Closing %(month)s.") % {"month": period})


@require_POST
@staff_page("wallet.close_period")
def reopening_ask(request: UserRequest, pk: int) -> HttpResponseBase:
    period, form = _find(request, pk), ReasonForm(request.POST, prefix="ask")

    def work(reason: str) -> Any:
        return periods.request_reopening(period_id=pk, actor=request.user, reason=reason)

    return _do(request, period, "ask_form", form, work, _("Reopening requested. Awaiting second approval."))


@require_POST
@staff_page("wallet.export_money")
def trial_balance_export(request: UserRequest, pk: int) -> HttpResponseBase:
    """Start the job that writes the last closing's trial balance: `ending` is csv (every account) or pdf (by kind)."""
    period = _find(request, pk)
    ending = "pdf" if request.POST.get("ending") == "pdf" else "csv"
    if period.state != PeriodState.CLOSED:
        raise DomainError(_("The trial balance is available once the month is closed."))
    access_log.note(
        user=request.user,
        kind=AccessKind.EXPORT,
        brand_id=period.brand_id,
        target=f"wallet.trial_balance:{period.pk}:{period.closings}",
    )
    job = start_job(
        "wallet.trial_balance",
        owner=request.user,
        title=_("Trial balance %(month)s of %(brand)s") % {"month": period, "brand": period.brand},
        parameters={"period_id": period.pk, "closing": period.closings, "ending": ending},
    )
    return redirect("job", pk=job.pk)
