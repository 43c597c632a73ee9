"""Staff pages of providers: which brand uses which, how it is doing, and a connection's set-up with its second approval."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm import approvals
from crm.approvals.queries import proposal_of
from crm.models import Brand, User
from crm.staff.company import brands_to_set_up
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from kyc.brand_policies import KYC_PROVIDER_FALLBACK_HOURS, KYC_VERIFIED_BY
from kyc.models import KycProvider, KycProviderProposal
from kyc.providers import policies, setup
from kyc.providers.adapters import adapter_class
from kyc.providers.choices import VerifiedBy
from kyc.providers.forms import DEFAULT_ADAPTER, ProviderForm
from kyc.providers.modes import is_replaced
from kyc.providers.queries import providers_visible_to


@staff_page(policies.sees_providers)
def provider_list(request: UserRequest) -> HttpResponse:
    """Show each brand that the person reaches as a whole: who checks there, its connections, and what waits."""
    brands = list(brands_to_set_up(request.user).filter(archived_at=None).order_by("name"))
    providers = list(providers_visible_to(request.user).order_by("name"))
    waiting = list(
        approvals.kind_of(KycProviderProposal).awaiting(
            KycProviderProposal.objects.filter(brand__in=brands).select_related("requested_by", "brand", "provider")
        )
    )
    context = {
        "rows": [_row(brand, providers, waiting, request) for brand in brands],
        "may_set_up": request.user.has_perm(policies.SETS_UP),
        "may_read": request.user.has_perm(policies.READS),
    }
    return render(request, "kyc/providers/list.html", context)


def _row(
    brand: Brand, providers: list[KycProvider], waiting: list[KycProviderProposal], request: UserRequest
) -> dict[str, Any]:
    mine = [_shown(provider, brand, request) for provider in providers if provider.brand_id == brand.pk]
    proposal = next((row for row in waiting if row.brand_id == brand.pk), None)
    decides = VerifiedBy(KYC_VERIFIED_BY.of(brand))
    return {
        "brand": brand,
        "decides": decides,
        "fallback_hours": KYC_PROVIDER_FALLBACK_HOURS.of(brand),
        "is_without": decides != VerifiedBy.BUILT_IN and not any(row["provider"].is_enabled for row in mine),
        "providers": mine,
        "proposal": proposal_of(proposal, request.user) if proposal is not None else None,
    }


def _shown(provider: KycProvider, brand: Brand, request: UserRequest) -> dict[str, Any]:
    address = reverse("kyc:webhook", kwargs={"code": provider.code})
    return {
        "provider": provider,
        "title": adapter_class(provider.adapter).title,
        "webhook_address": request.build_absolute_uri(address),
        "is_replaced": is_replaced(provider, brand),
    }


@staff_page(policies.SETS_UP)
def provider_new(request: UserRequest) -> HttpResponseBase:
    """Enter a new connection and propose it."""
    brands = brands_to_set_up(request.user).filter(archived_at=None).order_by("name")
    form = ProviderForm(request.POST or None, adapter=DEFAULT_ADAPTER, brands=brands, provider=None)
    return _propose(request, form, None)


@staff_page(policies.SETS_UP)
def provider_change(request: UserRequest, provider_id: int) -> HttpResponseBase:
    """Change a connection: proposed by one person, approved by another."""
    provider = _find(request.user, provider_id)
    form = ProviderForm(request.POST or None, adapter=provider.adapter, brands=Brand.objects.none(), provider=provider)
    return _propose(request, form, provider)


def _propose(request: UserRequest, form: ProviderForm, provider: KycProvider | None) -> HttpResponseBase:
    if request.method == "POST" and run_action(
        request,
        lambda: setup.propose_provider(
            brand_id=provider.brand_id if provider is not None else form.cleaned_data["brand"].pk,
            setup=form.setup,
            actor=request.user,
            reason=form.cleaned_data["reason"],
            provider_id=provider.pk if provider is not None else None,
        ),
        _("KYC provider proposed. Awaiting second approval."),
        form=form,
        show_forbidden=True,
    ):
        return redirect("kyc:providers")
    context = {"form": form, "provider": provider, "title": adapter_class(form.adapter).title}
    return render(request, "kyc/providers/form.html", context, status=422 if form.errors else 200)


@require_POST
@staff_page(policies.SETS_UP)
def provider_test(request: UserRequest, provider_id: int) -> HttpResponseBase:
    """Test a connection; the answer is on the page."""
    provider = _find(request.user, provider_id)
    done = run_action(request, lambda: setup.test_connection(provider_id=provider.pk, actor=request.user))
    if done and done.result:
        messages.error(request, done.result)
    elif done:
        messages.success(request, _("%(provider)s is connected.") % {"provider": provider})
    return redirect("kyc:providers")


def _find(user: User, provider_id: int) -> KycProvider:
    provider = providers_visible_to(user).select_related("brand").filter(pk=provider_id).first()
    if provider is None:
        raise Http404
    return provider
