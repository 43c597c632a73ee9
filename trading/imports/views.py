"""Taking over accounts that are on a platform already: read a server, look at what was found, decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Client
from clients.queries import clients_visible_to
from clients.record.access import log_access
from crm.choices import AccessKind, JobState
from crm.errors import Refusal, Success
from crm.files.jobs import start_job
from crm.models import User
from crm.money.numbers import is_whole
from crm.security import access_log
from crm.security.policies import require
from crm.ui.actions import run_action
from crm.ui.views import StaffView, TableView, embedded_table, reload_page, wants_fragment
from crm.web.requests import UserRequest
from trading import policies
from trading.accounts.forms import DecisionNoteForm
from trading.choices import UNDECIDED, ImportState, StagedState, Verdict
from trading.imports import attach, client_proposals, matching, reading
from trading.imports.forms import AttachForm, ImportForm
from trading.imports.tables import IMPORTS, ImportTable, StagedTable
from trading.models import AccountImport, Deal, StagedLogin


class ImportList(TableView):
    table = ImportTable
    template_name = "trading/imports/imports.html"


class NewImport(StaffView):
    """Choose a server and its groups."""

    permission = IMPORTS

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "trading/imports/import_new.html", {"form": self._again(request)})

    @staticmethod
    def _again(request: HttpRequest) -> ImportForm:
        """Fill in the server and groups of a reading that is to be repeated, when the address names them."""
        form = ImportForm()
        if is_whole(server := request.GET.get("server", "")):
            form.initial = {"server": server, "mask": request.GET.get("mask", "")}
        return form

    def post(self, request: UserRequest) -> HttpResponse:
        form = ImportForm(request.POST)
        done = run_action(
            request,
            lambda: reading.start_import(
                server_id=form.cleaned_data["server"].pk,
                actor=request.user,
                mask=form.cleaned_data["mask"],
                first_login=form.cleaned_data["first_login"],
                last_login=form.cleaned_data["last_login"],
            ),
            form=form,
            show_forbidden=True,
        )
        if done:
            return redirect(done.result)
        return render(request, "trading/imports/import_new.html", {"form": form}, status=422)


def _batch(import_id: int) -> AccountImport:
    return get_object_or_404(AccountImport.objects.select_related("server", "owner", "job"), pk=import_id)


class ImportPage(StaffView):
    """Progress while it is read; then what was found, in numbers and row by row."""

    permission = IMPORTS

    def get(self, request: UserRequest, import_id: int) -> HttpResponseBase:
        user = request.user
        batch = _batch(import_id)
        table = StagedTable(user, request.GET, path=request.path, scope={"import_id": batch.pk})
        if request.GET.get("export") or (wants_fragment(request) and not request.GET.get("state_of")):
            return embedded_table(request, table)
        is_running = batch.job is not None and batch.job.state in (JobState.QUEUED, JobState.RUNNING)
        context: dict[str, Any] = {"batch": batch, "job": batch.job, "is_running": is_running}
        if wants_fragment(request):
            state = "trading/imports/_import_state.html"
            return render(request, state, context) if is_running else reload_page()
        counts, waiting, clean, proposed = _counts(batch)
        context |= {
            "table": table,
            "counts": counts,
            "waiting": waiting,
            "clean": clean,
            "proposed": proposed,
            "chosen": request.GET.get("verdict", ""),
            "is_read": batch.state != ImportState.READING,
        }
        access_log.note(user=user, kind=AccessKind.VIEW, target=f"trading.accountimport:{batch.pk}", rows=batch.read)
        return render(request, "trading/imports/import.html", context)


def _counts(batch: AccountImport) -> tuple[list[dict[str, Any]], int, int, int]:
    """Count rows by verdict; how many wait for a decision, how many of them are clean, and how many for a second person."""
    rows = batch.rows.values("verdict", "state").annotate(n=Count("pk")).order_by()
    totals = dict.fromkeys(Verdict.values, 0)
    waiting = clean = proposed = 0
    for row in rows:
        totals[row["verdict"]] += row["n"]
        if row["state"] in UNDECIDED:
            waiting += row["n"]
            clean += row["n"] if row["verdict"] == Verdict.CLEAN else 0
        proposed += row["n"] if row["state"] == StagedState.PROPOSED else 0
    shown = [
        {"value": verdict.value, "label": verdict.label, "count": totals[verdict.value], "tone": verdict.colour}
        for verdict in Verdict
        if totals[verdict.value] or verdict in (Verdict.CLEAN, Verdict.NO_CLIENT)
    ]
    return shown, waiting, clean, proposed


class ImportAct(StaffView):
    """confirm: take over all that fit for certain; match: look for clients again. Both by a job."""

    permission = IMPORTS
    kinds = {"confirm": "trading.attach_logins", "match": "trading.match_logins"}

    def post(self, request: UserRequest, import_id: int, act: str) -> HttpResponse:
        user = request.user
        require(policies.can_import(user))
        batch = _batch(import_id)
        if act not in self.kinds:
            raise Http404
        if batch.job is not None and batch.job.state in (JobState.QUEUED, JobState.RUNNING):
            messages.error(request, _("A job for this import is already running. Wait until it finishes."))
            return redirect(batch)
        batch.job = start_job(self.kinds[act], owner=user, parameters={"import": batch.pk}, title=str(batch))
        batch.save(update_fields=["job"])
        return redirect(batch)


class StagedPage(StaffView):
    """One login: what the platform has, whom it fits and why, and the decision."""

    permission = IMPORTS

    def get(self, request: UserRequest, row_id: int) -> HttpResponse:
        return self.page(request, _row(row_id))

    def post(self, request: UserRequest, row_id: int) -> HttpResponse:
        """Attach; or propose, where the platform's data doesn't agree with the client and a reason was entered."""
        row = _row(row_id)
        form = self.form(request, row, request.POST)
        chosen: dict[str, Any] = {"row_id": row.pk, "actor": request.user}
        reason = ""
        if form.is_valid():
            chosen |= {"client_id": form.cleaned_data["client"], "account_type_id": form.cleaned_data["account_type"]}
            reason = form.cleaned_data["reason"]
        done: Success[Any] | Refusal = run_action(
            request,
            lambda: attach.attach(**chosen),
            _("%(login)s attached. Its history is being read.") % {"login": row.login},
            form=form,
            field=lambda error: "reason" if isinstance(error, attach.SecondPersonNeeded) else None,
            show_forbidden=True,
            unshown=attach.SecondPersonNeeded if reason else (),
        )
        if reason and not done and isinstance(done.error, attach.SecondPersonNeeded):
            done = run_action(
                request,
                lambda: client_proposals.propose_client(**chosen, reason=reason),
                _("Client for %(login)s proposed. A second person must approve the proposal.") % {"login": row.login},
                form=form,
                show_forbidden=True,
            )
        if done:
            return redirect(_following(row) or row.batch)
        return self.page(request, row, form)

    @staticmethod
    def form(request: UserRequest, row: StagedLogin, data: Any = None) -> AttachForm:
        clients = matching.clients_of([row], request.user)
        return AttachForm(data, row=row, clients=clients, user=request.user)

    @staticmethod
    def page(
        request: UserRequest, row: StagedLogin, form: AttachForm | None = None, *, status: int = 200
    ) -> HttpResponse:
        user = request.user
        clients = matching.clients_of([row], user)
        proposed = _proposed_client(row, user)
        for client in {**clients, **({proposed.pk: proposed} if proposed else {})}.values():
            log_access(user, client, f"trading.stagedlogin:{row.pk}")
        fits = [
            {"client": clients[r["client"]], "why": matching.words_of(r["codes"]), "weight": r["weight"]}
            for r in row.reasons
            if r["client"] in clients
        ]
        undecided = row.state in UNDECIDED
        deals = Deal.objects.filter(server_id=row.server_id, login=row.login, account__isnull=True)
        context = {
            "row": row,
            "fits": fits,
            "form": form or StagedPage.form(request, row),
            "undecided": undecided,
            "may_attach": undecided and row.verdict not in (Verdict.BROKEN, Verdict.NOT_READ),
            "may_reopen": row.state in (StagedState.IGNORED, StagedState.LATER),
            "following": _following(row),
            "deals": deals.order_by()[:1000].count() if undecided else 0,
            "proposed": proposed,
        }
        if row.state == StagedState.PROPOSED:
            context |= {
                "may_decide": policies.can_decide_client(user, row),
                "may_withdraw": policies.can_withdraw_client(user, row),
                "agrees": _agreeing(row, proposed) if proposed else "",
                "note_form": DecisionNoteForm(auto_id="note_%s"),
            }
        return render(request, "trading/imports/staged.html", context, status=422 if form and form.errors else status)


def _row(row_id: int) -> StagedLogin:
    rows = StagedLogin.objects.select_related(
        "server",
        "batch",
        "client",
        "account",
        "account_type",
        "decided_by",
        "proposed_by",
        "proposed_client",
        "proposed_type",
    )
    return get_object_or_404(rows, pk=row_id)


def _proposed_client(row: StagedLogin, user: User) -> Client | None:
    """Find the client who awaits second approval, for those who reach them."""
    if row.state != StagedState.PROPOSED or row.proposed_client_id is None:
        return None
    return clients_visible_to(user).select_related("brand", "owner").filter(pk=row.proposed_client_id).first()


def _agreeing(row: StagedLogin, client: Client) -> str:
    """Write what the platform's data and a client share now: `same name, same country`."""
    fits = matching.fits_everywhere(row, client)
    return matching.words_of(next((fit.codes for fit in fits if fit.client_id == client.pk), ()))


def _following(row: StagedLogin) -> StagedLogin | None:
    """Find the next login of the import that a person must decide."""
    rest = StagedLogin.objects.filter(batch_id=row.batch_id, state=StagedState.WAITING, pk__gt=row.pk)
    return rest.exclude(verdict__in=[Verdict.CLEAN, Verdict.BROKEN, Verdict.NOT_READ]).order_by("pk").first()


class StagedAct(StaffView):
    """ignore, later or reopen; approve, refuse or withdraw of a proposed client."""

    permission = IMPORTS
    verbs: ClassVar[dict[str, tuple[Callable[..., Any], Any]]] = {
        "ignore": (attach.ignore, gettext_lazy("Login ignored.")),
        "later": (attach.put_off, gettext_lazy("Login postponed.")),
        "reopen": (attach.reopen, gettext_lazy("Login reopened.")),
        "approve": (client_proposals.approve_client, gettext_lazy("%(login)s attached. Its history is being read.")),
        "refuse": (client_proposals.refuse_client, gettext_lazy("Proposal rejected.")),
        "withdraw": (client_proposals.withdraw_client, gettext_lazy("Proposal withdrawn.")),
    }

    def post(self, request: UserRequest, row_id: int, act: str) -> HttpResponse:
        row = _row(row_id)
        if act not in self.verbs:
            raise Http404
        verb, message = self.verbs[act]
        note = {} if act == "reopen" else {"note": request.POST.get("note", "")}
        done = run_action(
            request,
            lambda: verb(row_id=row.pk, actor=request.user, **note),
            message % {"login": row.login},
            show_forbidden=True,
        )
        if not done:
            return StagedPage.page(request, _row(row_id), status=422)
        return redirect(row if act not in ("ignore", "later") else (_following(row) or row.batch))
