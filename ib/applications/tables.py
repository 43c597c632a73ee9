"""The list of partner applications."""

from __future__ import annotations

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from clients.countries import lazy_choices
from crm.choices import ApprovalState
from crm.ui.tables import (
    BadgeColumn,
    Column,
    CountryColumn,
    Empty,
    PersonColumn,
    QuickFilter,
    Table,
    TimeColumn,
    YesNoColumn,
)
from ib.choices import ApplicantKind, ApplicationSource, PartnerState
from ib.models import PartnerApplication, PartnerApproval
from ib.queries import partners_visible_to


class ApplicationFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(field_name="partner__state", choices=PartnerState.choices, label=_("State"))
    source = django_filters.ChoiceFilter(choices=ApplicationSource.choices, label=_("Source"))
    kind = django_filters.ChoiceFilter(choices=ApplicantKind.choices, label=_("Kind"))
    country = django_filters.ChoiceFilter(choices=lazy_choices, label=_("Country"))

    class Meta:
        model = PartnerApplication
        fields = ["state", "source", "kind", "country"]


class ApplicationTable(Table):
    name, title, permission = "ib.applications", _("Partner applications"), "ib.view_partner"
    subtitle = _("Applications from the website, the client portal and partners' invitations")
    columns = [
        TimeColumn("submitted_at", _("Received")),
        PersonColumn("partner", _("Name"), value="partner.name", link=True),
        BadgeColumn("state", _("State"), value="partner.state"),
        YesNoColumn("is_proposed", _("Awaiting second approval")),
        Column("kind", _("Kind"), render=lambda row, table: str(ApplicantKind(row.kind).label)),
        CountryColumn("country", _("Country")),
        Column("source", _("Source"), render=lambda row, table: str(ApplicationSource(row.source).label)),
        Column("brand", _("Brand"), value="partner.brand.name"),
    ]
    filterset = ApplicationFilter
    quick_filters = [
        QuickFilter(_("Pending approval"), {"state": PartnerState.PENDING}),
        QuickFilter(_("Active"), {"state": PartnerState.ACTIVE}),
        QuickFilter(_("Closed"), {"state": PartnerState.CLOSED}),
    ]
    search_fields = ["partner__name", "partner__user__email"]
    search_hint = _("Name or e-mail")
    empty = Empty(
        _("No applications yet"),
        _("Applications from the website, the client portal and partners' invitations arrive here."),
        "user-plus",
    )

    def queryset(self) -> QuerySet[PartnerApplication]:
        waiting = PartnerApproval.objects.filter(partner_id=OuterRef("partner_id"), state=ApprovalState.PENDING)
        return (
            PartnerApplication.objects.filter(partner__in=partners_visible_to(self.user))
            .select_related("partner__brand")
            .annotate(is_proposed=Exists(waiting))
        )

    def row_url(self, row: PartnerApplication) -> str:
        return row.partner.get_absolute_url()
