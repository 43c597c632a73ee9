"""A PSP's new API address: proposed, and approved with its secrets typed again."""

from __future__ import annotations

from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm import approvals
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from wallet.core import queries
from wallet.models import PspAddressChange
from wallet.psp import addresses
from wallet.psp.forms import AddressForm, ApproveAddressForm
from wallet.webhooks.views.psps import PspPage

MANAGES = "wallet.manage_psp"


@require_POST
@staff_page(MANAGES)
def propose(request: UserRequest, pk: int) -> HttpResponseBase:
    page = PspPage()
    psp, form = page.find(request, pk), AddressForm(request.POST, prefix="address")
    done = run_action(
        request,
        lambda: addresses.propose_address(psp_id=psp.pk, actor=request.user, **form.cleaned_data),
        _("New address proposed. Awaiting second approval."),
        form=form,
        show_forbidden=True,
    )
    return redirect("wallet:psp", pk=pk) if done else page.show(request, psp, address_form=form, status=422)


def _change(request: UserRequest, pk: int) -> PspAddressChange:
    rows = PspAddressChange.objects.filter(psp__in=queries.psps_visible_to(request.user).values("pk"))
    return queries.one_of(rows.select_related("psp__brand"), pk, request.user, MANAGES)


@require_POST
@staff_page(MANAGES)
def approve(request: UserRequest, pk: int) -> HttpResponseBase:
    change = _change(request, pk)
    form = ApproveAddressForm(request.POST, psp=change.psp, prefix="approve")
    done = run_action(
        request,
        lambda: approvals.approve(PspAddressChange, pk, keys=form.keys(), actor=request.user),
        _("Address changed. Test the connection to be sure."),
        form=form,
        show_forbidden=True,
    )
    if done:
        return redirect("wallet:psp", pk=change.psp_id)
    return PspPage().show(request, change.psp, approve_form=form, status=422)
