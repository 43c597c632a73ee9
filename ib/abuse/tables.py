"""The queue of referral reviews."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.ui.tables import BadgeColumn, Column, Empty, NumberColumn, PersonColumn, QuickFilter, Table, TimeColumn
from ib.abuse.choices import AbuseSignal, AbuseState
from ib.models import ReferralReview
from ib.queries import partners_visible_to
from ib.tables import due_cell


class ReviewFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=AbuseState.choices, label=_("State"))

    class Meta:
        model = ReferralReview
        fields = ["state"]


def main_reason(row: ReferralReview, table: Table) -> str:
    """Name the signal that adds most to the score."""
    return str(AbuseSignal(row.reasons[0]["code"]).label) if row.reasons else ""


class ReviewTable(Table):
    """Partners whose referrals look like abuse."""

    name, title, permission = "ib.abuse", _("Referral reviews"), "ib.view_partner"
    subtitle = _("Partners whose referrals look like abuse, by shared devices and accounts, trading and CPA")
    columns = [
        PersonColumn("partner", _("Partner"), value="partner.name", link=True),
        NumberColumn("score", _("Score")),
        Column("reason", _("Main reason"), render=main_reason, css="clip"),
        BadgeColumn("state", _("State")),
        TimeColumn("opened_at", _("Opened")),
        Column("due", _("Due"), render=lambda row, table: due_cell(row, table), export=False),
        Column("brand", _("Brand"), value="partner.brand.name"),
    ]
    filterset = ReviewFilter
    quick_filters = [QuickFilter(_("Under review"), {"state": AbuseState.OPEN})]
    search_fields = ["partner__name", "partner__code"]
    search_hint = _("Name or code")
    row_url_name = "ib_abuse_review"
    empty = Empty(
        _("No referral reviews"),
        _("Partners are judged each night. Those above the brand's score arrive here."),
        "shield-check",
    )

    def queryset(self) -> QuerySet[ReferralReview]:
        rows = ReferralReview.objects.filter(partner__in=partners_visible_to(self.user))
        return rows.select_related("partner__brand", "work")
