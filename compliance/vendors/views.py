"""The webhooks' address, and the staff pages of vendors: connections, notices, and asking again about somebody."""

from __future__ import annotations

from typing import Final

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from compliance.brand_policies import SCREENED_BY
from compliance.models import VendorNotice
from compliance.vendors import checks, notices, policies, setup
from compliance.vendors.choices import ScreenedBy
from compliance.vendors.forms import VendorForm
from compliance.vendors.queries import checks_visible_to, freshness_of, notices_visible_to
from crm.connections import views as connections
from crm.models import User
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest

PAGES: Final = connections.ConnectionPages(
    kind=setup.ScreeningVendorApproval,
    form=VendorForm,
    list_name="vendors",
    name="vendor",
    key="vendor_id",
    proposes=setup.propose_vendor,
    tests=setup.test_connection,
    webhook="compliance:vendor_webhook",
    messages_path="/compliance/vendors/notices/",
    reads=policies.READS,
    templates="compliance/vendors",
    icon="radar",
    title=gettext_lazy("Screening vendors"),
    subtitle=gettext_lazy("Outside services that clients are screened by, per brand"),
    propose=gettext_lazy("Propose screening vendor"),
    messages_title=gettext_lazy("Screening webhooks"),
    steps=(
        gettext_lazy("Copy the webhook address into the vendor's settings and test the connection."),
        gettext_lazy("Whose clients are screened there is a policy of the brand: “Clients are screened by”."),
    ),
    note=gettext_lazy(
        "The vendor receives names, dates of birth, countries, and whether it's a person or a company. Each transfer is in the "
        "access log."
    ),
    unmatched=gettext_lazy("None of our matches is about this entity."),
    sees=policies.sees_vendors,
    brand_facts=lambda brand: {"screened_by": ScreenedBy(SCREENED_BY.of(brand))},
    connection_facts=lambda vendor: {"freshness": freshness_of(vendor)},
)


@csrf_exempt
@require_POST
def vendor_webhook(request: HttpRequest, code: str) -> HttpResponse:
    """Store and judge what a vendor sends."""
    return connections.webhook(request, code, kind=setup.ScreeningVendorApproval, model=VendorNotice, task=notices.TASK)


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
    return connections.message_page(request, PAGES, _notice(request.user, notice_id))


@require_POST
@staff_page(policies.READS)
def vendor_notice_retry(request: UserRequest, notice_id: int) -> HttpResponseBase:
    """Process a notice about an unknown entity again."""
    return connections.retry_page(
        request, _notice(request.user, notice_id), lambda pk: notices.retry_notice(notice_id=pk, actor=request.user)
    )


def _notice(user: User, notice_id: int) -> VendorNotice | None:
    return notices_visible_to(user).select_related("connection").filter(pk=notice_id).first()
