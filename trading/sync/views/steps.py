"""Being in step with platforms: differences, checked days, the past read again, deals one by one."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from crm.security.policies import require_permission
from crm.ui.actions import run_action
from crm.ui.views import StaffView, wants_fragment
from crm.web.requests import UserRequest
from trading import queries
from trading.accounts.views.accounts import log_view
from trading.models import Backfill, DayCheck, DealEdit, PlatformChange, PlatformGroup, ReconcileBreak, TradingServer
from trading.platforms.pool import capabilities_of
from trading.sync import backfill, breaks
from trading.sync.forms import BackfillForm, SettleForm

WATCHES = "trading.view_platform_health"
FIGURES = (
    "platform",
    "ours",
    "not_listed",
    "balance",
    "balance_of_deals",
    "difference",
    "credit",
    "credit_of_deals",
    "deals",
    "symbol",
    "action",
    "net",
    "comment",
)
DAYS_SHOWN, GROUPS_SHOWN, CHANGES_SHOWN, SPANS_SHOWN, EDITS_SHOWN = 42, 200, 50, 5, 50


class BreakPage(StaffView):
    """One difference with its evidence; whoever may settles it, with a reason."""

    permission = WATCHES

    def get(self, request: UserRequest, break_id: int) -> HttpResponse:
        return self._page(request, self._row(break_id), SettleForm())

    def post(self, request: UserRequest, break_id: int) -> HttpResponse:
        require_permission(request.user, breaks.DECIDES)
        row = self._row(break_id)
        form = SettleForm(request.POST)
        if run_action(
            request,
            lambda: breaks.settle(break_id=row.pk, actor=request.user, reason=form.cleaned_data["reason"]),
            _("Break closed."),
            form=form,
            show_forbidden=True,
        ):
            return redirect("trading_breaks")
        return self._page(request, row, form)

    @staticmethod
    def _row(break_id: int) -> ReconcileBreak:
        row = ReconcileBreak.objects.select_related("server", "account", "decided_by").filter(pk=break_id).first()
        if row is None:
            raise Http404
        return row

    @staticmethod
    def _page(request: UserRequest, row: ReconcileBreak, form: SettleForm) -> HttpResponse:
        user = request.user
        visible = row.account_id is not None and queries.accounts_visible_to(user).filter(pk=row.account_id).exists()
        older = Q(found_at__lt=row.found_at) | Q(found_at=row.found_at, pk__lt=row.pk)
        following = ReconcileBreak.objects.filter(older, state="open").order_by("-found_at", "-pk").first()
        before, after = row.evidence.get("before", {}), row.evidence.get("after", {})
        context = {
            "one": row,
            "form": form,
            "may_open_account": visible,
            "following": following,
            "currency": row.account.currency if row.account else "",
            "figures": [
                (name, row.evidence[name])
                for name in sorted(row.evidence, key=_place)
                if name not in ("before", "after")
            ],
            "fields": [(name, before.get(name), after.get(name)) for name in sorted({*before, *after})],
            "check": DayCheck.objects.filter(server=row.server, day=row.day).first() if row.day else None,
        }
        return render(request, "trading/sync/break.html", context, status=422 if form.errors else 200)


def _place(name: str) -> int:
    """Order the figures of the evidence: the platform's, ours, their difference."""
    return FIGURES.index(name) if name in FIGURES else len(FIGURES)


class FetchAgain(StaffView):
    """Ask the platform about a difference once more."""

    permission = breaks.DECIDES

    def post(self, request: UserRequest, break_id: int) -> HttpResponse:
        row = get_object_or_404(ReconcileBreak, pk=break_id)
        done = run_action(request, lambda: breaks.fetch_again(break_id=row.pk, actor=request.user))
        return redirect("job", pk=done.result.pk) if done else redirect("trading_break", row.pk)


class ServerSteps(StaffView):
    """How well one server's data is here: days compared, groups and symbols with what changed, the past read again."""

    permission = WATCHES

    def get(self, request: HttpRequest, server_id: int) -> HttpResponse:
        return self._page(request, get_object_or_404(TradingServer, pk=server_id), BackfillForm())

    def post(self, request: UserRequest, server_id: int) -> HttpResponse:
        require_permission(request.user, backfill.FILLS)
        server = get_object_or_404(TradingServer, pk=server_id)
        form = BackfillForm(request.POST)
        if run_action(
            request,
            lambda: backfill.start(server_id=server.pk, actor=request.user, **form.cleaned_data),
            _("Download started. It continues when you leave this page."),
            form=form,
            show_forbidden=True,
        ):
            return redirect("trading_server_steps", server.pk)
        return self._page(request, server, form)

    @staticmethod
    def _page(request: HttpRequest, server: TradingServer, form: BackfillForm) -> HttpResponse:
        context: dict[str, Any] = {
            "server": server,
            "form": form,
            "spans": Backfill.objects.filter(server=server).select_related("job", "started_by")[:SPANS_SHOWN],
        }
        if wants_fragment(request):
            return render(request, "trading/sync/_backfills.html", context)
        context["is_unfinished"] = not form.is_bound and any(span.state != "done" for span in context["spans"])
        context |= settings_of(server)
        context["days"] = list(DayCheck.objects.filter(server=server).order_by("-day")[:DAYS_SHOWN])
        context["open_breaks"] = ReconcileBreak.objects.filter(server=server, state="open").order_by("found_at")[:10]
        return render(request, "trading/sync/server_steps.html", context, status=422 if form.errors else 200)


def settings_of(server: TradingServer) -> dict[str, Any]:
    """Collect a server's groups and what changed in its settings, newest first."""
    return {
        "groups": PlatformGroup.objects.filter(server=server).order_by("name")[:GROUPS_SHOWN],
        "changes": PlatformChange.objects.filter(server=server).order_by("-pk")[:CHANGES_SHOWN],
        "lists_groups": capabilities_of(server.kind).lists_groups,
    }


class BackfillAct(StaffView):
    """Go on with a span that was cut, or give it up."""

    permission = backfill.FILLS

    def post(self, request: UserRequest, backfill_id: int, act: str) -> HttpResponse:
        verb = {"resume": backfill.resume, "drop": backfill.drop}.get(act)
        row = get_object_or_404(Backfill, pk=backfill_id)
        if verb is None:
            raise Http404
        run_action(
            request,
            lambda: verb(backfill_id=row.pk, actor=request.user),
            _("Download resumed.") if act == "resume" else _("Download cancelled."),
            show_forbidden=True,
        )
        return redirect("trading_server_steps", row.server_id)


class DealPage(StaffView):
    """One deal: what it did, what the platform changed in it since, and the platform's row."""

    permission = "trading.view_deal_list"

    def get(self, request: UserRequest, server_id: int, ticket: int) -> HttpResponse:
        user = request.user
        deal = queries.get_deal(user, server_id, ticket)
        if deal.account is not None:
            log_view(user, deal.account, target=f"trading.deal:{deal.pk}")
        context = {
            "deal": deal,
            "account": deal.account,
            "currency": deal.account.currency if deal.account else "",
            "edits": DealEdit.objects.filter(server_id=server_id, ticket=ticket).order_by("-pk")[:EDITS_SHOWN],
            "raw": sorted((name, value) for name, value in deal.raw.items() if str(value) not in ("", "0")),
        }
        return render(request, "trading/accounts/deal.html", context)
