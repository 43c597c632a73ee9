"""Client money: a month's days of a brand, one day as a regulator's daily calculation, recomputing, the report as a file."""

from __future__ import annotations

import datetime as dt
from itertools import groupby

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.choices import AccessKind
from crm.files.jobs import start_job
from crm.models import Brand, User
from crm.security import access_log
from crm.security.scope import reach_of
from crm.ui.actions import run_action
from crm.ui.charts import Chart, Series
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from wallet.closing import client_money
from wallet.core.forms import ReasonForm
from wallet.core.months import Month, month_named
from wallet.models import ClientMoneyDay


def brands_of(user: User) -> list[Brand]:
    return list(Brand.objects.filter(pk__in=reach_of(user).whole_brands).order_by("name"))


def find_brand(user: User, code: str) -> Brand:
    """Return a brand that the person reaches as a whole, else Http404."""
    brand = Brand.objects.filter(pk__in=reach_of(user).whole_brands, code=code).first()
    if brand is None:
        raise Http404
    return brand


def find_month(name: str) -> Month:
    month = month_named(name)
    if month is None:
        raise Http404
    return month


@staff_page("wallet.view_account")
def client_money_start(request: UserRequest) -> HttpResponseBase:
    brands = brands_of(request.user)
    if not brands:
        raise Http404
    return redirect("wallet:client_money", brand=brands[0].code)


@staff_page("wallet.view_account")
def client_money_page(request: UserRequest, brand: str) -> HttpResponse:
    """Show the days of a month, newest first. `?month=` and `?currency=` choose."""
    chosen = find_brand(request.user, brand)
    month = find_month(request.GET.get("month") or f"{timezone.now().astimezone(dt.UTC):%Y-%m}")
    rows = client_money.newest(
        client_money.days_visible_to(request.user).filter(brand=chosen, day__range=(month.first, month.last))
    )
    base = chosen.base_currency
    currencies = sorted({row.currency for row in rows}, key=lambda code: (code != base, code))
    currency = request.GET.get("currency", "")
    currency = currency if currency in currencies else next(iter(currencies), "")
    of_currency = [row for row in rows if row.currency == currency]
    context = {
        "brand": chosen,
        "brands": brands_of(request.user),
        "month": month,
        "currencies": currencies,
        "currency": currency,
        "rows": of_currency,
        "last": of_currency[0] if of_currency else None,
        "chart": _chart(of_currency, currency),
        "short": [row for row in rows if row.difference_minor < 0],
        "may_compute": request.user.has_perm("wallet.close_period"),
        "may_export": request.user.has_perm("wallet.export_money"),
    }
    return render(request, "wallet/closing/client_money.html", context)


def _chart(rows: list[ClientMoneyDay], currency: str) -> Chart | None:
    if len(rows) < 2:
        return None
    days = rows[::-1]
    return Chart(
        id="client-money",
        x=[row.day for row in days],
        series=[
            Series(_("Held"), [row.resource for row in days], tone="success", kind="area", unit=currency),
            Series(_("Owed"), [row.requirement for row in days], tone="warning", kind="line", unit=currency),
        ],
    )


def _find_day(name: str) -> dt.date:
    try:
        return dt.date.fromisoformat(name)
    except ValueError as error:
        raise Http404 from error


@staff_page("wallet.view_account")
def day_page(request: UserRequest, brand: str, day: str) -> HttpResponse:
    return show_day(request, find_brand(request.user, brand), _find_day(day))


def show_day(
    request: UserRequest, brand: Brand, day: dt.date, form: ReasonForm | None = None, status: int = 200
) -> HttpResponse:
    """Show every currency of a day with all its versions, the newest first."""
    rows = list(
        client_money.days_visible_to(request.user)
        .filter(brand=brand, day=day)
        .select_related("made_by")
        .order_by("currency", "-version")[:200]
    )
    versions = [(currency, list(group)) for currency, group in groupby(rows, key=lambda row: row.currency)]
    versions.sort(key=lambda pair: (pair[0] != brand.base_currency, pair[0]))
    context = {
        "brand": brand,
        "day": day,
        "currencies": [(group[0], group[1:]) for _code, group in versions],
        "before": day - dt.timedelta(days=1),
        "after": day + dt.timedelta(days=1),
        "form": form or ReasonForm(),
        "may_compute": request.user.has_perm("wallet.close_period"),
        "is_over": day < timezone.now().astimezone(dt.UTC).date(),
    }
    return render(request, "wallet/closing/client_money_day.html", context, status=status)


@require_POST
@staff_page("wallet.close_period")
def day_again(request: UserRequest, brand: str, day: str) -> HttpResponseBase:
    """Recompute a day with a reason; the same figures write nothing."""
    chosen, on, form = find_brand(request.user, brand), _find_day(day), ReasonForm(request.POST)
    done = run_action(
        request,
        lambda: client_money.keep_day(brand=chosen, day=on, actor=request.user, reason=form.cleaned_data["reason"]),
        lambda rows: _("Recalculated. New versions: %(count)s.") % {"count": len(rows)} if rows else _("No changes."),
        form=form,
        show_forbidden=True,
    )
    if done:
        return redirect("wallet:client_money_day", brand=chosen.code, day=on.isoformat())
    return show_day(request, chosen, on, form, status=422)


@require_POST
@staff_page("wallet.close_period")
def month_compute(request: UserRequest, brand: str) -> HttpResponseBase:
    """Start the job that computes the days of a month that are over and missing."""
    chosen, month = find_brand(request.user, brand), find_month(request.POST.get("month", ""))
    job = start_job(
        "wallet.client_money_month",
        owner=request.user,
        title=_("Client money %(month)s of %(brand)s") % {"month": month, "brand": chosen},
        parameters={"brand_id": chosen.pk, "month": str(month)},
    )
    return redirect("job", pk=job.pk)


@require_POST
@staff_page("wallet.export_money")
def month_report(request: UserRequest, brand: str) -> HttpResponseBase:
    """Start the job that writes the daily calculation of a month (`ending`: csv, pdf or xlsx)."""
    chosen, month = find_brand(request.user, brand), find_month(request.POST.get("month", ""))
    ending = request.POST.get("ending", "pdf")
    if ending not in ("csv", "pdf", "xlsx"):
        raise Http404
    access_log.note(
        user=request.user,
        kind=AccessKind.EXPORT,
        brand_id=chosen.pk,
        target=f"wallet.client_money:{chosen.code}:{month}",
    )
    job = start_job(
        "wallet.client_money_report",
        owner=request.user,
        title=_("Client money report %(month)s of %(brand)s") % {"month": month, "brand": chosen},
        parameters={"brand_id": chosen.pk, "month": str(month), "ending": ending},
    )
    return redirect("job", pk=job.pk)
