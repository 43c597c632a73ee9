"""The list of news for partners."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from crm.ui.tables import Column, DateColumn, Empty, Table, TimeColumn
from ib.models import PartnerNews
from ib.news.publishing import news_visible_to


class NewsFilter(django_filters.FilterSet):
    withdrawn = django_filters.BooleanFilter(
        field_name="withdrawn_at", lookup_expr="isnull", exclude=True, label=_("Withdrawn")
    )

    class Meta:
        model = PartnerNews
        fields = ["withdrawn"]


def audience_of(row: PartnerNews, table: Table) -> str:
    """Say whom news are for."""
    if row.chosen is not None:
        return ngettext("%(count)s partner", "%(count)s partners", len(row.chosen)) % {"count": len(row.chosen)}
    return str(row.partner.name if row.partner else _("All partners"))


class NewsTable(Table):
    """What managers published for partners."""

    name, title, permission = "ib.news", _("News for partners"), "ib.view_partner"
    subtitle = _("Short texts on the partners’ home, for a brand or a partner’s network")
    columns = [
        Column("title", _("Title"), link=True, render=lambda row, table: str(row)),
        Column("to", _("For"), render=audience_of),
        Column("brand", _("Brand"), value="brand.name"),
        DateColumn("starts_on", _("From")),
        DateColumn("ends_on", pgettext_lazy("day", "To")),
        TimeColumn("notified_at", _("Notified"), hidden=True),
        TimeColumn("withdrawn_at", _("Withdrawn")),
    ]
    filterset = NewsFilter
    row_url_name = "ib_news_item"
    empty = Empty(
        _("No news yet"),
        _("News appear on the partners’ home, in their language."),
        "megaphone",
        _("New message"),
        "ib_news_new",
        "ib.manage_partners",
    )

    def queryset(self) -> QuerySet[PartnerNews]:
        return news_visible_to(self.user).select_related("brand", "partner")
