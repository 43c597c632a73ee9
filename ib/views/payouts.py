"""Staff pages of payouts that start without the partner's request."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.ui.actions import run_action
from crm.ui.views import TableView, staff_page
from crm.web.requests import UserRequest
from ib.choices import AutomaticPayoutState
from ib.models import AutomaticPayout
from ib.queries import partners_visible_to
from ib.settlements.automatic_payouts import retry_payout
from ib.settlements.tables import AutomaticPayoutTable


class AutomaticPayoutList(TableView):
    table = AutomaticPayoutTable


@staff_page("ib.settle_commissions")
@require_POST
def retry(request: UserRequest, automatic_id: int) -> HttpResponse:
    """Try a refused payout again with the balance of now."""
    row = AutomaticPayout.objects.filter(pk=automatic_id, partner__in=partners_visible_to(request.user)).first()
    if row is None:
        raise Http404
    run_action(
        request, lambda: retry_payout(automatic_payout_id=row.pk, actor=request.user), _result, show_forbidden=True
    )
    return redirect("ib_partner_tab", row.partner_id, "settlements")


def _result(row: AutomaticPayout) -> str:
    return {
        AutomaticPayoutState.PAID: _("Payout made."),
        AutomaticPayoutState.WAITING: _("Payout awaits a second approval."),
        AutomaticPayoutState.REFUSED: _("Payout refused again: %(reason)s") % {"reason": row.refusal},
        AutomaticPayoutState.CLOSED: _("Nothing is left to pay out. The payout is closed."),
    }[AutomaticPayoutState(row.state)]
