"""PSPs: the list, how each is doing, its set-up, a new one, and the ways to pay that each brings."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from crm.approvals.queries import proposal_of
from crm.choices import ApprovalState
from crm.i18n import formats
from crm.models import Brand, User
from crm.money.amounts import from_minor
from crm.security.scope import reach_of
from crm.ui.actions import run_action
from crm.ui.charts import Chart, Series
from crm.ui.views import StaffView, staff_page
from crm.web.requests import UserRequest
from wallet.core import queries
from wallet.models import PaymentMethod, Psp
from wallet.psp import ADAPTERS, adapter_class
from wallet.psp import health as psp_health
from wallet.psp import setup as psps
from wallet.psp.forms import AddressForm, ApproveAddressForm, MethodForm, NewPspForm, PspForm, title_of
from wallet.reconciliation import announced_reports
from wallet.reconciliation import queries as queries_recon


@staff_page("wallet.view_psp")
def psp_list(request: UserRequest) -> HttpResponse:
    """Every PSP with how it has been doing: payments of the last thirty days, calls, the last webhook, the last test."""
    psps = list(
        queries.psps_visible_to(request.user)
        .select_related("brand")
        .defer("sealed_credentials")
        .prefetch_related("methods")
    )
    health = psp_health.psp_health([psp.pk for psp in psps])
    context = {
        "rows": [{"psp": psp, "health": health[psp.pk]} for psp in psps],
        "costs": _cost_bars(psps),
        "may_manage": request.user.has_perm("wallet.manage_psp"),
    }
    return render(request, "wallet/webhooks/psps.html", context)


def _cost_bars(psps: Sequence[Psp]) -> list[tuple[str, Decimal, str]]:
    """Draw what PSPs charge on deposits beside one another: name, percent, and how it is written."""
    names = {psp.pk: f"{psp.name} · {psp.brand}" for psp in psps}
    bars = []
    for cost in psp_health.deposit_costs(list(names)):
        deposits = ngettext("%(count)s deposit", "%(count)s deposits", cost.deposits) % {
            "count": formats.number(cost.deposits, 0)
        }
        bars.append((names[cost.psp_id], cost.percent, f"{formats.number(cost.percent, 2)} % · {deposits}"))
    return bars


@staff_page("wallet.view_psp")
def health_page(request: UserRequest, pk: int) -> HttpResponse:
    """Is it up, does it approve, how quick is it, what did it send that we refused?"""
    rows = queries.psps_visible_to(request.user).select_related("brand").defer("sealed_credentials")
    psp: Psp = queries.one_of(rows, pk, request.user, "wallet.view_psp")
    calls = psp_health.last_calls(psp)
    days, settled, failed = psp_health.by_day(psp)
    declines = psp_health.decline_reasons(psp)
    context = {
        "psp": psp,
        "health": psp_health.psp_health([psp.pk])[psp.pk],
        "outage": psp_health.outage_of(psp, calls),
        "calls": calls[: psp_health.SHOWN],
        "latencies": [call.milliseconds for call in reversed(calls)],
        "declines": [(reason, count, str(count)) for reason, count in declines],
        "refused": psp_health.refused_webhooks(psp),
        "webhook_counts": psp_health.webhook_counts(psp),
        "reports": psp_health.announced_reports(psp),
        "announces": adapter_class(psp.adapter).announces_reports,
        "may_fetch": request.user.has_perm("wallet.run_reconciliation"),
        "chart": Chart(
            id="psp-days",
            x=days,
            series=[
                Series(_("Settled"), settled, tone="success", kind="bars", decimals=0),
                Series(_("Failed"), failed, tone="danger", kind="line", decimals=0),
            ],
            height=180,
        ),
        "has_payments": any(settled) or any(failed),
        "may_manage": request.user.has_perm("wallet.manage_psp"),
    }
    return render(request, "wallet/webhooks/psp_health.html", context)


@require_POST
@staff_page("wallet.run_reconciliation")
def report_fetch_again(request: UserRequest, pk: int) -> HttpResponseBase:
    rows = queries_recon.announced_visible_to(request.user)
    report = queries.one_of(rows, pk, request.user, "wallet.run_reconciliation")
    run_action(
        request,
        lambda: announced_reports.fetch_again(report_id=report.pk, actor=request.user),
        _("%(name)s is being fetched again.") % {"name": report.name},
    )
    return redirect("wallet:psp_health", pk=report.psp_id)


class NewPspPage(StaffView):
    """Choose a provider, then its keys; the connection is tested at once."""

    permission = "wallet.manage_psp"

    def get(self, request: UserRequest) -> HttpResponse:
        adapter = request.GET.get("adapter", "")
        if not adapter:
            choices = [
                {"code": code, "title": title_of(code), "summary": adapter_class(code).summary} for code in ADAPTERS
            ]
            return render(request, "wallet/webhooks/psp_choose.html", {"choices": choices})
        return self.show(request, adapter, NewPspForm(adapter=self.known(adapter), brands=self.brands(request)))

    def post(self, request: UserRequest) -> HttpResponseBase:
        adapter = self.known(request.GET.get("adapter", ""))
        form = NewPspForm(request.POST, adapter=adapter, brands=self.brands(request))
        if form.is_valid():
            values = form.cleaned_data
            done = run_action(
                request,
                lambda: psps.create_psp(
                    brand_id=values["brand"].pk,
                    setup=psps.PspSetup(
                        adapter=adapter,
                        name=values["name"],
                        code=values["code"],
                        base_url=values["base_url"],
                        keys=form.keys(),
                        currencies=values["currencies"],
                        method_codes=form.method_codes(),
                    ),
                    actor=request.user,
                ),
                form=form,
                show_forbidden=True,
            )
            if done:
                show_health(request, done.result)
                return redirect("wallet:psp", pk=done.result.pk)
        return self.show(request, adapter, form, status=422)

    def known(self, adapter: str) -> str:
        if adapter not in ADAPTERS:
            raise Http404
        return adapter

    def brands(self, request: UserRequest) -> Any:
        return Brand.objects.filter(pk__in=reach_of(request.user).whole_brands, archived_at=None).order_by("name")

    def show(self, request: HttpRequest, adapter: str, form: NewPspForm, status: int = 200) -> HttpResponse:
        if form.errors:
            form.ask_again()
        context = {"form": form, "title": title_of(adapter), "summary": adapter_class(adapter).summary}
        return render(request, "wallet/webhooks/psp_new.html", context, status=status)


class PspPage(StaffView):
    """Set-up of one PSP."""

    permission = "wallet.manage_psp"

    def find(self, request: UserRequest, pk: int) -> Psp:
        rows = queries.psps_visible_to(request.user).select_related("brand")
        return queries.one_of(rows, pk, request.user, "wallet.manage_psp")

    def get(self, request: UserRequest, pk: int) -> HttpResponse:
        psp = self.find(request, pk)
        return self.show(request, psp)

    def post(self, request: UserRequest, pk: int) -> HttpResponseBase:
        psp = self.find(request, pk)
        form = PspForm(request.POST, instance=psp)
        done = run_action(
            request,
            lambda: psps.configure_psp(psp_id=psp.pk, values=form.values(), keys=form.keys(), actor=request.user),
            _("Saved. Test the connection to be sure."),
            form=form,
            show_forbidden=True,
        )
        if done:
            return redirect("wallet:psp", pk=psp.pk)
        return self.show(request, psp, form, status=422)

    def show(
        self,
        request: UserRequest,
        psp: Psp,
        form: PspForm | None = None,
        *,
        address_form: AddressForm | None = None,
        approve_form: ApproveAddressForm | None = None,
        status: int = 200,
    ) -> HttpResponse:
        form = form or PspForm(instance=psp)
        for bound_form in (form, approve_form):
            if bound_form is not None and bound_form.errors:
                bound_form.ask_again()
        address = request.build_absolute_uri(reverse("wallet:psp_webhook", kwargs={"code": psp.code}))
        context = {
            "psp": psp,
            "form": form,
            "address": address,
            "has_keys": bool(psp.sealed_credentials),
            "health": psp_health.psp_health([psp.pk])[psp.pk],
            "provider": title_of(psp.adapter),
            "methods": [_in_base(method, psp) for method in psp.methods.all()],
            "missing": psps.missing_methods(psp),
            **_address(request.user, psp, address_form, approve_form),
        }
        return render(request, "wallet/webhooks/psp.html", context, status=status)


def _address(
    user: User, psp: Psp, address_form: AddressForm | None, approve_form: ApproveAddressForm | None
) -> dict[str, Any]:
    """Collect the PSP's address, the change that waits for a second person, and the forms for it."""
    change = psp.address_changes.filter(state=ApprovalState.PENDING).select_related("requested_by").first()
    if change is None:
        return {"change": None, "address_form": address_form or AddressForm(prefix="address")}
    change.psp = psp
    return {
        "change": change,
        "proposal": proposal_of(change, user),
        "approve_form": approve_form or ApproveAddressForm(psp=psp, prefix="approve"),
    }


def _in_base(method: PaymentMethod, psp: Psp) -> dict[str, Any]:
    """Show a payment method with its limits and fees in the brand's base currency."""
    base = psp.brand.base_currency
    return {
        "method": method,
        "base": base,
        "low": from_minor(method.deposit_minimum_minor, base),
        "high": from_minor(method.deposit_maximum_minor, base),
        "percent": Decimal(method.deposit_fee_basis_points) / 100,
        "fixed": from_minor(method.deposit_fee_fixed_minor, base),
    }


@require_POST
@staff_page("wallet.manage_psp")
def psp_check(request: UserRequest, pk: int) -> HttpResponseBase:
    psp = queries.one_of(queries.psps_visible_to(request.user), pk, request.user, "wallet.manage_psp")
    show_health(request, psp)
    return redirect("wallet:psp", pk=psp.pk)


def show_health(request: UserRequest, psp: Psp) -> None:
    """Ask the PSP now, and show its answer and what to do on the next page."""
    checked = run_action(request, lambda: psps.check_psp(psp_id=psp.pk, actor=request.user))
    if checked and checked.result.is_up:
        messages.success(request, _("%(psp)s responds and accepts our key.") % {"psp": psp})
    elif checked:
        messages.error(request, _("%(psp)s: %(detail)s") % {"psp": psp, "detail": checked.result.detail})


@require_POST
@staff_page("wallet.manage_psp")
def method_add(request: UserRequest, pk: int) -> HttpResponseBase:
    psp = queries.one_of(queries.psps_visible_to(request.user), pk, request.user, "wallet.manage_psp")
    done = run_action(
        request,
        lambda: psps.add_method(psp_id=psp.pk, code=request.POST.get("code", ""), actor=request.user),
        lambda method: _("%(method)s added but switched off. Set its limits, then switch it on.") % {"method": method},
    )
    if not done:
        return redirect("wallet:psp", pk=psp.pk)
    return redirect("wallet:psp_method", pk=psp.pk, method_id=done.result.pk)


class MethodPage(StaffView):
    """One way to pay: for whom, for how much, at which fee."""

    permission = "wallet.manage_psp"

    def find(self, request: UserRequest, pk: int, method_id: int) -> PaymentMethod:
        visible = queries.psps_visible_to(request.user).values("pk")
        rows = PaymentMethod.objects.filter(psp_id=pk, psp__in=visible).select_related("psp__brand")
        return queries.one_of(rows, method_id, request.user, "wallet.manage_psp")

    def get(self, request: UserRequest, pk: int, method_id: int) -> HttpResponse:
        return self.show(request, form=MethodForm(instance=self.find(request, pk, method_id)))

    def post(self, request: UserRequest, pk: int, method_id: int) -> HttpResponseBase:
        method = self.find(request, pk, method_id)
        form = MethodForm(request.POST, instance=method)
        done = run_action(
            request,
            lambda: psps.configure_method(method_id=method.pk, values=form.values(), actor=request.user),
            _("Saved."),
            form=form,
            show_forbidden=True,
        )
        if done:
            return redirect("wallet:psp", pk=pk)
        return self.show(request, form=form, status=422)

    def show(self, request: HttpRequest, *, form: MethodForm, status: int = 200) -> HttpResponse:
        return render(
            request, "wallet/webhooks/psp_method.html", {"form": form, "psp": form.instance.psp}, status=status
        )
