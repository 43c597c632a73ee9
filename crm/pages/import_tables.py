"""Lists of imports, and of the rows of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from crm.choices import ImportVerdict
from crm.imports import KINDS, importing, reporting
from crm.models import DataImport, ImportRow
from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, NumberColumn, Table

CHARS_SHOWN = 160


def kind_label(code: str) -> str:
    """Name a stored kind for a reader; its code for one that no app registers any more."""
    return str(KINDS[code].label) if code in KINDS else code


class DataImportTable(Table):
    """The imports of the brands that a person reaches as a whole."""

    name = "crm.data_imports"
    title = gettext_lazy("Data imports")
    subtitle = gettext_lazy("Records of another CRM: checked row by row first, then imported.")
    permission = importing.PERMISSION
    columns: ClassVar[Sequence[Column]] = (
        Column("file_name", gettext_lazy("File"), link=True),
        BadgeColumn("state", gettext_lazy("State")),
        Column("kind", gettext_lazy("Records"), value=lambda row: kind_label(row.kind)),
        Column("system", gettext_lazy("Other system")),
        NumberColumn("new", gettext_lazy("New"), value=lambda row: row.counts.get("new"), digits=0),
        NumberColumn("known", gettext_lazy("Existing"), value=lambda row: row.existing_count, digits=0),
        NumberColumn("refused", gettext_lazy("Refused"), value=lambda row: row.counts.get("refused"), digits=0),
        NumberColumn("applied", gettext_lazy("Imported"), digits=0),
        Column("brand", gettext_lazy("Brand")),
        Column("owner", gettext_lazy("By")),
        AgoColumn("created_at", gettext_lazy("When"), sort="id"),
    )
    default_order = "-id"
    row_url_name = "data_import"
    is_searchable = False
    empty = Empty(
        gettext_lazy("No imports yet"),
        gettext_lazy("Export clients, leads, notes or partners from your other CRM as CSV or a workbook."),
        icon="upload",
        action=gettext_lazy("Import file"),
        url_name="data_import_new",
    )

    def queryset(self) -> QuerySet[DataImport]:
        return importing.imports_visible_to(self.user).select_related("brand", "owner")


class ImportRowTable(Table):
    """The rows of one import, with what was found in each."""

    name = "crm.data_import_rows"
    title = gettext_lazy("Rows")
    permission = importing.PERMISSION
    columns: ClassVar[Sequence[Column]] = (
        NumberColumn("line", gettext_lazy("Line"), sort=True, digits=0),
        BadgeColumn("verdict", gettext_lazy("Result")),
        Column("reason", gettext_lazy("Details"), value=reporting.reason_of),
        Column(
            "cells",
            gettext_lazy("Row in the file"),
            value=lambda row: " · ".join(filter(None, row.cells))[:CHARS_SHOWN],
        ),
        Column("object_id", gettext_lazy("Record"), value=lambda row: row.object_id or "", link=True),
    )
    default_order = "line"
    is_adjustable = is_searchable = False

    def queryset(self) -> QuerySet[ImportRow]:
        rows = ImportRow.objects.filter(batch=self.scope["import_id"])
        rows = rows.filter(batch__in=importing.imports_visible_to(self.user)).select_related("batch")
        verdict = self.params.get("verdict", "")
        return rows.filter(verdict=verdict) if verdict in ImportVerdict.values else rows

    def row_url(self, row: ImportRow) -> str:
        kind = KINDS.get(row.batch.kind)
        return kind.record_url(row.object_id) if kind and row.object_id else ""
