"""Lists of what vendors are asked, and of their webhooks."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from compliance.models import VendorCheck, VendorNotice
from compliance.vendors.choices import CheckState
from compliance.vendors.queries import checks_visible_to, notices_visible_to
from crm.connections.tables import ClientCheckTable, WebhookTable
from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, PersonColumn, QuickFilter


class VendorCheckFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=CheckState.choices, label=_("State"))

    class Meta:
        model = VendorCheck
        fields: list[str] = []


class VendorCheckTable(ClientCheckTable):
    name, title, permission = "screening-vendor-checks", _("Vendor checks"), "compliance.screen_client"
    subtitle = _("Clients and connected parties that screening vendors are asked about")
    columns = [
        PersonColumn("client", _("Client"), value="client.full_name", link=True),
        Column("party", _("Connected party"), value=lambda row: str(row.party or ""), css="clip"),
        Column("vendor", _("Vendor"), value="vendor.name"),
        BadgeColumn("state", _("State")),
        AgoColumn("wanted_at", _("Requested"), place="when"),
        AgoColumn("answered_at", _("Last answer")),
        Column("problem", _("Problem"), css="clip neg"),
        Column("brand", _("Brand"), value="client.brand.name", place="hide"),
    ]
    filterset = VendorCheckFilter
    quick_filters = [
        QuickFilter(_("Waiting"), {"state": CheckState.WAITING}),
        QuickFilter(_("Outcome unknown"), {"state": CheckState.UNKNOWN}),
        QuickFilter(_("Rejected"), {"state": CheckState.REFUSED}),
    ]
    empty = Empty(_("No checks yet"), _("Checks appear here when a brand's clients are screened by a vendor."), "radar")

    def queryset(self) -> QuerySet[VendorCheck]:
        rows = checks_visible_to(self.user).select_related("client__brand", "vendor", "party")
        return rows.defer("vendor__sealed_credentials")

    def row_url(self, row: VendorCheck) -> Any:
        return f"/compliance/clients/{row.client_id}/"


class VendorNoticeTable(WebhookTable):
    name, title, permission = "screening-vendor-notices", _("Screening webhooks"), "compliance.screen_client"
    subtitle = _("Every message from screening vendors as received. An accepted one has the vendor asked again.")

    def queryset(self) -> QuerySet[VendorNotice]:
        return notices_visible_to(self.user).select_related("connection")
