"""Bank accounts: upload statements, assign entries by hand, make payment files."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from crm.choices import AccessKind
from crm.models import Job
from crm.money.numbers import is_whole
from crm.security import access_log
from crm.ui.actions import run_action
from crm.ui.tables import Table
from crm.ui.views import StaffView, TableView, staff_page
from crm.web.requests import UserRequest
from crm.web.uploads import takes_files
from wallet.bank import column_mappings, entries, payment_files, waiting_tables
from wallet.bank import queries as queries_bank
from wallet.bank import statements as bank
from wallet.bank.statement_ends import gaps_of
from wallet.bank.tables import BankEntryTable
from wallet.choices.bank import EntryState
from wallet.core import queries
from wallet.models import BankEntry, BankFile, Psp, WaitingTable
from wallet.psp.settlement import EndUnknown
from wallet.statement_formats import bytes_to_read
from wallet.statement_formats.base import BYTES_MAX

BATCHES_SHOWN = 8


class StatementForm(forms.Form):
    psp = forms.ModelChoiceField(queryset=Psp.objects.none(), label=gettext_lazy("Account"))
    file = forms.FileField(label=gettext_lazy("Statement"))

    def __init__(self, *args: Any, accounts: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["psp"].queryset = accounts  # type: ignore[attr-defined]


class AssignForm(forms.Form):
    """The deposit that an entry belongs to, or none; and why."""

    reference = forms.CharField(label=gettext_lazy("Deposit"), max_length=40, required=False)
    reason = forms.CharField(
        label=gettext_lazy("Reason for assignment"), max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )


class BankPage(TableView):
    """All entries, with the forms to import statements and make payment files."""

    table = BankEntryTable
    template_name = "wallet/bank/bank.html"

    def get_context(self, table: Table) -> dict[str, Any]:
        return self.more()

    def more(self, form: StatementForm | None = None) -> dict[str, Any]:
        user = self.request.user
        accounts = queries_bank.bank_accounts_visible_to(user).select_related("brand").defer("sealed_credentials")
        batches = queries_bank.bank_batches_visible_to(user).select_related("psp", "made_by", "sent_by")
        return {
            "upload": form or StatementForm(accounts=accounts),
            "limit": BYTES_MAX,
            "waiting": queries_bank.waiting_orders(user),
            "batches": list(batches.defer("sealed_file", "psp__sealed_credentials")[:BATCHES_SHOWN]),
            "may_import": user.has_perm("wallet.handle_bank_entries"),
            "to_confirm": queries.waiting_reports(user, is_statement=True),
            "may_send": user.has_perm("wallet.send_bank_orders"),
        }


class BankUpload(BankPage):
    """POST: a statement. Who: `wallet.handle_bank_entries`."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not request.user.has_perm("wallet.handle_bank_entries"):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        return redirect("wallet:bank")

    def post(self, request: UserRequest) -> HttpResponseBase:
        accounts = queries_bank.bank_accounts_visible_to(request.user)
        form = StatementForm(request.POST, request.FILES, accounts=accounts)

        def take() -> Job | BankFile:
            file = form.cleaned_data["file"]
            verb = bank.order_statement if bytes_to_read(file) > bank.AT_ONCE_BYTES_MAX else bank.import_statement
            return verb(psp_id=form.cleaned_data["psp"].pk, file_name=file.name, content=file, actor=request.user)

        done = run_action(
            request,
            take,
            form=form,
            field="file",
            show_forbidden=True,
            unshown=(column_mappings.MappingNeeded, EndUnknown),
        )
        if done:
            return self.taken(request, done.result)
        if isinstance(done.error, EndUnknown):
            return redirect("wallet:report_to_confirm", pk=done.error.waiting_id)
        if isinstance(done.error, column_mappings.MappingNeeded):
            waits = run_action(request, lambda: self.keep(request, form), form=form, field="file", show_forbidden=True)
            if waits:
                messages.info(request, done.message)
                return redirect("wallet:bank_table", pk=waits.result.pk)
        table = self.table(request.user, request.GET, path="/money/bank/")
        return render(request, self.template_name, {"table": table, **self.more(form)}, status=422)

    @staticmethod
    def keep(request: UserRequest, form: StatementForm) -> WaitingTable:
        """Store the table until its columns are mapped."""
        file = form.cleaned_data["file"]
        file.seek(0)
        return waiting_tables.keep_waiting(
            psp_id=form.cleaned_data["psp"].pk, file_name=file.name, content=file.read(), actor=request.user
        )

    @staticmethod
    def taken(request: HttpRequest, result: Job | BankFile) -> HttpResponseBase:
        """Answer a statement that was imported, or whose import was queued."""
        if isinstance(result, Job):
            return redirect("job", pk=result.pk)
        message = _("Statement imported. New entries: %(new)s. Already known: %(known)s.")
        messages.success(request, message % {"new": result.entries_new, "known": result.entries_known})
        for gap in gaps_of(result):
            messages.warning(request, gap)
        return redirect("wallet:bank")


bank_upload = takes_files(BankUpload.as_view(), file_bytes_max=BYTES_MAX, needs="wallet.handle_bank_entries")


class BankEntryPage(StaffView):
    """One entry: the bank's details, its result, and the form for one that is unmatched."""

    permission = "wallet.view_bankentry"

    def find(self, request: UserRequest, pk: int) -> BankEntry:
        rows = queries_bank.bank_entries_visible_to(request.user).select_related(
            "psp__brand", "file", "deposit__client", "order", "assigned_by"
        )
        return queries.one_of(rows, pk, request.user, "wallet.view_bankentry")

    def get(self, request: UserRequest, pk: int) -> HttpResponse:
        entry = self.find(request, pk)
        if entry.deposit is not None:
            access_log.note(
                user=request.user,
                kind=AccessKind.VIEW,
                client_id=entry.deposit.client_id,
                target=f"wallet.bank_entry:{entry.pk}",
            )
        return self.show(request, entry, AssignForm(initial={"reference": request.GET.get("reference", "")[:40]}))

    def post(self, request: UserRequest, pk: int) -> HttpResponse:
        entry = self.find(request, pk)
        if not request.user.has_perm("wallet.handle_bank_entries"):
            raise PermissionDenied
        form = AssignForm(request.POST)

        def work() -> None:
            reason, reference = form.cleaned_data["reason"], form.cleaned_data["reference"]
            if request.POST.get("what") == "aside":
                entries.set_entry_aside(entry_id=entry.pk, actor=request.user, reason=reason)
            else:
                entries.assign_entry(entry_id=entry.pk, reference=reference, actor=request.user, reason=reason)

        if run_action(request, work, _("Saved."), form=form, show_forbidden=True):
            return redirect("wallet:bank_entry", pk=entry.pk)
        return self.show(request, entry, form, status=422)

    def show(self, request: HttpRequest, entry: BankEntry, form: AssignForm, status: int = 200) -> HttpResponse:
        is_open = entry.state == EntryState.UNMATCHED
        may_assign = is_open and request.user.has_perm("wallet.handle_bank_entries")
        is_credit = entry.amount_minor > 0
        candidates = queries_bank.candidates_for(entry) if may_assign and is_credit else []
        context = {
            "entry": entry,
            "form": form,
            "may_assign": may_assign,
            "candidates": candidates,
            "is_credit": is_credit,
        }
        return render(request, "wallet/bank/bank_entry.html", context, status=status)


@require_POST
@staff_page("wallet.send_bank_orders")
def bank_batch_make(request: UserRequest) -> HttpResponseBase:
    """Make a payment file of the orders that wait in one currency of one account."""
    accounts = queries_bank.bank_accounts_visible_to(request.user)
    number = request.POST.get("psp", "")
    psp = queries.one_of(accounts, int(number) if is_whole(number) else 0, request.user, "wallet.send_bank_orders")
    currency = request.POST.get("currency", "")[:5]
    run_action(
        request,
        lambda: payment_files.make_batch(psp_id=psp.pk, currency=currency, actor=request.user),
        lambda batch: _("%(batch)s is ready. Download it and upload it in the bank's portal.") % {"batch": batch},
        show_forbidden=True,
    )
    return redirect("wallet:bank")


@staff_page("wallet.send_bank_orders")
def bank_batch_file(request: UserRequest, pk: int) -> HttpResponse:
    """Download a payment file; the download is in the access log."""
    batch = queries.one_of(
        queries_bank.bank_batches_visible_to(request.user).select_related("psp"),
        pk,
        request.user,
        "wallet.send_bank_orders",
    )
    access_log.note(
        user=request.user,
        kind=AccessKind.DOWNLOAD,
        brand_id=batch.psp.brand_id,
        rows=batch.orders_count,
        target=f"wallet.bank_batch:{batch.pk}",
    )
    response = HttpResponse(batch.file, content_type="application/xml")
    response["Content-Disposition"] = f'attachment; filename="{batch.message_id}.xml"'
    return response


@require_POST
@staff_page("wallet.send_bank_orders")
def bank_batch_sent(request: UserRequest, pk: int) -> HttpResponseBase:
    rows = queries_bank.bank_batches_visible_to(request.user)
    batch = queries.one_of(rows, pk, request.user, "wallet.send_bank_orders")
    run_action(
        request,
        lambda: payment_files.mark_batch_sent(batch_id=batch.pk, actor=request.user),
        _("Marked as sent. Payments change to paid once the bank statement confirms them."),
    )
    return redirect("wallet:bank")
