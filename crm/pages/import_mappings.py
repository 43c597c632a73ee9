"""Remembered mappings of imports: the list, and one with its columns, to rename or delete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from crm.imports import KINDS, importing, saved_mappings
from crm.models import ImportMapping
from crm.pages.import_tables import kind_label
from crm.ui.actions import run_action
from crm.ui.tables import AgoColumn, Column, Empty, NumberColumn, Table
from crm.ui.views import staff_page
from crm.web.requests import UserRequest


class ImportMappingTable(Table):
    """The remembered mappings of the brands that a person reaches as a whole."""

    name = "crm.import_mappings"
    title = gettext_lazy("Remembered mappings")
    subtitle = gettext_lazy("Used for every new file with the same columns. The one saved last goes first.")
    permission = importing.PERMISSION
    columns: ClassVar[Sequence[Column]] = (
        Column("name", gettext_lazy("Name"), link=True),
        Column("kind", gettext_lazy("Records"), value=lambda row: kind_label(row.kind)),
        NumberColumn(
            "columns", gettext_lazy("Mapped fields"), value=lambda row: len(row.definition.get("fields", {})), digits=0
        ),
        Column("brand", gettext_lazy("Brand")),
        Column("saved_by", gettext_lazy("Saved by")),
        AgoColumn("saved_at", gettext_lazy("Saved")),
    )
    default_order = "-saved_at"
    row_url_name = "import_mapping"
    is_searchable = False
    empty = Empty(
        gettext_lazy("No remembered mappings yet"),
        gettext_lazy("Name a mapping when you map the columns of a file."),
        icon="columns-3",
    )

    def queryset(self) -> QuerySet[ImportMapping]:
        return saved_mappings.mappings_visible_to(self.user).select_related("brand", "saved_by")


class RenameForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)


@staff_page(importing.PERMISSION)
def mapping(request: UserRequest, pk: int) -> HttpResponse | HttpResponseBase:
    """Show which column is which field; rename it."""
    saved = _visible(request, pk)
    form = RenameForm(request.POST or None, initial={"name": saved.name})
    if request.method == "POST" and run_action(
        request,
        lambda: saved_mappings.rename_mapping(mapping_id=saved.pk, actor=request.user, name=form.cleaned_data["name"]),
        _("Mapping renamed."),
        form=form,
        field="name",
    ):
        return redirect("import_mappings")
    context = {"saved": saved, "kind": kind_label(saved.kind), "form": form, "rows": _rows(request, saved)}
    return render(request, "crm/pages/import_saved_mapping.html", context, status=422 if form.errors else 200)


@require_POST
@staff_page(importing.PERMISSION)
def delete(request: UserRequest, pk: int) -> HttpResponseBase:
    """Forget a mapping; imports that used it stay as they are."""
    saved = _visible(request, pk)
    run_action(
        request, lambda: saved_mappings.delete_mapping(mapping_id=saved.pk, actor=request.user), _("Mapping deleted.")
    )
    return redirect("import_mappings")


def _rows(request: UserRequest, saved: ImportMapping) -> list[dict[str, object]]:
    """List the mapped fields with their column, fixed value and translations; a field that is gone by its code."""
    kind = KINDS.get(saved.kind)
    labels = {one.name: one.label for one in kind.fields_of(saved.brand_id, request.user)} if kind else {}
    rows, sources, order = [], saved.definition.get("fields", {}), list(labels)
    for name, source in sorted(
        sources.items(), key=lambda pair: (pair[0] not in labels, pair[0] in labels and order.index(pair[0]))
    ):
        parts = {"column": source} if isinstance(source, str) else source
        rows.append({"label": labels.get(name, name), "is_gone": name not in labels, **parts})
    return [{**row, "translations": list(row.get("values", {}).items())} for row in rows]


def _visible(request: UserRequest, pk: int) -> ImportMapping:
    rows = saved_mappings.mappings_visible_to(request.user).select_related("brand", "saved_by")
    saved = rows.filter(pk=pk).first()
    if saved is None:
        raise Http404
    return saved
