"""Manual journals: the list, the form, and the page on which a second person decides."""

from __future__ import annotations

import secrets
from typing import Any

from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.queries import is_in_own_book
from crm.approvals.queries import proposal_of
from crm.choices import AccessKind, ApprovalState
from crm.errors import DomainError
from crm.models import Brand
from crm.money.numbers import is_whole
from crm.security import access_log
from crm.security.scope import reach_of
from crm.ui.actions import run_action
from crm.ui.views import StaffView, TableView, staff_page
from crm.web.requests import UserRequest
from crm.web.uploads import takes_files
from wallet.choices import account_owners
from wallet.core import attachments, queries
from wallet.core.downloads import attached
from wallet.ledger import account_search, manual_journals
from wallet.ledger import policies as ledger_policies
from wallet.ledger.forms import BLANK_LINES, EvidenceForm, JournalForm, TypedLine, account_text, read_lines, shown_lines
from wallet.ledger.posting import Line
from wallet.ledger.tables import ManualJournalTable
from wallet.models import Journal, ManualJournal


class ManualJournalList(TableView):
    table = ManualJournalTable
    template_name = "wallet/ledger/manual_journals.html"


class NewJournal(StaffView):
    """`?brand=` chooses the brand, `?reverse=` fills in the lines that reverse a journal."""

    permission = "wallet.write_journal"

    def brands(self) -> Any:
        return Brand.objects.filter(pk__in=reach_of(self.request.user).whole_brands).order_by("name")

    def get(self, request: HttpRequest) -> HttpResponse:
        initial: dict[str, Any] = {
            "request_key": secrets.token_urlsafe(16),
            "business_on": timezone.now().date(),
            "brand": request.GET.get("brand") or self.brands().values_list("pk", flat=True).first(),
        }
        lines: list[TypedLine] = []
        journal = self.to_reverse(request.GET.get("reverse", ""))
        if journal is not None:
            lines = shown_lines(manual_journals.mirror_of(journal))
            initial |= {"brand": journal.brand_id, "reverses": journal.pk}
            if journal.fx_rate is not None:
                initial |= {"rate": journal.fx_rate.normalize(), "rate_on": journal.fx_rate_on}
        return self.show(JournalForm(initial=initial, brands=self.brands()), lines, journal)

    def to_reverse(self, number: str) -> Journal | None:
        if not is_whole(number):
            return None
        rows = queries.journals_visible_to(self.request.user)
        return queries.one_of(rows, int(number), self.request.user, "wallet.view_journal")

    def show(
        self, form: JournalForm, lines: list[TypedLine], reverses: Journal | None = None, status: int = 200
    ) -> HttpResponse:
        shown = [*lines, *(TypedLine() for _place in range(BLANK_LINES - len(lines)))]
        context = {"form": form, "lines": shown, "blank": TypedLine(), "reverses": reverses}
        return render(self.request, "wallet/ledger/manual_journal_form.html", context, status=status)

    def post(self, request: UserRequest) -> HttpResponseBase:
        form = JournalForm(request.POST, request.FILES, brands=self.brands())
        is_valid = form.is_valid()
        brand = form.cleaned_data.get("brand")
        lines = read_lines(request.POST, brand_id=brand.pk if brand else 0, user=request.user)
        if is_valid and not any(line.error for line in lines):
            done = run_action(
                request,
                lambda: self.write(form.cleaned_data, lines),
                lambda manual: (
                    _("%(reference)s submitted. Awaiting second approval.") % {"reference": manual.reference}
                ),
                form=form,
                show_forbidden=True,
            )
            if done:
                return redirect("wallet:manual_journal", pk=done.result.pk)
        return self.show(form, lines, self.to_reverse(request.POST.get("reverses", "")), status=422)

    def write(self, values: dict[str, Any], lines: list[TypedLine]) -> ManualJournal:
        file = values["file"]
        try:
            return manual_journals.write_journal(
                brand_id=values["brand"].pk,
                draft=manual_journals.JournalDraft(
                    lines=[Line(line.account, line.minor) for line in lines if line.account is not None],
                    business_on=values["business_on"],
                    reason=values["reason"],
                    rate=values["rate"],
                    rate_on=values["rate_on"],
                    reverses_id=values["reverses"],
                    files=[(file.name, file.read())] if file else [],
                ),
                request_key=values["request_key"],
                actor=self.request.user,
            )
        except IntegrityError as error:  # the same click twice, at once: the other one has it
            raise DomainError(_("This form was already submitted. Check the list of manual journals.")) from error


new_journal = takes_files(NewJournal.as_view(), file_bytes_max=attachments.BYTES_MAX, needs="wallet.write_journal")


@staff_page("wallet.write_journal")
def account_options(request: UserRequest) -> HttpResponse:
    """Find accounts for the form by words: kind, currency, owner, client, or a number."""
    brand = request.GET.get("brand", "")
    if not is_whole(brand) or int(brand) not in reach_of(request.user).whole_brands:
        return JsonResponse({"accounts": []})
    accounts = account_search.find_accounts(request.user, int(brand), request.GET.get("q", ""))
    rows = [{"id": account.pk, "text": account_text(account), "currency": account.currency} for account in accounts]
    return JsonResponse({"accounts": rows})


def _find(request: UserRequest, pk: int) -> ManualJournal:
    rows = queries.manual_journals_visible_to(request.user).select_related(
        "brand", "requested_by", "decided_by", "reverses", "journal"
    )
    return queries.one_of(rows, pk, request.user, "wallet.view_manualjournal")


@staff_page("wallet.view_manualjournal")
def manual_journal_page(request: UserRequest, pk: int) -> HttpResponse:
    return show_manual(request, _find(request, pk))


def show_manual(
    request: UserRequest, manual: ManualJournal, wrong: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    lines = list(
        manual.lines.select_related("account__client", "account__psp", "account__balance").defer(
            "account__client__search_text", "account__psp__sealed_credentials"
        )
    )
    account_owners.warm([line.account for line in lines])
    for client in {line.account.client for line in lines if line.account.client}:
        access_log.note(
            user=request.user,
            kind=AccessKind.VIEW,
            client_id=client.pk,
            brand_id=manual.brand_id,
            target=f"wallet.manualjournal:{manual.pk}",
            in_book=is_in_own_book(request.user, client),
        )
    context = {
        "manual": manual,
        "lines": lines,
        "proposal": proposal_of(manual, request.user),
        "files": manual.files.select_related("author"),
        "evidence_form": EvidenceForm(prefix="evidence"),
        "may_attach": manual.state == ApprovalState.PENDING
        and bool(ledger_policies.can_write_journal(request.user, manual.brand_id)),
        **(wrong or {}),
    }
    return render(request, "wallet/ledger/manual_journal.html", context, status=status)


@require_POST
@staff_page("wallet.write_journal")
def manual_attach_view(request: UserRequest, pk: int) -> HttpResponseBase:
    manual, form = _find(request, pk), EvidenceForm(request.POST, request.FILES, prefix="evidence")

    def work() -> None:
        file = form.cleaned_data["file"]
        manual_journals.attach_file(manual_id=pk, file_name=file.name, content=file.read(), actor=request.user)

    if run_action(request, work, _("File attached to the journal."), form=form, show_forbidden=True):
        return redirect("wallet:manual_journal", pk=pk)
    return show_manual(request, manual, {"evidence_form": form}, status=422)


manual_attach = takes_files(manual_attach_view, file_bytes_max=attachments.BYTES_MAX, needs="wallet.write_journal")


@staff_page("wallet.view_manualjournal")
def manual_file(request: UserRequest, pk: int) -> HttpResponse:
    """Download a journal's evidence; the download is in the access log, per client."""
    file = queries.one_of(
        queries.manual_files_visible_to(request.user).select_related("manual"),
        pk,
        request.user,
        "wallet.view_manualjournal",
    )
    clients: set[int | None] = set(file.manual.lines.values_list("account__client_id", flat=True))
    for client_id in clients - {None} or {None}:
        access_log.note(
            user=request.user,
            kind=AccessKind.DOWNLOAD,
            brand_id=file.manual.brand_id,
            client_id=client_id,
            target=f"wallet.manualjournalfile:{file.pk}",
        )
    return attached(file, attachments.JOURNALS)
