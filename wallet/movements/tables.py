"""What lists of movements have in common."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from crm.ui.tables import Table
from crm.web.requests import UserRequest
from wallet.core import queries
from wallet.models import Psp


def psps_of(request: UserRequest) -> Any:
    """List the PSPs of the filter, as far as the user sees them."""
    return queries.psps_visible_to(request.user) if request else Psp.objects.none()


def reference_of(row: Any, _table: Table) -> str:
    """Show a movement's reference in a fixed-width font."""
    return format_html('<span class="mono">{}</span>', row.reference) if row.reference else ""


class MovementTable(Table):
    """What deposits, withdrawals and transfers have in common: found by reference or client."""

    search_hint = _("Reference, PSP reference or client")
    export_permission = "wallet.export_money"

    def search(self, queryset: QuerySet[Any], words: str) -> QuerySet[Any]:
        if words.upper()[:2] in ("D-", "W-", "T-", "X-"):
            return queryset.filter(reference__istartswith=words)
        for word in words.lower().split()[:4]:
            queryset = queryset.filter(client__search_text__contains=word)
        return queryset
