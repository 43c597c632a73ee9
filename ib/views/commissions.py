"""Staff pages: accruals, why a trade was not paid, runs, periods and settlements."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext

from crm.choices import AccessKind
from crm.models import Brand, User
from crm.money.amounts import quantize
from crm.security import access_log
from crm.security.scope import reach_of
from crm.ui.actions import run_action
from crm.ui.tables import Table
from crm.ui.views import TableView, embedded_table, staff_page, wants_fragment
from crm.web.requests import UserRequest
from ib import explain, figures, settlement
from ib.agreements.scopes import which_and_why
from ib.choices import DisputeState
from ib.models import Accrual, CommissionDispute, Settlement, SettlementPeriod
from ib.policies import can_settle
from ib.queries import of_deals, partners_visible_to
from ib.settlements.credit_notes import documents_of
from ib.settlements.lines import settlement_of
from ib.tables import AccrualTable, ExclusionTable, RunTable, SettlementAccrualTable, SettlementTable

PERIODS_SHOWN = 36


class AccrualList(TableView):
    table = AccrualTable


class ExclusionList(TableView):
    """What was not paid: a count per reason over the list."""

    table = ExclusionTable
    template_name = "ib/exclusions.html"

    def get_context(self, table: Table) -> dict[str, Any]:
        """Count by reason what the list is narrowed to: a partner, and the days of the trades."""
        asked: dict[str, Any] = {}
        if table.is_filtered and table.filters is not None and table.filters.form.is_valid():
            asked = table.filters.form.cleaned_data
        days, code = asked.get("closed"), asked.get("partner") or ""
        since, until = (days.start, days.stop) if days else (None, None)
        found = figures.exclusions(reach_of(self.request.user).whole_brands, since=since, until=until, code=code)
        reasons = [(row, table.url(reason=row.reason.value)) for row in found.answer]
        return {"reasons": reasons, "code": code, "has_days": bool(days), "counted": found if found.is_kept else None}


class RunList(TableView):
    table = RunTable
    template_name = "ib/runs.html"

    def get_context(self, table: Table) -> dict[str, Any]:
        return {"may_run": self.request.user.has_perm("ib.run_commissions")}


def get_accrual(user: User, accrual_id: int) -> Accrual:
    accrual = (
        Accrual.objects.select_related("partner", "introducer", "version__plan", "period")
        .filter(pk=accrual_id, partner__in=partners_visible_to(user))
        .first()
    )
    if accrual is None:
        raise Http404
    return accrual


@staff_page("ib.view_accrual")
def accrual_page(request: UserRequest, accrual_id: int) -> HttpResponse:
    """Explain one row, beside everything else this deal earned anybody."""
    accrual = get_accrual(request.user, accrual_id)
    access_log.note(
        user=request.user,
        kind=AccessKind.VIEW,
        client_id=accrual.client_id,
        brand_id=accrual.partner.brand_id,
        target=f"ib.accrual:{accrual.pk}",
    )
    held = CommissionDispute.objects.filter(
        partner_id=accrual.partner_id, deal_id=accrual.deal_id, state=DisputeState.OPEN
    ).first()
    rows = Accrual.objects.filter(of_deals([accrual.deal_id])).select_related("partner").order_by("level", "id")[:60]
    return render(
        request,
        "ib/accrual.html",
        {
            "accrual": accrual,
            "steps": explain.explain(accrual, for_staff=True, agreement=which_and_why(accrual)),
            "rows": rows,
            "settlement": settlement_of(accrual),
            "dispute": held,
            "may_hold": held is None and bool(can_settle(request.user, accrual.partner.brand_id)),
            "replay_id": accrual.source.removeprefix("replay:") if accrual.source.startswith("replay:") else "",
            "corrects": Accrual.objects.filter(pk=accrual.corrects_id).first() if accrual.corrects_id else None,
        },
    )


def rounded(totals: dict[str, Decimal]) -> dict[str, Decimal]:
    """Round totals as they would be paid: trades accrue in finer parts than a currency has."""
    return {currency: quantize(amount, currency) for currency, amount in totals.items()}


@staff_page("ib.view_settlement")
def periods_page(request: UserRequest) -> HttpResponse:
    """Show periods per brand, what is accrued in the open ones, and the button that settles."""
    brands = reach_of(request.user).whole_brands
    rows = list(
        SettlementPeriod.objects.filter(brand_id__in=brands)
        .select_related("brand", "closed_by")
        .order_by("-starts_at", "brand_id")[:PERIODS_SHOWN]
    )
    earliest: dict[int, int] = {}
    for period in reversed(rows):
        if period.state == "open":
            earliest.setdefault(period.brand_id, period.pk)
    now = timezone.now()
    totals = settlement.totals_of(rows)
    return render(
        request,
        "ib/periods.html",
        {
            "rows": [
                {
                    "period": period,
                    "is_next": earliest.get(period.brand_id) == period.pk
                    and period.starts_at < now
                    and bool(can_settle(request.user, period.brand_id)),
                    "is_running": period.state == "open" and period.starts_at <= now < period.ends_at,
                    "totals": rounded(totals[period.pk]),
                }
                for period in rows
            ],
            "brands": cycles_by_brand(request.user, brands),
        },
    )


def cycles_by_brand(user: User, brand_ids: Iterable[int]) -> list[dict[str, Any]]:
    """Count, for each brand that has any, the partners who aren't settled by the month, and what is on hold."""
    counts = settlement.count_cycles(brand_ids)
    return [
        {"brand": brand, "may_settle": bool(can_settle(user, brand.pk)), **counts[brand.pk]}
        for brand in Brand.objects.filter(pk__in=counts).order_by("name")
    ]


@staff_page("ib.view_settlement")
def period_page(request: UserRequest, period_id: int) -> HttpResponseBase:
    period = (
        SettlementPeriod.objects.select_related("brand", "closed_by")
        .filter(pk=period_id, brand_id__in=reach_of(request.user).whole_brands)
        .first()
    )
    if period is None:
        raise Http404
    table = SettlementTable(
        request.user, request.GET, path=reverse("ib_period", args=[period.pk]), scope={"period_id": period.pk}
    )
    if wants_fragment(request) or request.GET.get("export"):
        return embedded_table(request, table)
    return render(
        request,
        "ib/period.html",
        {"period": period, "table": table, "totals": rounded(settlement.totals_of([period])[period.pk])},
    )


@staff_page("ib.settle_commissions")
def settle(request: UserRequest, period_id: int) -> HttpResponse:
    """Close a period and book it. Who may: `ib.settle_commissions` at the brand."""
    if request.method != "POST":
        return redirect("ib_periods")
    if not SettlementPeriod.objects.filter(pk=period_id, brand_id__in=reach_of(request.user).whole_brands).exists():
        raise Http404
    if not run_action(
        request,
        lambda: settlement.settle_period(period_id=period_id, actor=request.user),
        lambda rows: (
            ngettext(
                "Period settled. Commissions of %(count)s partner credited.",
                "Period settled. Commissions of %(count)s partners credited.",
                len(rows),
            )
            % {"count": len(rows)}
        ),
        show_forbidden=True,
    ):
        return redirect("ib_periods")
    return redirect("ib_period", period_id)


@staff_page("ib.view_settlement")
def settlement_page(request: UserRequest, settlement_id: int) -> HttpResponseBase:
    """Explain a settlement: from its accruals to what was paid, and every trade behind it."""
    settled = (
        Settlement.objects.select_related("partner", "period", "journal", "previous", "settled_by")
        .filter(pk=settlement_id, partner__in=partners_visible_to(request.user))
        .first()
    )
    if settled is None:
        raise Http404
    table = SettlementAccrualTable(
        request.user, request.GET, path=reverse("ib_settlement", args=[settled.pk]), scope={"settlement_id": settled.pk}
    )
    if wants_fragment(request) or request.GET.get("export"):
        return embedded_table(request, table)
    return render(
        request,
        "ib/settlement.html",
        {
            "settlement": settled,
            "steps": explain.explain_settlement(settled),
            "table": table,
            "is_staff_page": True,
            **documents_of(settled),
        },
    )
