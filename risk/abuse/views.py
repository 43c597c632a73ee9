"""The queue of suspected abuse and the page of one episode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.approvals.queries import proposal_of
from crm.choices import AccessKind
from crm.models import Brand
from crm.pages.work import AssignSelected
from crm.security import access_log
from crm.security.policies import require_permission
from crm.ui.actions import run_action
from crm.ui.exports import csv_lines
from crm.ui.tables import Table
from crm.ui.views import StaffView, TableView, staff_page
from crm.web.requests import UserRequest
from crm.work.queries import work_of
from risk.abuse import dealing
from risk.abuse.brand_policies import USUAL_HANDLING
from risk.abuse.challenge_findings import challenges_in
from risk.abuse.choices import Abuse, EpisodeState, Handling, Lost
from risk.abuse.evidence import chart_of, parties_of, trades_of
from risk.abuse.forms import EpisodeForm, MeasureForm
from risk.abuse.measures import measures_of, propose_measure
from risk.abuse.models import AbuseEpisode
from risk.abuse.queue import SEES, can_decide_episode, decide_episode, episodes_visible_to, feedback, get_episode
from risk.abuse.quotes import unquoted_servers
from risk.abuse.tables import EpisodeTable, said
from risk.abuse.texts import money_note, reservations
from risk.abuse.thresholds import thresholds_shown
from risk.dealing.choices import ExecutionBook
from risk.dealing.routing import EXPORTS as EXPORTS_ROUTING
from risk.dealing.routing import RIGHT as ROUTES
from risk.dealing.routing import SEES as SEES_ROUTING
from trading.risk.dealing import brands_of


class EpisodeList(TableView):
    table, template_name = EpisodeTable, "risk/abuse/queue.html"

    def get_context(self, table: Table) -> dict[str, Any]:
        """Name the servers where nothing is judged by prices."""
        return {"unquoted": unquoted_servers(table.user)}


@staff_page(dealing.sees_dealing)
def dealing_view(request: UserRequest) -> HttpResponse:
    """Show the dealer whom to watch: flagged clients of a brand by exposure. The view is logged with how many it showed."""
    user = request.user
    brands = brands_of(user)
    brand = next((row for row in brands if row.code == request.GET.get("brand")), brands[0] if brands else None)
    sees_books = user.has_perm(SEES_ROUTING)
    book = request.GET.get("book", "") if sees_books else ""
    rows = dealing.flagged_clients(user, brand, book=book) if brand else []
    if brand and request.GET.get("export") == "csv":
        return _dealing_csv(request, brand, rows)
    access_log.note(user=user, kind=AccessKind.SEARCH, target="risk.dealing", rows=len(rows))
    context = {
        "brands": brands,
        "brand": brand,
        "rows": rows,
        "shown": dealing.SHOWN,
        "sees_books": sees_books,
        "may_route": user.has_perm(ROUTES),
        "may_export": user.has_perm(EXPORTS_ROUTING),
        "book": book,
        "books": [("", _("All books")), *ExecutionBook.choices, ("none", _("No book"))],
    }
    return render(request, "risk/abuse/dealing.html", context)


def _dealing_csv(request: UserRequest, brand: Brand, rows: Sequence[dealing.Flagged]) -> HttpResponse:
    """Write the list as CSV and log it. Who: `risk.export_clientrouting`. Raises: NotAllowed."""
    require_permission(request.user, EXPORTS_ROUTING)
    access_log.note(user=request.user, kind=AccessKind.EXPORT, target="risk.dealing", brand_id=brand.pk, rows=len(rows))
    heads = [
        _("Client"),
        _("Execution book"),
        _("Open cases"),
        _("Confirmed cases"),
        _("Exposure"),
        _("Floating profit"),
    ]
    heads += [_("Equity"), _("Result this month"), _("At stake"), _("Currency")]
    lines: list[list[Any]] = [heads]
    for row in rows:
        cases = [", ".join(str(Abuse(case.kind).label) for case in found) for found in (row.open, row.confirmed)]
        money = [row.exposure, row.floating, row.equity, row.month_net, row.stake, brand.base_currency]
        lines.append([str(row.client), row.share, *cases, *money])
    response = HttpResponse("".join(csv_lines(lines)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="dealing-{brand.code}-{timezone.localdate()}.csv"'
    response["Cache-Control"] = "no-store"
    return response


class AssignEpisodes(AssignSelected):
    table = EpisodeTable


class EpisodePage(StaffView):
    """One episode: what was found, what is at stake, its evidence, a chart, what is usually done, and the decision."""

    permission = SEES

    def get(self, request: UserRequest, episode_id: int) -> HttpResponse:
        row = get_episode(request.user, episode_id)
        return self._page(request, row, EpisodeForm(episode=row))

    def post(self, request: UserRequest, episode_id: int) -> HttpResponse:
        row = get_episode(request.user, episode_id)
        form = EpisodeForm(request.POST, episode=row)
        done = run_action(
            request,
            lambda: decide_episode(episode_id=row.pk, actor=request.user, **form.cleaned_data),
            _("Decision recorded."),
            form=form,
            show_forbidden=True,
        )
        return redirect(row) if done else self._page(request, row, form)

    @staticmethod
    def _page(
        request: UserRequest, row: AbuseEpisode, form: EpisodeForm, measure: MeasureForm | None = None
    ) -> HttpResponse:
        parties = parties_of(request.user, row)
        for client in {party.client.pk: party.client for party in parties if party.client}.values():
            access_log.note(
                user=request.user,
                kind=AccessKind.VIEW,
                brand_id=client.brand_id,
                client_id=client.pk,
                target=f"risk.abuseepisode:{row.pk}",
            )
        trades = trades_of(row, parties)
        context: dict[str, Any] = {
            "episode": row,
            "sentence": said(row),
            "money_note": money_note(row),
            "lost": Lost(row.lost).label if row.lost else "",
            "reservations": reservations(row.facts),
            "thresholds": thresholds_shown(request.user, row.brand, row.facts),
            "parties": parties,
            "trades": trades,
            "chart": chart_of(row, trades),
            "has_curve": bool(row.facts.get("curve")),
            "suggested": Handling(USUAL_HANDLING[Abuse(row.kind)].of(row.brand)).label,
            "challenges": challenges_in(request.user, row),
            "may_see_challenges": request.user.has_perm("prop.view_challenge"),
            "earlier": earlier_of(request, row),
            "feedback": feedback(request.user).get(row.kind),
            "work": work_of(request.user, row.work_id),
            "may_decide": (may_decide := can_decide_episode(request.user, row)),
            "may_see_links": request.user.has_perm("clients.view_linked_clients"),
            "form": form,
            "measures": [(item, proposal_of(item, request.user)) for item in measures_of(request.user, row)],
        }
        if may_decide and row.state == EpisodeState.CONFIRMED and any(party.client for party in parties):
            context["measure_form"] = measure or MeasureForm(parties=parties, handling=row.handling)
        return render(request, "risk/abuse/episode.html", context)


class ProposeMeasure(EpisodePage):
    """A measure against one of the clients, for a second person to approve."""

    def get(self, request: UserRequest, episode_id: int) -> HttpResponse:
        return redirect(get_episode(request.user, episode_id))

    def post(self, request: UserRequest, episode_id: int) -> HttpResponse:
        row = get_episode(request.user, episode_id)
        form = MeasureForm(request.POST, parties=parties_of(request.user, row))
        done = run_action(
            request,
            lambda: propose_measure(episode_id=row.pk, actor=request.user, **form.cleaned_data),
            _("Measure proposed. Someone else must approve it."),
            form=form,
            show_forbidden=True,
        )
        return redirect(row) if done else self._page(request, row, EpisodeForm(episode=row), form)


def earlier_of(request: UserRequest, row: AbuseEpisode, *, limit: int = 5) -> list[AbuseEpisode]:
    """List how earlier episodes of the client ended, among those the reader sees."""
    rows = episodes_visible_to(request.user).filter(client_id=row.client_id, decided_at__isnull=False)
    return list(rows.exclude(pk=row.pk).order_by("-pk")[:limit])
