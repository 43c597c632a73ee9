"""Where the other side of the books comes from: each source's last day, its last run, its open breaks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import groupby

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.models import Brand, User
from crm.money.numbers import is_whole
from crm.security.policies import require_permission
from crm.security.scope import reach_of
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from wallet.bank.positions import BANK_ADAPTER
from wallet.choices.month_end import SourceKind
from wallet.choices.reconciliation import BreakState
from wallet.core import queries
from wallet.models import Break, SourceRun
from wallet.psp import adapter_class
from wallet.reconciliation import source_runs
from wallet.reconciliation.source_runs import Source, SourceKey

DAYS_SHOWN = 14


@dataclass(frozen=True, slots=True)
class Line:
    """A source on the page: its newest run, those of the last days (None where there is none), its open breaks."""

    source: Source
    last: SourceRun | None
    days: list[tuple[dt.date, SourceRun | None]]
    open_breaks: int
    today: dt.date

    @property
    def stale_days(self) -> int | None:
        """How many days that are over its own word does not cover."""
        if self.last is None or self.last.covered_to is None:
            return None
        return max((self.today - self.last.covered_to).days - 1, 0)

    @property
    def freshness_tone(self) -> str:
        if self.stale_days is None:
            return "neutral"
        return "success" if not self.stale_days else "warning" if self.stale_days <= 3 else "danger"

    @property
    def can_fetch(self) -> bool:
        """A PSP that announces its reports needs no switch."""
        psp = self.source.psp
        return psp is not None and not adapter_class(psp.adapter).announces_reports


@staff_page("wallet.view_settlementimport")
def sources_page(request: UserRequest) -> HttpResponse:
    brands = list(Brand.objects.filter(pk__in=reach_of(request.user).whole_brands).order_by("name"))
    sources = source_runs.sources_of(brands)
    lines = [(line.source.brand, line) for line in _lines(request.user, sources)]
    lines.sort(key=lambda pair: (pair[0].name, pair[0].pk))
    by_brand = [(brand, [line for _brand, line in group]) for brand, group in groupby(lines, key=lambda pair: pair[0])]
    context = {
        "brands": by_brand,
        "may_manage": request.user.has_perm("wallet.manage_psp"),
        "may_run": request.user.has_perm("wallet.run_reconciliation"),
        "open_breaks": sum(line.open_breaks for _brand, line in lines),
        "stale": sum(1 for _brand, line in lines if line.stale_days),
        "count": len(lines),
    }
    return render(request, "wallet/reconciliation/sources.html", context)


def _lines(user: User, sources: list[Source]) -> list[Line]:
    today = timezone.now().astimezone(dt.UTC).date()
    days = [today - dt.timedelta(days=back) for back in range(DAYS_SHOWN, 0, -1)]
    last = source_runs.last_runs(user, {source.brand.pk for source in sources})
    recent = {
        (run.brand_id, run.source, run.psp_id, run.server_id, run.day): run
        for run in source_runs.runs_visible_to(user).filter(day__gte=days[0])
    }
    counts = _open_counts(user)
    lines = []
    for source in sources:
        key = source.key
        of_days = [(day, recent.get((*key, day))) for day in days]
        lines.append(Line(source, last.get(key), of_days, counts.get(key, 0), today))
    return lines


def _open_counts(user: User) -> dict[SourceKey, int]:
    """Open breaks per source, in two statements."""
    rows = Break.objects.filter(brand_id__in=reach_of(user).whole_brands, state=BreakState.OPEN)
    counts: dict[SourceKey, int] = {}
    per_psp = rows.exclude(leg=SourceKind.PLATFORM).order_by().values("brand_id", "psp_id", "psp__adapter")
    for row in per_psp.annotate(count=Count("pk")):
        kind = SourceKind.BANK if row["psp__adapter"] == BANK_ADAPTER else SourceKind.PSP
        counts[row["brand_id"], kind, row["psp_id"], None] = row["count"]
    for brand_id, subject in rows.filter(leg=SourceKind.PLATFORM).values_list("brand_id", "subject")[:10_000]:
        server = subject.split(":")[1]
        if is_whole(server):
            key: SourceKey = (brand_id, SourceKind.PLATFORM, None, int(server))
            counts[key] = counts.get(key, 0) + 1
    return counts


@require_POST
@staff_page("wallet.run_reconciliation")
def source_run(request: UserRequest) -> HttpResponseBase:
    """Run one source for yesterday now: `source`, its `kind`:number:brand."""
    subject = request.POST.get("source", "")
    brands = list(Brand.objects.filter(pk__in=reach_of(request.user).whole_brands))
    source = next((candidate for candidate in source_runs.sources_of(brands) if candidate.subject == subject), None)
    if source is None:
        raise Http404
    yesterday = timezone.now().astimezone(dt.UTC).date() - dt.timedelta(days=1)
    run = source_runs.run_source(source, yesterday)
    messages.success(request, _("%(source)s: %(state)s.") % {"source": source.label, "state": run.get_state_display()})
    return redirect("wallet:money_sources")


@require_POST
@staff_page("wallet.run_reconciliation")
def daily_fetch(request: UserRequest, pk: int) -> HttpResponseBase:
    """`on`: 1 or 0."""
    psp = queries.one_of(queries.psps_visible_to(request.user), pk, request.user, "wallet.run_reconciliation")
    require_permission(request.user, "wallet.run_reconciliation")
    is_on = request.POST.get("on") == "1"
    message = (
        _("Reports from %(psp)s will be fetched daily.")
        if is_on
        else _("Reports from %(psp)s are no longer fetched automatically.")
    )
    run_action(
        request,
        lambda: source_runs.set_daily_fetch(psp_id=psp.pk, is_on=is_on, actor=request.user),
        message % {"psp": psp},
        show_forbidden=True,
    )
    return redirect("wallet:money_sources")
