"""Replays of commissions: asked for, looked at line by line, proposed or discarded."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.choices import ApprovalState
from crm.i18n import formats
from crm.models import User
from crm.money.numbers import is_whole
from crm.ui.actions import run_action
from crm.ui.tables import Table
from crm.ui.views import TableView, embedded_table, staff_page, wants_fragment
from crm.web.requests import UserRequest
from ib.choices import DifferenceCause, ReplayState
from ib.forms import ReasonForm
from ib.models import Replay, ReplayProposal
from ib.policies import can_run
from ib.queries import replays_visible_to
from ib.replay.forms import ReplayForm
from ib.replay.proposals import propose_replay, totals
from ib.replay.replays import discard_replay, request_replay
from ib.replay.tables import ReplayLineTable, ReplayTable, partners_of, scope_text

PARTNERS_SHOWN = 50


class ReplayList(TableView):
    table = ReplayTable
    template_name = "ib/replays.html"

    def get_context(self, table: Table) -> dict[str, Any]:
        return {"may_run": self.request.user.has_perm("ib.run_commissions")}


def get_replay(user: User, replay_id: int) -> Replay:
    rows = replays_visible_to(user).select_related("brand", "partner", "asked_by", "ended_by", "job", "run")
    replay = rows.filter(pk=replay_id).first()
    if replay is None:
        raise Http404
    return replay


@staff_page("ib.run_commissions")
def new_replay(request: UserRequest) -> HttpResponse:
    """Ask for a replay; a job compares day by day."""
    before = request.GET.get("again", "")
    again = replays_visible_to(request.user).filter(pk=before).first() if is_whole(before) else None
    form = ReplayForm(request.POST or None, user=request.user, again=again)
    done = run_action(
        request, lambda: request_replay(actor=request.user, **form.request()), form=form, show_forbidden=True
    )
    if done:
        return redirect(done.result)
    text = _(
        "Calculates past commissions again by what is known today and lists each line that differs, with its cause. "
        "Nothing changes until a second person approves it."
    )
    return render(
        request,
        "ib/form.html",
        {
            "form": form,
            "title": _("New replay"),
            "text": text,
            "back": reverse("ib_replays"),
            "button": _("Start replay"),
        },
        status=422 if form.errors else 200,
    )


@staff_page("ib.view_accrual")
def replay_page(request: UserRequest, replay_id: int) -> HttpResponseBase:
    """Show a replay: its progress, what it changes by cause and by partner, and every line."""
    replay = get_replay(request.user, replay_id)
    table = ReplayLineTable(
        request.user, request.GET, path=reverse("ib_replay", args=[replay.pk]), scope={"replay_id": replay.pk}
    )
    if wants_fragment(request) or request.GET.get("export"):
        return embedded_table(request, table)
    return render(
        request, "ib/replay.html", {**_about(request.user, replay), **_sums(replay), "replay": replay, "table": table}
    )


def _about(user: User, replay: Replay) -> dict[str, Any]:
    """Say whose days a replay covers, what it waits for, and what the user may do with it."""
    zone = ZoneInfo(replay.brand.time_zone)
    proposal = ReplayProposal.objects.filter(replay=replay).select_related("requested_by").first()
    waits = proposal is not None and proposal.state == ApprovalState.PENDING
    may_run, job = bool(can_run(user, replay.brand_id)), replay.job
    return {
        "scope": scope_text(replay),
        "first": formats.day(replay.from_at.astimezone(zone).date()),
        "last": formats.day((replay.to_at - dt.timedelta(seconds=1)).astimezone(zone).date()),
        "proposal": proposal,
        "waits": waits,
        "job": job if job is not None and job.owner_id == user.pk and replay.state == ReplayState.RUNNING else None,
        "may_run": may_run,
        "may_apply": may_run and not waits and replay.can_move_to(ReplayState.APPLIED),
        "may_discard": may_run and not waits and replay.can_move_to(ReplayState.DISCARDED),
        "form": ReasonForm(initial={"reason": replay.reason}),
    }


def _sums(replay: Replay) -> dict[str, Any]:
    """Sum the lines up by cause, by partner and in all: three queries, none before there are lines."""
    if not replay.lines_count:
        return {}
    causes, partners = totals(replay, "cause"), totals(replay, "partner_id")
    currencies: dict[str, dict[str, Any]] = {}
    for row in causes:
        sums = currencies.setdefault(row["currency"], {"before": 0, "after": 0, "difference": 0})
        for name in sums:
            sums[name] += row[name]
    return {
        "causes": [{**row, "label": DifferenceCause(row["cause"]).label} for row in causes],
        "currencies": currencies,
        "partners": partners_of(partners[:PARTNERS_SHOWN]),
        "rest": len(partners) - PARTNERS_SHOWN,
        "settled": replay.lines.filter(is_settled=True).count(),
    }


@staff_page("ib.run_commissions")
@require_POST
def propose(request: UserRequest, replay_id: int) -> HttpResponse:
    """Propose to apply the differences; finance approves it."""
    replay = get_replay(request.user, replay_id)
    form = ReasonForm(request.POST)
    run_action(
        request,
        lambda: propose_replay(replay_id=replay.pk, actor=request.user, reason=request.POST.get("reason", "")),
        _("Replay proposed. Differences are added once a second person approves it."),
        form=form,
        show_forbidden=True,
    )
    return redirect(replay)


@staff_page("ib.run_commissions")
@require_POST
def discard(request: UserRequest, replay_id: int) -> HttpResponse:
    """Drop a replay: nothing of it is applied."""
    replay = get_replay(request.user, replay_id)
    run_action(
        request,
        lambda: discard_replay(replay_id=replay.pk, actor=request.user),
        _("Replay discarded. Commissions stay as they are."),
        show_forbidden=True,
    )
    return redirect(replay)
