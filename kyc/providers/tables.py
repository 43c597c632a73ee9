"""Lists of checks at providers and of their webhooks."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.connections.tables import ClientCheckTable, WebhookTable
from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, PersonColumn, QuickFilter
from kyc.models import ProviderCheck, ProviderMessage
from kyc.providers.choices import ProviderCheckState
from kyc.providers.queries import checks_visible_to, messages_visible_to


class ProviderCheckFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=ProviderCheckState.choices, label=_("State"))

    class Meta:
        model = ProviderCheck
        fields: list[str] = []


class ProviderCheckTable(ClientCheckTable):
    name, title, permission = "kyc-provider-checks", _("Provider checks"), "kyc.review_document"
    subtitle = _("Checks of clients at outside KYC providers, as last looked up there")
    columns = [
        PersonColumn("client", _("Client"), value="client.full_name", link=True),
        Column("provider", _("Provider"), value="provider.name"),
        BadgeColumn("state", _("State")),
        Column("labels", _("Provider's reasons"), value=lambda row: ", ".join(row.labels), css="clip muted"),
        AgoColumn("started_at", _("Started"), place="when"),
        AgoColumn("reviewed_at", _("Decided")),
        Column("problem", _("Problem"), css="clip neg"),
        Column("brand", _("Brand"), value="client.brand.name", place="hide"),
    ]
    filterset = ProviderCheckFilter
    quick_filters = [
        QuickFilter(_("Refused"), {"state": ProviderCheckState.REFUSED}),
        QuickFilter(_("Outcome unknown"), {"state": ProviderCheckState.UNKNOWN}),
        QuickFilter(_("On hold"), {"state": ProviderCheckState.ON_HOLD}),
    ]
    empty = Empty(_("No checks yet"), _("Checks appear here when clients go to a KYC provider."), "scan-face")

    def queryset(self) -> QuerySet[ProviderCheck]:
        return (
            checks_visible_to(self.user)
            .select_related("client__brand", "provider")
            .defer("provider__sealed_credentials")
        )

    def row_url(self, row: ProviderCheck) -> Any:
        return f"/kyc/providers/checks/{row.pk}/"


class ProviderMessageTable(WebhookTable):
    name, title, permission = "kyc-provider-messages", _("KYC webhooks"), "kyc.review_document"
    subtitle = _("Every message from KYC providers as received. An accepted one has its check looked up.")

    def queryset(self) -> QuerySet[ProviderMessage]:
        return messages_visible_to(self.user).select_related("connection")
