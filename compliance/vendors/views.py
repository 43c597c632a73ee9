"""The webhooks' address, and the staff pages of vendors: connections, notices, and asking again about somebody."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from compliance.brand_policies import SCREENED_BY
from compliance.models import ScreeningVendor, ScreeningVendorProposal, VendorNotice
from compliance.vendors import checks, notices, policies, setup
from compliance.vendors.adapters import adapter_class
from compliance.vendors.choices import NoticeState, NoticeVerdict, ScreenedBy
from compliance.vendors.forms import DEFAULT_ADAPTER, VendorForm
from compliance.vendors.queries import checks_visible_to, freshness_of, notices_visible_to, vendors_visible_to
from crm import approvals
from crm.approvals.queries import proposal_of
from crm.choices import AccessKind
from crm.models import Brand, User
from crm.security import access_log
from crm.security.request_context import current
from crm.staff.company import brands_to_set_up
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from crm.web.uploads import declared_length

TEXT_SHOWN_MAX = 40_000


@csrf_exempt
@require_POST
def vendor_webhook(request: HttpRequest, code: str) -> HttpResponse:
    """Store, judge and answer: 200 for what is believed, 400 for what isn't. No session and no CSRF token: a signature.

    A connection that isn't in use any more still gets notices about matches of before.
    """
    vendor = ScreeningVendor.objects.filter(code=code).first()
    if vendor is None:
        return HttpResponse(status=404)
    if declared_length(request) > notices.BODY_BYTES_MAX:
        return HttpResponse(status=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    verdict = notices.receive_notice(vendor=vendor, body=request.body, headers=headers, ip=current().ip)
    # What is signed and unreadable is ours to look at: sending it again would not help.
    return HttpResponse(status=200 if verdict in (NoticeVerdict.ACCEPTED, NoticeVerdict.MALFORMED) else 400)


@staff_page(policies.sees_vendors)
def vendor_list(request: UserRequest) -> HttpResponse:
    """Show each brand that the person reaches as a whole: who screens there, its connections, how far they are, and what waits."""
    brands = list(brands_to_set_up(request.user).filter(archived_at=None).order_by("name"))
    vendors = list(vendors_visible_to(request.user).order_by("name"))
    waiting = list(
        approvals.kind_of(ScreeningVendorProposal).awaiting(
            ScreeningVendorProposal.objects.filter(brand__in=brands).select_related("requested_by", "brand", "vendor")
        )
    )
    context = {
        "rows": [_row(brand, vendors, waiting, request) for brand in brands],
        "may_set_up": request.user.has_perm(policies.SETS_UP),
        "may_read": request.user.has_perm(policies.READS),
    }
    return render(request, "compliance/vendors/list.html", context)


def _row(
    brand: Brand, vendors: list[ScreeningVendor], waiting: list[ScreeningVendorProposal], request: UserRequest
) -> dict[str, Any]:
    mine = [_shown(vendor, request) for vendor in vendors if vendor.brand_id == brand.pk]
    proposal = next((row for row in waiting if row.brand_id == brand.pk), None)
    screened_by = ScreenedBy(SCREENED_BY.of(brand))
    return {
        "brand": brand,
        "screened_by": screened_by,
        "is_without": screened_by != ScreenedBy.BUILT_IN and not any(row["vendor"].is_enabled for row in mine),
        "vendors": mine,
        "proposal": proposal_of(proposal, request.user) if proposal is not None else None,
    }


def _shown(vendor: ScreeningVendor, request: UserRequest) -> dict[str, Any]:
    address = reverse("compliance:vendor_webhook", kwargs={"code": vendor.code})
    return {
        "vendor": vendor,
        "title": adapter_class(vendor.adapter).title,
        "webhook_address": request.build_absolute_uri(address),
        "freshness": freshness_of(vendor),
    }


@staff_page(policies.SETS_UP)
def vendor_new(request: UserRequest) -> HttpResponseBase:
    """Enter a new connection and propose it."""
    brands = brands_to_set_up(request.user).filter(archived_at=None).order_by("name")
    form = VendorForm(request.POST or None, adapter=DEFAULT_ADAPTER, brands=brands, vendor=None)
    return _propose(request, form, None)


@staff_page(policies.SETS_UP)
def vendor_change(request: UserRequest, vendor_id: int) -> HttpResponseBase:
    """Change a connection: proposed by one person, approved by another."""
    vendor = _find(request.user, vendor_id)
    form = VendorForm(request.POST or None, adapter=vendor.adapter, brands=Brand.objects.none(), vendor=vendor)
    return _propose(request, form, vendor)


def _propose(request: UserRequest, form: VendorForm, vendor: ScreeningVendor | None) -> HttpResponseBase:
    if request.method == "POST" and run_action(
        request,
        lambda: setup.propose_vendor(
            brand_id=vendor.brand_id if vendor is not None else form.cleaned_data["brand"].pk,
            setup=form.setup,
            actor=request.user,
            reason=form.cleaned_data["reason"],
            vendor_id=vendor.pk if vendor is not None else None,
        ),
        _("Screening vendor proposed. Awaiting second approval."),
        form=form,
        show_forbidden=True,
    ):
        return redirect("compliance:vendors")
    context = {"form": form, "vendor": vendor, "title": adapter_class(form.adapter).title}
    return render(request, "compliance/vendors/form.html", context, status=422 if form.errors else 200)


@require_POST
@staff_page(policies.SETS_UP)
def vendor_test(request: UserRequest, vendor_id: int) -> HttpResponseBase:
    """Test a connection; the answer is on the page."""
    vendor = _find(request.user, vendor_id)
    done = run_action(request, lambda: setup.test_connection(vendor_id=vendor.pk, actor=request.user))
    if done and done.result:
        messages.error(request, done.result)
    elif done:
        messages.success(request, _("%(vendor)s is connected.") % {"vendor": vendor})
    return redirect("compliance:vendors")


def _find(user: User, vendor_id: int) -> ScreeningVendor:
    vendor = vendors_visible_to(user).select_related("brand").filter(pk=vendor_id).first()
    if vendor is None:
        raise Http404
    return vendor


@require_POST
@staff_page(policies.READS)
def vendor_ask_again(request: UserRequest, check_id: int) -> HttpResponseBase:
    """Ask a vendor again about somebody whose answer is unknown, or whom it refused."""
    check = checks_visible_to(request.user).filter(pk=check_id).first()
    if check is None:
        raise Http404
    run_action(
        request,
        lambda: checks.ask_again(check_id=check.pk, actor=request.user),
        _("The vendor is being asked again."),
        show_forbidden=True,
    )
    return redirect("compliance:client", check.client_id)


@staff_page(policies.READS)
def vendor_notice(request: UserRequest, notice_id: int) -> HttpResponse:
    """Show a webhook as it was received; every view is logged."""
    notice = _notice(request.user, notice_id)
    access_log.note(
        user=request.user,
        kind=AccessKind.DOWNLOAD,
        target=f"compliance.vendornotice:{notice.pk}",
        brand_id=notice.vendor.brand_id,
    )
    context = {
        "notice": notice,
        "body": notice.body[:TEXT_SHOWN_MAX].decode("utf-8", "replace"),
        "may_retry": notice.state == NoticeState.UNMATCHED,
    }
    return render(request, "compliance/vendors/notice.html", context)


@require_POST
@staff_page(policies.READS)
def vendor_notice_retry(request: UserRequest, notice_id: int) -> HttpResponseBase:
    """Process a notice about an unknown entity again."""
    notice = _notice(request.user, notice_id)
    run_action(
        request,
        lambda: notices.retry_notice(notice_id=notice.pk, actor=request.user),
        _("The message is being processed again."),
    )
    return redirect("compliance:vendor_notice", notice_id=notice.pk)


def _notice(user: User, notice_id: int) -> VendorNotice:
    notice = notices_visible_to(user).select_related("vendor").filter(pk=notice_id).first()
    if notice is None:
        raise Http404
    return notice
