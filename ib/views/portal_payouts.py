"""Where a partner has automatic payouts sent."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from crm.accounts.guards import confirmed
from crm.ui.actions import run_action
from crm.web.requests import UserRequest
from ib import payouts
from ib.choices import PartnerRight, PayoutSchedule
from ib.forms import PayoutTargetForm
from ib.models import Partner
from ib.settlements.automatic_payouts import choose_destination, instruction_of
from ib.settlements.terms import schedule_of, terms_of
from ib.views.guards import partner_page


@partner_page(PartnerRight.PAY_OUT)
def automatic(request: UserRequest, partner: Partner) -> HttpResponseBase:
    """Choose where automatic payouts go; it asks for the password again, as money leaves without a further question."""
    chosen = instruction_of(partner)
    form = PayoutTargetForm(
        request.POST or None,
        offers=payouts.offers(partner, [partner.currency]),
        initial={
            "to": chosen.destination if chosen else "",
            "holder": partner.client.full_name if partner.client else "",
        },
    )
    if request.method == "POST" and form.is_valid():
        answer = confirmed(_choose)(request, partner, form)
        if answer is not None:
            return answer
    agreed = terms_of(partner)
    return render(
        request,
        "partners/payout_target.html",
        {
            "partner": partner,
            "form": form,
            "chosen": chosen,
            "schedule": schedule_of(agreed),
            "is_automatic": agreed.payout_schedule != PayoutSchedule.REQUEST,
        },
        status=422 if form.errors else 200,
    )


def _choose(request: UserRequest, partner: Partner, form: PayoutTargetForm) -> Any:
    done = run_action(
        request,
        lambda: choose_destination(
            partner_id=partner.pk, offer=form.offer, destination=form.destination, actor=request.user
        ),
        _("Destination of automatic payouts saved."),
        form=form,
    )
    answer: HttpResponse | None = redirect("partner_payouts") if done else None
    return answer
