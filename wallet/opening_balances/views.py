"""Pages of opening balances: the list, and the one on which a second person decides."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import render

from crm.approvals.queries import proposal_of
from crm.choices import AccessKind, ApprovalState
from crm.security import access_log
from crm.ui.views import StaffView, TableView, embedded_table, wants_fragment
from crm.web.requests import UserRequest
from wallet.core import queries
from wallet.models import OpeningPart
from wallet.opening_balances.approval import totals_of
from wallet.opening_balances.posting import posted_parts
from wallet.opening_balances.tables import OpeningBalancesTable, OpeningLineTable

SEES = "wallet.view_manualjournal"


class OpeningBalancesList(TableView):
    table = OpeningBalancesTable


class OpeningBalancesPage(StaffView):
    """Totals, the file, every line, and the decision. Each view of lines is in the access log."""

    permission = SEES

    def get(self, request: UserRequest, pk: int) -> HttpResponseBase:
        rows = queries.opening_balances_visible_to(request.user)
        related = rows.select_related("brand", "data_import", "requested_by", "decided_by")
        opening = queries.one_of(related, pk, request.user, SEES)
        table = OpeningLineTable(
            request.user, request.GET, path=request.path, scope={"import_id": opening.data_import_id}
        )
        access_log.note(
            user=request.user,
            kind=AccessKind.VIEW,
            brand_id=opening.brand_id,
            target=f"wallet.openingbalances:{opening.pk}",
            rows=len(table.page.rows),
        )
        if request.GET.get("export") or wants_fragment(request):
            return embedded_table(request, table)
        context: dict[str, Any] = {
            "opening": opening,
            "proposal": proposal_of(opening, request.user),
            "table": table,
            "totals": totals_of(opening.data_import_id),
            "is_posting": opening.state == ApprovalState.APPROVED and opening.posted_at is None,
            "parts": OpeningPart.objects.filter(data_import_id=opening.data_import_id).count(),
            "posted": posted_parts(opening),
        }
        return render(request, "wallet/opening_balances/opening_balances.html", context)
