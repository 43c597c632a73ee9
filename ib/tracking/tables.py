"""Staff's list of what postbacks sent."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.ui.tables import BadgeColumn, Column, Empty, NumberColumn, PersonColumn, QuickFilter, Table, TimeColumn
from ib.models import PostbackDelivery
from ib.queries import partners_visible_to
from ib.tracking.choices import DeliveryState, PostbackEvent, PostbackFailure


class DeliveryFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=DeliveryState.choices, label=_("State"))
    event = django_filters.ChoiceFilter(choices=PostbackEvent.choices, label=_("Step"))
    failure = django_filters.ChoiceFilter(choices=PostbackFailure.choices, label=_("Result"))
    partner = django_filters.CharFilter(field_name="postback__partner__code", label=_("Partner code"))

    class Meta:
        model = PostbackDelivery
        fields = ["state", "event", "failure", "partner"]


class DeliveryTable(Table):
    """Calls of partners' tracking systems. Their addresses are the partners' own."""

    name, title, permission = "ib.postbacks", _("Postbacks"), "ib.view_partner"
    subtitle = _("Calls of partners' own tracking systems when their clients take a step")
    columns = [
        TimeColumn("created_at", _("Date")),
        PersonColumn("partner", _("Partner"), value="postback.partner.name", link=True),
        Column("event", _("Step"), render=lambda row, table: str(row.get_event_display())),
        BadgeColumn("state", _("State")),
        Column("failure", _("Result"), render=lambda row, table: result_of(row)),
        NumberColumn("attempts", _("Attempts")),
        Column("url", _("Address"), css="clip"),
    ]
    filterset = DeliveryFilter
    quick_filters = [
        QuickFilter(_("Failed"), {"state": DeliveryState.FAILED}),
        QuickFilter(_("Waiting"), {"state": DeliveryState.WAITING}),
    ]
    is_searchable = False
    empty = Empty(
        _("No postbacks yet"), _("Partners set them up under Links. Each call and its result appears here."), "webhook"
    )

    def queryset(self) -> QuerySet[PostbackDelivery]:
        rows = PostbackDelivery.objects.filter(postback__partner__in=partners_visible_to(self.user))
        return rows.select_related("postback__partner")

    def row_url(self, row: PostbackDelivery) -> str:
        return reverse("ib_partner", args=[row.postback.partner_id])


def result_of(row: PostbackDelivery) -> str:
    """Say how a call ended, with the status of its answer."""
    parts = [str(row.get_failure_display()) if row.failure else "", str(row.status_code or "")]
    return " · ".join(part for part in parts if part)
