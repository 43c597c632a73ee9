"""Importing another system's records: the list, and the way of one file from the upload to its report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from crm.choices import AccessKind, DataImportState, ExistingRecords, ImportVerdict
from crm.errors import Refusal, outcome_of
from crm.files.jobs import start_job
from crm.i18n.formats import number
from crm.imports import KINDS, importing, upkeep
from crm.imports.files import Preview, file_path, preview
from crm.imports.reading import CELL_CHARS_MAX, COLUMNS_MAX, ROWS_MAX
from crm.models import DataImport
from crm.pages.import_downloads import DOWNLOADS, INLINE_ROWS_MAX, JOB
from crm.pages.import_forms import ConfirmForm, MappingForm, UploadForm, reading_of
from crm.pages.import_tables import DataImportTable, ImportRowTable, kind_label
from crm.security import access_log
from crm.ui.actions import run_action
from crm.ui.exports import csv_lines
from crm.ui.views import TableView, embedded_table, reload_page, staff_page, wants_fragment
from crm.web.requests import UserRequest
from crm.web.uploads import takes_files

RUNNING = (DataImportState.CHECKING, DataImportState.APPLYING)
MAPPABLE = (DataImportState.MAPPING, DataImportState.CHECKING, DataImportState.CHECKED, DataImportState.FAILED)
DISCARDABLE = MAPPABLE
STEPS = {
    DataImportState.MAPPING: 1,
    DataImportState.FAILED: 1,
    DataImportState.CHECKING: 2,
    DataImportState.CHECKED: 3,
    DataImportState.APPLYING: 3,
    DataImportState.DONE: 4,
}


class DataImportList(TableView):
    """The list of imports, with the way to a new one."""

    table = DataImportTable
    template_name = "crm/pages/imports.html"


@takes_files
@staff_page(importing.PERMISSION)
def new(request: UserRequest) -> HttpResponseBase:
    """Upload a file. What it holds is guessed from its columns; nothing is imported."""
    form = UploadForm(request.POST or None, request.FILES or None, actor=request.user)

    def start() -> DataImport:
        data = form.cleaned_data
        return importing.start_import(
            brand=data["brand"],
            actor=request.user,
            kind=data["kind"],
            system=data["system"],
            file_name=data["file"].name,
            content=data["file"].read(),
        )

    done = run_action(request, start, form=form, field=lambda error: "system" if "system" in error.code else "file")
    if done:
        return redirect("data_import_mapping", pk=done.result.pk)
    limits = _(
        "CSV in any common encoding, or a workbook (XLSX, XLS, ODS), with the column names in the first line. At most "
        "%(size)s, %(rows)s rows, %(columns)s columns and %(chars)s characters in a value. Larger files: "
        "manage.py import_crm."
    ) % {
        "size": filesizeformat(settings.UPLOAD_MAX_BYTES),
        "rows": number(ROWS_MAX),
        "columns": number(COLUMNS_MAX),
        "chars": number(CELL_CHARS_MAX),
    }
    context = {"form": form, "limits": limits}
    return render(request, "crm/pages/import_new.html", context, status=422 if request.method == "POST" else 200)


@staff_page(importing.PERMISSION)
def mapping(request: UserRequest, pk: int) -> HttpResponseBase:
    """Say which column is which field, and start the dry run. “Show again” reads the file as it is chosen, and keeps nothing."""
    batch = _visible(request, pk)
    if batch.state not in MAPPABLE or not file_path(batch).exists():
        return redirect(batch)
    is_post = request.method == "POST"
    definition = {**batch.mapping, **reading_of(request.POST)} if is_post else batch.mapping
    shown = outcome_of(lambda: preview(batch, definition))
    sample = Preview(list(batch.header)) if isinstance(shown, Refusal) else shown.result
    fields = KINDS[batch.kind](batch).all_fields
    form = MappingForm(request.POST if is_post else None, fields=fields, preview=sample, definition=definition)
    if isinstance(shown, Refusal) and is_post:
        form.add_error("encoding", shown.message)
    if is_post and request.POST.get("act") != "show":

        def save() -> DataImport:
            return importing.map_columns(
                import_id=batch.pk,
                actor=request.user,
                definition=form.definition(),
                remember_as=form.cleaned_data["remember_as"],
            )

        if run_action(request, save, form=form):
            return redirect(batch)
    problems = [*batch.problems, *(line for line in sample.problems if line not in batch.problems)]
    context = {
        "batch": batch,
        "form": form,
        "subtitle": f"{kind_label(batch.kind)} · {batch.brand} · {batch.system}",
        "list_url": reverse("data_imports"),
        "list_label": _("Data imports"),
        "discard_url": reverse("data_import_discard", args=[batch.pk]),
        "preview": sample,
        "problems": problems,
        "steps": _steps(),
        "step": 1,
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "crm/pages/import_mapping.html", context, status=status)


@staff_page(importing.PERMISSION)
def detail(request: UserRequest, pk: int) -> HttpResponseBase:
    """Show how far an import is: progress, verdict per row, what confirming does, and in the end its report."""
    batch = _visible(request, pk)
    if batch.state == DataImportState.MAPPING:
        return redirect("data_import_mapping", pk=pk)
    table = ImportRowTable(request.user, request.GET, path=request.path, scope={"import_id": batch.pk})
    if wants_fragment(request) and not request.GET.get("state"):
        return embedded_table(request, table)
    is_active = batch.state in RUNNING
    is_running = is_active and importing.is_running(batch)
    if wants_fragment(request) and not is_running:
        return reload_page()
    context = {
        "batch": batch,
        "kind": kind_label(batch.kind),
        "table": table,
        "job": batch.job,
        "is_running": is_running,
        "is_stopped": is_active and not is_running,
        "can_discard": batch.state in DISCARDABLE,
        "can_map": batch.state in MAPPABLE and file_path(batch).exists(),
        "counts": _counts(batch),
        "verdict": request.GET.get("verdict", ""),
        "left_out": batch.counts.get("refused", 0) + batch.counts.get("repeated", 0),
        "takes": batch.taken_count,
        "is_applying": batch.state == DataImportState.APPLYING,
        "applied": batch.applied,
        "confirm_form": ConfirmForm() if batch.counts.get("changed") else None,
        "effects": list(_effects(batch)),
        "kept_until": upkeep.kept_until(batch),
        "steps": _steps(),
        "step": STEPS.get(DataImportState(batch.state), 0),
    }
    template = "crm/pages/_import_state.html" if wants_fragment(request) else "crm/pages/import.html"
    return render(request, template, context)


def _steps() -> list[str]:
    return [_("Upload"), _("Columns"), _("Check"), _("Import")]


def _counts(batch: DataImport) -> list[dict[str, Any]]:
    """Count the rows by result; whether existing records are compared depends on the kind."""
    compared = {ImportVerdict.SAME, ImportVerdict.CHANGED}
    hidden = {ImportVerdict.KNOWN} if batch.kind in KINDS and KINDS[batch.kind].compares else compared
    return [
        {"value": verdict.value, "label": verdict.label, "count": batch.counts.get(verdict.value, 0)}
        for verdict in ImportVerdict
        if verdict not in hidden
    ]


def _effects(batch: DataImport) -> Iterator[str]:
    """Say in sentences what confirming does."""
    new, changed, refused, repeated = (batch.counts.get(name, 0) for name in ("new", "changed", "refused", "repeated"))
    kind = KINDS.get(batch.kind)
    if new:
        text = ngettext("%(count)s new record is imported.", "%(count)s new records are imported.", new)
        yield f"{text % {'count': number(new)}} {kind.effect if kind else ''}".strip()
    if batch.existing_count:
        yield ngettext(
            "%(count)s existing record is linked with its number in %(system)s.",
            "%(count)s existing records are linked with their numbers in %(system)s.",
            batch.existing_count,
        ) % {"count": number(batch.existing_count), "system": batch.system}
    if changed:
        yield ngettext(
            "%(count)s of them differs from the file. What a document has proved is never changed.",
            "%(count)s of them differ from the file. What a document has proved is never changed.",
            changed,
        ) % {"count": number(changed)}
    if refused or repeated:
        yield _(
            "Left out: refused rows (%(refused)s), duplicates in the file (%(repeated)s). You can download them."
        ) % {"refused": number(refused), "repeated": number(repeated)}
    if new:
        yield _("Imported records can't be removed in one step.")


@staff_page(importing.PERMISSION)
@require_POST
def confirm(request: UserRequest, pk: int) -> HttpResponseBase:
    """Import what the check found good, or go on where an import stopped."""
    batch, form = _visible(request, pk), ConfirmForm(request.POST)
    existing = form.cleaned_data["existing"] if form.is_valid() else ExistingRecords.KEEP.value
    run_action(
        request,
        lambda: importing.confirm(import_id=batch.pk, actor=request.user, existing=existing),
        _("The rows are being imported."),
    )
    return redirect(batch)


@staff_page(importing.PERMISSION)
@require_POST
def discard(request: UserRequest, pk: int) -> HttpResponseBase:
    """Discard a file that wasn't imported."""
    batch = _visible(request, pk)
    done = run_action(request, lambda: importing.discard(import_id=batch.pk, actor=request.user), _("File discarded."))
    return redirect("data_imports") if done else redirect(batch)


@staff_page(importing.PERMISSION)
@require_POST
def delete_rows(request: UserRequest, pk: int) -> HttpResponseBase:
    """Delete the rows that are kept of a finished import."""
    batch = _visible(request, pk)
    run_action(request, lambda: importing.delete_rows(import_id=batch.pk, actor=request.user), _("Rows deleted."))
    return redirect(batch)


@staff_page(importing.PERMISSION)
def download(request: UserRequest, pk: int, what: str) -> HttpResponseBase:
    """Send the refused rows, or the report, as CSV; a long one is made by a job."""
    batch = _visible(request, pk)
    if what not in DOWNLOADS or batch.rows_deleted_at is not None:
        raise Http404
    lines, file_name = DOWNLOADS[what](batch), f"import-{batch.pk}-{what}.csv"
    rows = sum(batch.counts.get(verdict.value, 0) for verdict in ImportVerdict)
    access_log.note(
        user=request.user,
        kind=AccessKind.EXPORT,
        brand_id=batch.brand_id,
        target=f"import:{batch.pk}.{what}",
        rows=rows,
        reason=batch.file_name,
    )
    if rows > INLINE_ROWS_MAX:
        job = start_job(
            JOB, owner=request.user, title=file_name, parameters={"import": batch.pk, "what": what, "name": file_name}
        )
        return redirect("job", pk=job.pk)
    response = StreamingHttpResponse(csv_lines(lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{file_name}"'
    response["Cache-Control"] = "no-store"
    return response


def _visible(request: UserRequest, pk: int) -> DataImport:
    batch = importing.imports_visible_to(request.user).select_related("brand", "owner", "job").filter(pk=pk).first()
    if batch is None:
        raise Http404
    return batch
