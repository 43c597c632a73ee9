"""Month-end on one page: what is open before it can be closed, the signatures of two people, the pack."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.choices import AccessKind
from crm.files.jobs import start_job
from crm.models import Job
from crm.security import access_log
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from wallet.choices.month_end import PeriodState
from wallet.closing import policies as closing_policies
from wallet.closing import revaluation, second_signature, sign_offs
from wallet.closing.month_end import AGES, month_end_of
from wallet.closing.views.client_money import brands_of, find_month
from wallet.core import queries
from wallet.core.forms import OptionalReasonForm
from wallet.core.months import Month
from wallet.ledger import policies as ledger_policies
from wallet.models import MonthSignOff, Period


@staff_page("wallet.view_period")
def month_start(request: UserRequest) -> HttpResponseBase:
    """Go to the first open month that is over, of the first brand in reach; without one, to the newest."""
    visible = queries.periods_visible_to(request.user).select_related("brand")
    today = timezone.now().astimezone(dt.UTC).date()
    period = (
        visible.filter(state=PeriodState.OPEN, last_day__lt=today).order_by("brand__name", "first_day").first()
        or visible.order_by("brand__name", "-first_day").first()
    )
    if period is None:
        return redirect("wallet:periods")
    return redirect("wallet:month_end", brand=period.brand.code, month=str(period))


def _find(request: UserRequest, brand: str, month: str) -> Period:
    rows = queries.periods_visible_to(request.user).select_related("brand", "closed_by")
    period = rows.filter(brand__code=brand, first_day=find_month(month).first).first()
    if period is None:
        raise Http404
    return period


@staff_page("wallet.view_period")
def month_page(request: UserRequest, brand: str, month: str) -> HttpResponse:
    return show_month(request, _find(request, brand, month))


def show_month(
    request: UserRequest, period: Period, wrong: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    month_end = month_end_of(period)
    may_close = closing_policies.can_close_period(request.user, period.brand_id)
    mine = next(
        (signature for signature in month_end.signatures.valid if signature.signed_by_id == request.user.pk), None
    )
    neighbours = set(
        Period.objects.filter(
            brand_id=period.brand_id,
            first_day__in=[Month(period.first_day).before.first, Month(period.first_day).after.first],
        ).values_list("first_day", flat=True)
    )
    month = Month(period.first_day)
    context: dict[str, Any] = {
        "period": period,
        "brand": period.brand,
        "brands": brands_of(request.user),
        "found": month_end,
        "ages": AGES,
        "may_close": may_close,
        "mine": mine,
        "sign_form": OptionalReasonForm(prefix="sign"),
        "before": month.before if month.before.first in neighbours else None,
        "after": month.after if month.after.first in neighbours else None,
        "may_write": ledger_policies.can_write_journal(request.user, period.brand_id),
        "may_export": request.user.has_perm("wallet.export_money"),
        **(wrong or {}),
    }
    return render(request, "wallet/closing/month_end.html", context, status=status)


def _back(period: Period) -> HttpResponseBase:
    return redirect("wallet:month_end", brand=period.brand.code, month=str(period))


@require_POST
@staff_page("wallet.close_period")
def month_sign(request: UserRequest, brand: str, month: str) -> HttpResponseBase:
    """Sign a month; the second signature starts the job that closes it."""
    period, form = _find(request, brand, month), OptionalReasonForm(request.POST, prefix="sign")

    def sign() -> Job | None:
        note = form.cleaned_data["reason"]
        return second_signature.sign_and_close(period_id=period.pk, actor=request.user, note=note)

    def message(closing: Job | None) -> str:
        if closing is None:
            return _("Signed. The month closes after the second signature.")
        return _("Both signatures given. Closing %(month)s.") % {"month": period}

    done = run_action(request, sign, message, form=form, show_forbidden=True)
    if done:
        return redirect("job", pk=done.result.pk) if done.result else _back(period)
    return show_month(request, period, {"sign_form": form}, status=422)


@require_POST
@staff_page("wallet.close_period")
def signature_withdraw(request: UserRequest, pk: int) -> HttpResponseBase:
    rows = MonthSignOff.objects.filter(period__in=queries.periods_visible_to(request.user)).select_related(
        "period__brand"
    )
    signed = queries.one_of(rows, pk, request.user, "wallet.close_period")
    run_action(
        request,
        lambda: sign_offs.withdraw_signature(sign_off_id=signed.pk, actor=request.user),
        _("Signature withdrawn."),
        show_forbidden=True,
    )
    return _back(signed.period)


@require_POST
@staff_page("wallet.write_journal")
def month_revalue(request: UserRequest, brand: str, month: str) -> HttpResponseBase:
    """Propose the journal that revalues foreign currencies."""
    period = _find(request, brand, month)
    done = run_action(
        request,
        lambda: revaluation.propose_revaluation(period_id=period.pk, actor=request.user),
        lambda manual: _("%(journal)s created. Awaiting second approval.") % {"journal": manual},
        show_forbidden=True,
    )
    return redirect("wallet:manual_journal", pk=done.result.pk) if done else _back(period)


@require_POST
@staff_page("wallet.export_money")
def month_pack(request: UserRequest, brand: str, month: str) -> HttpResponseBase:
    """Start the job that writes the month's pack (`ending`: pdf, xlsx, or zip with both and the evidence)."""
    period, ending = _find(request, brand, month), request.POST.get("ending", "zip")
    if ending not in ("pdf", "xlsx", "zip"):
        raise Http404
    access_log.note(
        user=request.user,
        kind=AccessKind.EXPORT,
        brand_id=period.brand_id,
        target=f"wallet.month_pack:{period.brand.code}:{period}:{ending}",
    )
    job = start_job(
        "wallet.month_pack",
        owner=request.user,
        title=_("Month pack %(month)s of %(brand)s") % {"month": period, "brand": period.brand},
        parameters={"period_id": period.pk, "ending": ending},
    )
    return redirect("job", pk=job.pk)
