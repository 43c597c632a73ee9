"""Accounts near a margin call, and each brand's limits."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from crm.models import Brand
from crm.security.scope import reach_of
from crm.ui.actions import run_action
from crm.ui.tables import Table
from crm.ui.views import StaffView, TableView
from crm.web.requests import UserRequest
from trading.choices import MarginSeverity
from trading.models import MarginPolicy
from trading.risk import margin
from trading.risk.forms import MarginPolicyForm
from trading.risk.tables import MarginTable


class MarginList(TableView):
    """The list with a word on how many are how low."""

    table = MarginTable
    template_name = "trading/risk/margin.html"

    def get_context(self, table: Table) -> dict[str, Any]:
        user = table.user
        counts = margin.counts(user)
        return {
            "counts": [(severity, counts[severity.value]) for severity in reversed(list(MarginSeverity))],
            "may_change": user.has_perm(margin.CHANGES),
        }


class MarginPolicies(StaffView):
    """Every brand in reach with its limits."""

    permission = margin.CHANGES

    def get(self, request: UserRequest) -> HttpResponse:
        brands = (
            Brand.objects.filter(pk__in=reach_of(request.user).brands).select_related("margin_policy").order_by("name")
        )
        rows = [(brand, getattr(brand, "margin_policy", None) or MarginPolicy(brand=brand)) for brand in brands]
        return render(request, "trading/risk/margin_policies.html", {"rows": rows})


class MarginPolicyPage(StaffView):
    """One brand's limits, and who is notified."""

    permission = margin.CHANGES

    def get(self, request: UserRequest, code: str) -> HttpResponse:
        brand = self._brand(request, code)
        return self._page(request, brand, MarginPolicyForm(instance=margin.policy_of(brand)))

    def post(self, request: UserRequest, code: str) -> HttpResponse:
        brand = self._brand(request, code)
        form = MarginPolicyForm(request.POST, instance=margin.policy_of(brand))
        if run_action(
            request,
            lambda: margin.set_policy(brand_id=brand.pk, actor=request.user, **form.cleaned_data),
            _("Margin limits saved. They apply from the next update."),
            form=form,
            show_forbidden=True,
        ):
            return redirect("trading_margin_policies")
        return self._page(request, brand, form)

    @staticmethod
    def _brand(request: UserRequest, code: str) -> Brand:
        brand = Brand.objects.filter(code=code, pk__in=reach_of(request.user).brands).first()
        if brand is None:
            raise Http404
        return brand

    @staticmethod
    def _page(request: HttpRequest, brand: Brand, form: MarginPolicyForm) -> HttpResponse:
        context = {"brand": brand, "form": form}
        return render(request, "trading/risk/margin_policy.html", context, status=422 if form.errors else 200)
