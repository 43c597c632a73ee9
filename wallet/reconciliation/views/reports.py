"""Month-end with the PSPs: import or fetch a report, see what matched and what did not, resolve it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.choices import AccessKind
from crm.models import Job
from crm.money.amounts import from_minor
from crm.security import access_log
from crm.ui.actions import run_action
from crm.ui.tables import Table
from crm.ui.views import TableView, staff_page
from crm.web.requests import UserRequest
from crm.web.uploads import takes_files
from wallet.choices.reconciliation import BreakState
from wallet.core import queries
from wallet.core.forms import ReasonForm
from wallet.models import SettlementImport
from wallet.psp.settlement import EndUnknown
from wallet.reconciliation import queries as reconciliation_queries
from wallet.reconciliation import resolve_break
from wallet.reconciliation.forms import REPORT_BYTES_MAX, ReportFetchForm, ReportUploadForm
from wallet.reconciliation.settlement_import import (
    AT_ONCE_BYTES_MAX,
    fetch_and_import,
    import_report,
    order_import,
    original_of,
)
from wallet.reconciliation.tables import ImportTable

COUNTS = frozenset({"rows", "left_out"})
BREAKS_SHOWN = 200
MATCHES_SHOWN = 50


class ReconciliationPage(TableView):
    """The imports, and the two ways to make one."""

    table = ImportTable
    template_name = "wallet/reconciliation/reconciliation.html"

    def get_context(self, table: Table) -> dict[str, Any]:
        return self.forms_context()

    def forms_context(self, upload: Any = None, fetch: Any = None) -> dict[str, Any]:
        psps = queries.psps_visible_to(self.request.user).select_related("brand").defer("sealed_credentials")
        return {
            "upload": upload or ReportUploadForm(psps=psps),
            "fetch": fetch or ReportFetchForm(psps=psps),
            "limit": REPORT_BYTES_MAX,
            "open_breaks": reconciliation_queries.open_break_count(self.request.user),
            "may_import": self.request.user.has_perm("wallet.run_reconciliation"),
            "waiting": queries.waiting_reports(self.request.user, is_statement=False),
        }


class ReportUpload(ReconciliationPage):
    """POST: a file. Who: those who may import."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not request.user.has_perm("wallet.run_reconciliation"):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        return redirect("wallet:reconciliation")

    def post(self, request: UserRequest) -> HttpResponseBase:
        form = ReportUploadForm(request.POST, request.FILES, psps=queries.psps_visible_to(request.user))

        def take() -> Job | SettlementImport:
            file = form.cleaned_data["file"]
            verb = order_import if file.size > AT_ONCE_BYTES_MAX else import_report
            return verb(psp_id=form.cleaned_data["psp"].pk, file_name=file.name, content=file, actor=request.user)

        done = run_action(request, take, form=form, field="file", show_forbidden=True, unshown=EndUnknown)
        if done:
            return redirect("job" if isinstance(done.result, Job) else "wallet:settlement", pk=done.result.pk)
        if isinstance(done.error, EndUnknown):
            return redirect("wallet:report_to_confirm", pk=done.error.waiting_id)
        return self.again(request, upload=form)

    def again(self, request: UserRequest, **forms: Any) -> HttpResponse:
        table = self.table(request.user, request.GET, path="/money/reconciliation/")
        return render(request, self.template_name, {"table": table, **self.forms_context(**forms)}, status=422)


report_upload = takes_files(ReportUpload.as_view(), file_bytes_max=REPORT_BYTES_MAX, needs="wallet.run_reconciliation")


class ReportFetch(ReportUpload):
    """POST: a period, fetched from the PSP's own API."""

    def post(self, request: UserRequest) -> HttpResponseBase:
        form = ReportFetchForm(request.POST, psps=queries.psps_visible_to(request.user))
        done = run_action(
            request,
            lambda: fetch_and_import(
                psp_id=form.cleaned_data["psp"].pk,
                first=form.cleaned_data["first"],
                last=form.cleaned_data["last"],
                actor=request.user,
            ),
            form=form,
            show_forbidden=True,
        )
        if done:
            return redirect("wallet:settlement", pk=done.result.pk)
        return self.again(request, fetch=form)


def _find(request: UserRequest, pk: int) -> SettlementImport:
    rows = (
        queries.imports_visible_to(request.user)
        .select_related("psp__brand", "imported_by")
        .defer("psp__sealed_credentials")
    )
    return queries.one_of(rows, pk, request.user, "wallet.view_settlementimport")


@staff_page("wallet.view_settlementimport")
def settlement_page(request: UserRequest, pk: int) -> HttpResponse:
    return show_settlement(request, _find(request, pk))


def totals_shown(totals: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    return [
        {
            "currency": currency,
            **{name: from_minor(minor, currency) for name, minor in total.items() if name not in COUNTS},
            "rows": total["rows"],
            "left_out": total.get("left_out", 0),
        }
        for currency, total in sorted(totals.items())
    ]


def show_settlement(
    request: HttpRequest, report: SettlementImport, wrong: Any = None, status: int = 200
) -> HttpResponse:
    breaks = list(
        report.breaks.select_related("row", "movement__client", "resolved_by").order_by("state", "id")[:BREAKS_SHOWN]
    )
    context = {
        "report": report,
        "breaks": breaks,
        "totals": totals_shown(report.totals),
        "wrong": wrong,
        "open_breaks": sum(row.state == BreakState.OPEN for row in breaks),
        "matches": reconciliation_queries.matches_of(report, MATCHES_SHOWN),
        "may_resolve": request.user.has_perm("wallet.run_reconciliation"),
    }
    return render(request, "wallet/reconciliation/settlement.html", context, status=status)


@require_POST
@staff_page("wallet.run_reconciliation")
def break_resolve(request: UserRequest, pk: int) -> HttpResponseBase:
    row = queries.one_of(queries.breaks_visible_to(request.user), pk, request.user, "wallet.run_reconciliation")
    if row.report_id is None:  # of a source without reports: it has its own page
        raise Http404
    form = ReasonForm(request.POST)
    done = run_action(
        request,
        lambda: resolve_break(break_id=row.pk, actor=request.user, resolution=form.cleaned_data["reason"]),
        _("Break resolved."),
        form=form,
        show_forbidden=True,
    )
    if done:
        return redirect("wallet:settlement", pk=row.report_id)
    return show_settlement(request, _find(request, row.report_id), {"pk": row.pk, "form": form}, status=422)


@staff_page("wallet.view_settlementimport")
def settlement_original(request: UserRequest, pk: int) -> HttpResponseBase:
    """Download the report's file as it came; the access log notes it."""
    rows = queries.imports_visible_to(request.user).select_related("psp")
    report = queries.one_of(rows, pk, request.user, "wallet.view_settlementimport")
    access_log.note(
        user=request.user,
        kind=AccessKind.DOWNLOAD,
        brand_id=report.psp.brand_id,
        rows=report.row_count,
        target=f"wallet.settlement:{report.pk}",
    )
    ending = report.file_name.rpartition(".")[2].lower()
    ending = ending if ending.isalnum() and len(ending) <= 4 else "csv"
    response = StreamingHttpResponse(original_of(report), content_type="application/octet-stream")
    response["Content-Length"] = str(report.size_bytes)
    response["Content-Disposition"] = (
        f'attachment; filename="{report.psp.code}-{report.first_day}-{report.last_day}.{ending}"'
    )
    return response
