"""The list of a brand's banners."""

from __future__ import annotations

import django_filters
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.ui.tables import Column, DateColumn, Empty, QuickFilter, Table, YesNoColumn
from ib.materials.banners import banners_visible_to
from ib.models import Material


class BannerFilter(django_filters.FilterSet):
    active = django_filters.BooleanFilter(field_name="is_active", label=_("Offered"))
    language = django_filters.ChoiceFilter(choices=settings.LANGUAGES, label=_("Language"))

    class Meta:
        model = Material
        fields = ["active", "language"]


class BannerTable(Table):
    """What partners can embed."""

    name, title, permission = "ib.materials", _("Banners"), "ib.view_partner"
    subtitle = _("Pictures and HTML5 banners that partners embed with their own link")
    columns = [
        Column("name", _("Name"), link=True),
        Column("size", _("Size"), render=lambda row, table: row.size),
        Column("language", _("Language"), render=lambda row, table: dict(settings.LANGUAGES).get(row.language, "")),
        Column("brand", _("Brand"), value="brand.name"),
        YesNoColumn("is_active", _("Offered")),
        DateColumn("created_at", _("Since")),
    ]
    filterset = BannerFilter
    quick_filters = [QuickFilter(_("Offered"), {"active": "true"})]
    search_fields = ["name"]
    search_hint = _("Name")
    row_url_name = "ib_material"
    empty = Empty(
        _("No banners yet"),
        _("Partners embed banners with their own link; views and clicks are counted."),
        "file",
        _("New banner"),
        "ib_material_new",
        "ib.manage_partners",
    )

    def queryset(self) -> QuerySet[Material]:
        return banners_visible_to(self.user).select_related("brand").defer("content")
