"""The public page of an application, at a brand's address or behind a partner's link."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.models import Brand
from crm.ui.actions import run_action
from crm.web.middleware import client_ip
from ib.applications import applying
from ib.applications.agreement import agreement_for
from ib.applications.forms import ApplicationForm
from ib.models import Partner, SubPartnerOffer
from ib.partners import PartnerDetails
from ib.sub_partners.limits import rates_offered
from leads import guard


def application_page(
    request: HttpRequest, brand: Brand, inviter: Partner | None = None, offer: SubPartnerOffer | None = None
) -> HttpResponse:
    """Show and take a stranger's application.

    Whether an address is known already is nobody's business: the answer is the same.
    """
    wording = agreement_for(brand, get_language() or brand.default_language)
    form = ApplicationForm(
        request.POST or None, wording=wording, currency=inviter.currency if inviter else brand.base_currency
    )
    is_done = False
    if request.method == "POST":
        stamp = guard.read_stamp(request.POST.get("stamp", ""))
        is_robot = bool(request.POST.get(guard.HONEYPOT)) or stamp.why == "forged"
        if not is_robot and not stamp.is_good:
            form.add_error(None, _("Please check your entries and submit the form again."))
        elif not is_robot and not guard.may_submit(brand.pk, client_ip(request)):
            form.add_error(
                None, _("Too many enquiries from your connection. Please try again in ten minutes or contact us.")
            )
        elif is_robot or form.is_valid():
            is_done = is_robot or bool(run_action(request, lambda: _apply(brand, inviter, form, offer), form=form))
    context = {
        "brand": brand,
        "inviter": inviter,
        "offer": rates_offered(offer) if offer else None,
        "form": form,
        "wording": wording,
        "is_done": is_done,
        "stamp": guard.new_stamp(),
        "honeypot": guard.HONEYPOT,
    }
    return render(request, "partners/join.html", context, status=422 if form.errors and not is_done else 200)


def _apply(brand: Brand, inviter: Partner | None, form: ApplicationForm, offer: SubPartnerOffer | None) -> None:
    data = form.cleaned_data
    details = PartnerDetails(
        name=data["name"],
        email=data["email"],
        currency=data["currency"],
        parent_id=inviter.pk if inviter else None,
        manager=inviter.manager if inviter else None,
    )
    applying.apply(brand=brand, details=details, answers=form.answers(), accepted=form.accepted(), offer=offer)
