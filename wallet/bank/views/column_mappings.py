"""A bank's table that waits for its mapping, with a preview; and the mappings that are remembered."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.choices import AccessKind
from crm.errors import outcome_of
from crm.security import access_log
from crm.ui.actions import run_action
from crm.ui.views import StaffView, staff_page
from crm.web.requests import UserRequest
from wallet.bank import column_mappings, waiting_tables
from wallet.bank import forms as forms_tables
from wallet.bank import queries as queries_bank
from wallet.core import queries
from wallet.models import WaitingTable
from wallet.psp.settlement import EndUnknown
from wallet.statement_formats import Mapping, Parsed
from wallet.statement_formats.parsed import Weight

ENTRIES_SHOWN = 12
TROUBLES_SHOWN = 8
MAPPINGS_SHOWN = 200
WAITING_SHOWN = 50


class WaitingTablePage(StaffView):
    """GET: the columns as guessed. POST: preview with this mapping, or remember it and import."""

    permission = "wallet.handle_bank_entries"

    def find(self, request: UserRequest, pk: int) -> WaitingTable:
        rows = queries_bank.waiting_tables_visible_to(request.user).select_related("psp", "uploaded_by")
        return queries.one_of(rows.defer("psp__sealed_credentials"), pk, request.user, self.permission)

    def get(self, request: UserRequest, pk: int) -> HttpResponse:
        waiting = self.find(request, pk)
        access_log.note(
            user=request.user,
            kind=AccessKind.VIEW,
            brand_id=waiting.psp.brand_id,
            target=f"wallet.waiting_table:{waiting.pk}",
        )
        shape = column_mappings.shape_of(waiting.content)
        currency = queries_bank.usual_currency(waiting.psp_id)
        return self.show(request, waiting, shape, forms_tables.first_mapping(shape, currency))

    def post(self, request: UserRequest, pk: int) -> HttpResponseBase:
        waiting = self.find(request, pk)
        shape = column_mappings.shape_of(waiting.content)
        entered = run_action(request, lambda: forms_tables.mapping_of(request.POST, shape), show_forbidden=True)
        if not entered:
            typed = forms_tables.mapping_as_typed(request.POST, shape)
            return self.show(request, waiting, shape, typed, status=422, is_readable=False)
        mapping = entered.result
        if request.POST.get("what") != "import":
            return self.show(request, waiting, shape, mapping)
        message = _(
            "Statement imported. New entries: %(new)s. Already known: %(known)s. This column mapping "
            "will be used for similar files."
        )
        done = run_action(
            request,
            lambda: waiting_tables.import_waiting(waiting_id=waiting.pk, mapping=mapping, actor=request.user),
            lambda file: message % {"new": file.entries_new, "known": file.entries_known},
            show_forbidden=True,
            unshown=EndUnknown,
        )
        if done:
            return redirect("wallet:bank")
        if isinstance(done.error, EndUnknown):
            return redirect("wallet:report_to_confirm", pk=done.error.waiting_id)
        return self.show(request, waiting, shape, mapping, status=422)

    def show(
        self,
        request: HttpRequest,
        waiting: WaitingTable,
        shape: Any,
        mapping: Mapping,
        *,
        status: int = 200,
        is_readable: bool = True,
    ) -> HttpResponse:
        def preview() -> list[Parsed]:
            if not is_readable:
                return []
            column_mappings.require_complete(mapping)
            return waiting_tables.preview(waiting, mapping)

        previewed = outcome_of(preview)
        statements = previewed.result or []
        troubles = [trouble for statement in statements for trouble in statement.troubles]
        context = {
            "waiting": waiting,
            "columns": forms_tables.columns_of(shape, mapping),
            "refusal": previewed.message,
            "entries": [entry for statement in statements for entry in statement.entries[:ENTRIES_SHOWN]][
                :ENTRIES_SHOWN
            ],
            "count": sum(len(statement.entries) for statement in statements),
            "statements": statements,
            "problems": [str(trouble) for trouble in troubles if trouble.weight == Weight.PROOF][:TROUBLES_SHOWN],
            "notes": [str(trouble) for trouble in troubles if trouble.weight != Weight.PROOF][:TROUBLES_SHOWN],
            "samples": forms_tables.samples_of(shape, mapping),
            **forms_tables.options(mapping),
        }
        return render(request, "wallet/bank/bank_table.html", context, status=status)


@require_POST
@staff_page("wallet.handle_bank_entries")
def discard(request: UserRequest, pk: int) -> HttpResponseBase:
    waiting = queries.one_of(
        queries_bank.waiting_tables_visible_to(request.user), pk, request.user, "wallet.handle_bank_entries"
    )
    run_action(
        request,
        lambda: waiting_tables.discard_table(waiting_id=waiting.pk, actor=request.user),
        _("File discarded. Nothing was imported."),
    )
    return redirect("wallet:bank")


@staff_page("wallet.view_bankentry")
def mappings(request: UserRequest) -> HttpResponse:
    """Show the remembered mappings per account, and the tables that wait."""
    user = request.user
    sealed = ("psp__sealed_credentials",)
    known = (
        queries_bank.table_mappings_visible_to(user).select_related("psp", "made_by").defer(*sealed)[:MAPPINGS_SHOWN]
    )
    waiting = queries_bank.waiting_tables_visible_to(user).select_related("psp", "uploaded_by")
    context: dict[str, Any] = {
        "known": list(known),
        "waiting": list(waiting.defer("sealed_content", *sealed)[:WAITING_SHOWN]),
        "may_handle": user.has_perm("wallet.handle_bank_entries"),
    }
    for mapping in context["known"]:
        mapping.columns = [
            forms_tables.LABELS[name] for name in mapping.mapping["columns"] if name in forms_tables.LABELS
        ]
    return render(request, "wallet/bank/bank_mappings.html", context)


@require_POST
@staff_page("wallet.handle_bank_entries")
def forget(request: UserRequest, pk: int) -> HttpResponseBase:
    known = queries.one_of(
        queries_bank.table_mappings_visible_to(request.user), pk, request.user, "wallet.handle_bank_entries"
    )
    run_action(
        request,
        lambda: column_mappings.forget_mapping(mapping_id=known.pk, actor=request.user),
        _("Column mapping deleted. The next file in this format must be mapped again."),
    )
    return redirect("wallet:bank_mappings")
