"""The list of suspected abuse, with its filters."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.html import escape
from django.utils.translation import gettext_lazy as _

from clients.filters import brands_in_reach
from crm.i18n import formats
from crm.models import User
from crm.ui.filters import WhenFilter
from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, MoneyColumn, QuickFilter, Table
from crm.ui.work_columns import WORK_QUICK_FILTERS, WorkFilter, assign_action, work_columns
from risk.abuse.choices import Abuse, EpisodeState
from risk.abuse.models import AbuseEpisode
from risk.abuse.queue import SEES, episodes_visible_to, with_money
from risk.abuse.texts import money_note, sentence

MANY = [Abuse.HEDGE, Abuse.COPY, Abuse.BONUS, Abuse.MULTI]


class EpisodeFilter(WorkFilter):
    state = django_filters.ChoiceFilter(choices=EpisodeState.choices, label=_("State"))
    kind = django_filters.MultipleChoiceFilter(choices=Abuse.choices, label=_("Kind"), distinct=False)
    raised = WhenFilter(field_name="raised_at", label=_("Raised"))
    brand = django_filters.ModelChoiceFilter(queryset=brands_in_reach, label=_("Brand"))

    class Meta:
        model = AbuseEpisode
        fields: list[str] = []


class StakeColumn(MoneyColumn):
    """What is at stake, with a word where it is simulated money of challenges."""

    def html(self, value: Any, row: Any, table: Any) -> str:
        note = money_note(row, is_short=True)
        return str(super().html(value, row, table)) + (f' <span class="faint">{escape(note)}</span>' if note else "")


class EpisodeTable(Table):
    """Those that wait, most at stake first, and decided ones by filter."""

    name, title, permission = "risk.abuse", _("Suspected abuse"), SEES
    subtitle = _("Trading that may break the terms of business, with its evidence. Nothing is done without a decision")
    columns = [
        Column("client", _("Client"), value="client", link=True, place="name", css="nowrap"),
        Column("kind", _("Kind"), value="get_kind_display", place="state", css="nowrap"),
        Column("why", _("What was found"), render=lambda row, table: said(row), css="clip"),
        StakeColumn("stake", _("At stake"), currency="brand.base_currency", sort=True),
        Column("score", _("Score"), render=lambda row, table: formats.number(row.score), css="num text-end"),
        Column("accounts", _("Accounts"), value=lambda row: len(row.accounts), place="rest", hidden=True),
        BadgeColumn("state", _("State"), place="rest"),
        AgoColumn("raised_at", _("Raised"), sort=False),
        *work_columns(),
        Column("decided_by", _("Decided by"), hidden=True),
    ]
    filterset, default_order = EpisodeFilter, "-stake"
    quick_filters = [
        QuickFilter(_("Several accounts"), {"kind": MANY}),
        QuickFilter(_("Prices"), {"kind": [Abuse.LATENCY, Abuse.TOXIC, Abuse.NEWS]}),
        *WORK_QUICK_FILTERS,
    ]
    bulk_actions = (assign_action("risk_abuse_assign"),)
    is_searchable = False
    export_permission = None
    empty = Empty(
        _("No suspected abuse"),
        _("Episodes appear here when deals are judged, within minutes of being read from the platform."),
        "circle-check",
    )

    def queryset(self) -> QuerySet[AbuseEpisode]:
        rows = with_money(episodes_visible_to(self.user)).select_related(
            "brand", "client__brand", "decided_by", "work__brand", "work__claimed_by", "work__assigned_to"
        )
        return rows if self.params.get("state") else rows.filter(state=EpisodeState.OPEN)


def said(row: AbuseEpisode) -> str:
    """Write what was found, in the reader's language."""
    return sentence(row.kind, row.facts, row.brand.base_currency)


def waiting_count(user: User) -> int | None:
    """Count the episodes that wait, up to a hundred."""
    waiting = episodes_visible_to(user).filter(state=EpisodeState.OPEN).order_by()
    return len(waiting.values_list("pk", flat=True)[:100])
