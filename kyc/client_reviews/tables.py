"""The queue of periodic reviews."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from clients.choices import RiskRating
from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, NumberColumn, PersonColumn, QuickFilter, Table
from crm.ui.work_columns import WORK_QUICK_FILTERS, WorkFilter, assign_action, work_columns
from kyc.client_reviews.kind import reviews_visible_to
from kyc.models.client_reviews import ClientReview, ReviewState


class ClientReviewFilter(WorkFilter):
    state = django_filters.ChoiceFilter(choices=ReviewState.choices, label=_("State"))
    risk = django_filters.ChoiceFilter(choices=RiskRating.choices, label=_("Risk rating"))

    class Meta:
        model = ClientReview
        fields: list[str] = []


class ClientReviewTable(Table):
    """Reviews that are due, and decided ones by filter."""

    name, title, permission = "kyc-client-reviews", _("Periodic reviews"), "kyc.review_client"
    subtitle = _("Clients whose verification is reviewed again, by their risk")
    columns = [
        PersonColumn("client", _("Client"), value="client.full_name", link=True),
        BadgeColumn("state", _("State")),
        BadgeColumn("risk", _("Risk rating")),
        NumberColumn("level", _("KYC level"), value="client.kyc_level", digits=0, css="center"),
        AgoColumn("opened_at", _("Due since"), sort=True, place="when"),
        *work_columns(),
        Column("brand", _("Brand"), value="client.brand.name", hidden=True),
    ]
    filterset = ClientReviewFilter
    quick_filters = [*WORK_QUICK_FILTERS, QuickFilter(_("High risk"), {"risk": RiskRating.HIGH})]
    bulk_actions = (assign_action("kyc:client_review_assign"),)
    default_order = "opened_at"
    search_hint = _("Client")
    export_permission = None
    empty = Empty(_("No reviews due"), _("A client's review appears here when its day has come."), "calendar-clock")

    def queryset(self) -> QuerySet[ClientReview]:
        rows = reviews_visible_to(self.user).select_related("client__brand", "work__claimed_by", "work__assigned_to")
        return rows if self.params.get("state") else rows.filter(state=ReviewState.OPEN)

    def search(self, queryset: QuerySet[ClientReview], words: str) -> QuerySet[ClientReview]:
        for word in words.lower().split()[:4]:
            queryset = queryset.filter(client__search_text__contains=word)
        return queryset
