"""Importing a file of leads: choose it, see what is in it, take it in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from clients.countries import country_choices
from clients.custom_fields.arrivals import lead_fields
from clients.views import dialogs
from crm.errors import Refusal, outcome_of
from crm.i18n.formats import number
from crm.imports.files import ROWS_SAMPLED, Preview, preview_of, reading_options
from crm.imports.reading import ROWS_MAX, WORKBOOKS, open_table
from crm.models import Brand, User
from crm.pages.import_forms import MappingForm, reading_of
from crm.security.scope import reach_of
from crm.ui.actions import run_action
from crm.ui.tables import (
    AgoColumn,
    BadgeColumn,
    Column,
    CountryColumn,
    EmailColumn,
    Empty,
    NumberColumn,
    PhoneColumn,
    Table,
)
from crm.ui.views import embedded_table, reload_page, staff_page, wants_fragment
from crm.web.requests import UserRequest
from crm.web.uploads import takes_files
from leads import imports
from leads.choices import ImportState, RowVerdict
from leads.import_files import columns, files
from leads.import_files.applying import written_count
from leads.import_files.reading import CustomColumns
from leads.models import Campaign, LeadImport, LeadImportRow

RUNNING = (ImportState.CHECKING, ImportState.IMPORTING)
MAPPABLE = (ImportState.MAPPING, ImportState.CHECKING, ImportState.CHECKED, ImportState.FAILED)


class ImportForm(forms.Form):
    brand = forms.ModelChoiceField(label=gettext_lazy("Brand"), queryset=Brand.objects.none())
    file = forms.FileField(
        label=gettext_lazy("File"), widget=forms.FileInput({"accept": ",".join((".csv", ".txt", ".tsv", *WORKBOOKS))})
    )
    campaign = forms.ModelChoiceField(label=gettext_lazy("Campaign"), queryset=Campaign.objects.none(), required=False)
    source = forms.CharField(label=gettext_lazy("Source"), max_length=60, required=False)
    country = forms.ChoiceField(
        label=gettext_lazy("Default country"),
        required=False,
        help_text=gettext_lazy("Phone numbers without a country code are read as numbers of this country."),
    )
    language = forms.CharField(label=gettext_lazy("Default language"), max_length=8, required=False)
    is_routed = forms.BooleanField(
        label=gettext_lazy("Assign the leads by the routing rules"), required=False, initial=True
    )

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        brands = Brand.objects.filter(pk__in=reach_of(actor).brands, archived_at=None)
        fields: Any = self.fields
        fields["brand"].queryset, fields["brand"].initial = brands, actor.brand_id
        fields["campaign"].queryset = Campaign.objects.filter(brand__in=brands, is_active=True)
        fields["country"].choices = country_choices(blank="–")


class ImportTable(Table):
    """One's own imports, and those of the brands one reaches."""

    name, title, permission = "lead-imports", gettext_lazy("Lead imports"), "leads.import_lead"
    columns = [
        Column("file_name", gettext_lazy("File"), link=True),
        BadgeColumn("state", gettext_lazy("State")),
        NumberColumn("new", gettext_lazy("New"), value=lambda row: row.counts.get("new"), digits=0),
        NumberColumn("known", gettext_lazy("Existing"), value=lambda row: row.counts.get("known"), digits=0),
        NumberColumn("wrong", gettext_lazy("Invalid"), value=lambda row: row.counts.get("wrong"), digits=0),
        Column("brand", gettext_lazy("Brand")),
        Column("owner", gettext_lazy("By")),
        AgoColumn("created_at", gettext_lazy("When"), sort="id"),
    ]
    default_order = "-id"
    empty = Empty(
        gettext_lazy("No imports yet"),
        gettext_lazy("Upload a list as CSV or Excel file with the column names in the first line."),
        icon="upload",
        action=gettext_lazy("Import leads"),
        url_name="lead_import_new",
    )

    def queryset(self) -> QuerySet[LeadImport]:
        return LeadImport.objects.filter(brand_id__in=reach_of(self.user).brands).select_related("brand", "owner")


def _errors(row: LeadImportRow) -> str:
    if row.same_as_line:
        return _("Same person as in line %(line)s") % {"line": row.same_as_line}
    return "; ".join(f"{error['column']}: {error['message']}".removeprefix(": ") for error in row.errors)


class ImportRowTable(Table):
    """The lines of one file, with what was found in each."""

    name, title, permission = "lead-import-rows", gettext_lazy("Lines"), "leads.import_lead"
    export_permission = "leads.import_lead"
    columns = [
        NumberColumn("line", gettext_lazy("Line"), sort=True, digits=0),
        BadgeColumn("verdict", gettext_lazy("Result")),
        Column("errors", gettext_lazy("Problem"), value=_errors),
        Column("first_name", gettext_lazy("First name")),
        Column("last_name", gettext_lazy("Last name")),
        EmailColumn("email", gettext_lazy("E-mail")),
        PhoneColumn("phone", gettext_lazy("Phone")),
        CountryColumn("country", gettext_lazy("Country")),
        Column("campaign_code", gettext_lazy("Campaign")),
    ]
    default_order = "line"
    is_adjustable = False

    def queryset(self) -> QuerySet[LeadImportRow]:
        rows = LeadImportRow.objects.filter(
            batch_id=self.scope["import_id"], batch__brand_id__in=reach_of(self.user).brands
        )
        verdict = self.params.get("verdict", "")
        return rows.filter(verdict=verdict) if verdict in RowVerdict.values else rows

    def row_url(self, row: LeadImportRow) -> str:
        return f"/clients/{row.client_id}/" if row.client_id else ""


def _visible(request: UserRequest, import_id: int) -> LeadImport:
    batch = (
        LeadImport.objects.select_related("brand", "owner", "campaign", "check_job", "import_job")
        .filter(pk=import_id, brand_id__in=reach_of(request.user).brands)
        .first()
    )
    if batch is None:
        raise Http404
    return batch


@takes_files(file_bytes_max=files.BYTES_MAX, needs="leads.import_lead")
@staff_page("leads.import_lead")
def new(request: UserRequest) -> HttpResponseBase:
    form = ImportForm(request.POST or None, request.FILES or None, actor=request.user)

    def start() -> LeadImport:
        data = dict(form.cleaned_data)
        brand, upload = data.pop("brand"), data.pop("file")
        return imports.start_import(
            brand=brand,
            actor=request.user,
            file_name=upload.name,
            content=upload.file,
            options=imports.ImportOptions(**data),
        )

    done = run_action(request, start, form=form, field="file")
    if done:
        return dialogs.back(request, done.result.get_absolute_url())
    status = 422 if request.method == "POST" else 200
    brand = form.cleaned_data.get("brand") if form.is_bound else request.user.brand
    custom = [f"{row.key} ({row.label})" for row in lead_fields(brand.pk)] if brand else []
    limits = _("CSV or a workbook (XLSX, XLS, ODS): at most %(size)s and %(rows)s rows.") % {
        "size": filesizeformat(files.BYTES_MAX),
        "rows": number(ROWS_MAX),
    }
    return render(request, "leads/import_new.html", {"form": form, "custom": custom, "limits": limits}, status=status)


@staff_page("leads.import_lead")
def mapping(request: UserRequest, import_id: int) -> HttpResponseBase:
    """Choose which column is which field, and have the file checked. “Show again” reads the file as it is chosen."""
    batch = _visible(request, import_id)
    if batch.state not in MAPPABLE or batch.owner_id != request.user.pk or not files.file_path(batch).exists():
        return redirect(batch)
    is_post = request.method == "POST"
    definition = {**batch.mapping, **reading_of(request.POST)} if is_post else batch.mapping
    options = reading_options(definition)
    shown = outcome_of(
        lambda: preview_of(open_table(files.content_of(batch), batch.file_name, rows_max=ROWS_SAMPLED, **options))
    )
    sample = Preview(list(batch.header)) if isinstance(shown, Refusal) else shown.result
    fields = columns.fields_of(CustomColumns(lead_fields(batch.brand_id)))
    form = MappingForm(request.POST if is_post else None, fields=fields, preview=sample, definition=definition)
    del form.fields["remember_as"]  # the next file with these columns is read like this one
    if isinstance(shown, Refusal) and is_post:
        form.add_error("encoding", shown.message)

    def save() -> LeadImport:
        return imports.map_columns(import_id=batch.pk, actor=request.user, definition=form.definition())

    if is_post and request.POST.get("act") != "show" and run_action(request, save, form=form):
        return redirect(batch)
    context = {
        "batch": batch,
        "form": form,
        "preview": sample,
        "problems": [*batch.problems, *(line for line in sample.problems if line not in batch.problems)],
        "steps": [_("Upload"), _("Columns"), _("Check"), _("Import")],
        "step": 1,
        "subtitle": f"{batch.brand} · {batch.owner}",
        "list_url": reverse("lead_imports"),
        "list_label": ImportTable.title,
        "discard_url": reverse("lead_import_discard", args=[batch.pk]),
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "crm/pages/import_mapping.html", context, status=status)


@staff_page("leads.import_lead")
def detail(request: UserRequest, import_id: int) -> HttpResponseBase:
    """Show the preview: counts per verdict and the lines; after the import, the lines that couldn't be imported."""
    batch = _visible(request, import_id)
    is_mine = batch.owner_id == request.user.pk
    if batch.state == ImportState.MAPPING and is_mine:
        return redirect("lead_import_mapping", import_id=batch.pk)
    table = ImportRowTable(request.user, request.GET, path=request.path, scope={"import_id": batch.pk})
    if request.GET.get("export") or (wants_fragment(request) and not request.GET.get("state")):
        return embedded_table(request, table)
    counts = [
        {
            "value": verdict.value,
            "label": verdict.label,
            "count": batch.counts.get(verdict.value, 0),
            "tone": verdict.colour,
        }
        for verdict in RowVerdict
        if verdict != RowVerdict.REFUSED or batch.counts.get(verdict.value)
    ]
    is_active, is_stopped = batch.state in RUNNING, imports.is_stopped(batch)
    is_running = is_active and not is_stopped
    if wants_fragment(request) and not is_running:
        return reload_page()
    takes = batch.counts.get("new", 0) + batch.counts.get("known", 0)
    context = {
        "batch": batch,
        "table": table,
        "counts": counts,
        "verdict": request.GET.get("verdict", ""),
        "takes": takes,
        "is_mine": is_mine,
        "is_checked": batch.state == ImportState.CHECKED,
        "is_applying": batch.state == ImportState.IMPORTING,
        "is_running": is_running,
        "is_stopped": is_stopped,
        "applied": written_count(batch),
        "can_map": is_mine and batch.state in MAPPABLE and files.file_path(batch).exists(),
        "can_discard": is_mine and batch.state in MAPPABLE,
        "job": batch.import_job if batch.state == ImportState.IMPORTING else batch.check_job,
    }
    template = "crm/pages/_import_state.html" if wants_fragment(request) else "leads/import.html"
    return render(request, template, context)


@staff_page("leads.import_lead")
@require_POST
def confirm(request: UserRequest, import_id: int) -> HttpResponseBase:
    batch = _visible(request, import_id)
    run_action(
        request, lambda: imports.confirm(import_id=batch.pk, actor=request.user), _("The leads are being imported.")
    )
    return dialogs.back(request, batch.get_absolute_url())


@staff_page("leads.import_lead")
@require_POST
def discard(request: UserRequest, import_id: int) -> HttpResponseBase:
    batch = _visible(request, import_id)
    done = run_action(request, lambda: imports.discard(import_id=batch.pk, actor=request.user), _("File discarded."))
    return dialogs.back(request, "/leads/imports/" if done else batch.get_absolute_url())


@staff_page("leads.import_lead")
def example(request: HttpRequest) -> HttpResponse:
    """Send a small file to start from."""
    text = (
        "first_name,last_name,email,phone,country,language,campaign,message,consent\r\n"
        "Erika,Mustermann,erika@example.com,0151 23456789,DE,de,,Please call after 5,yes\r\n"
    )
    response = HttpResponse("\ufeff" + text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="leads.csv"'
    return response
