"""Every source compared with the ledger once a day: PSPs, banks, trading servers.

A source is a brand's PSP, its account at a bank, or a server on which it has accounts. Beat runs each for every day that is
over; a run has what it compared, up to which day the source's own data is here, and how many breaks are open. A break that
a later run does not find any more closes itself; one that a person resolved stays resolved.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from django.db import connection, transaction
from django.db.models import CharField, Min, QuerySet
from django.db.models.functions import Cast, Substr
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock, lock_first
from crm.errors import DomainError
from crm.models import Actor, Brand, User
from crm.money.numbers import is_whole
from crm.queue import catch_up
from crm.security import audit
from crm.security.policies import require
from trading.models import SyncCursor, TradingServer
from wallet.audit_codes import WalletAction
from wallet.bank import positions as bank_positions
from wallet.bank import statements as bank
from wallet.bank.positions import BANK_ADAPTER, end_of
from wallet.choices.break_details import money
from wallet.choices.ledger import AccountKind
from wallet.choices.month_end import RunState, SourceKind
from wallet.choices.reconciliation import BreakKind, BreakState, Detail, Leg, Resolved
from wallet.models import Account, Break, Psp, SourceRun
from wallet.psp import adapter_class, adapter_of
from wallet.reconciliation import platform_leg, policies, settlement_import
from wallet.reconciliation.platform_leg import PlatformDifference
from wallet.reconciliation.report_expectations import is_called_for, reaches_to

logger = logging.getLogger(__name__)
BACK_DAYS_MAX = 40  # a break that is older is a person's alone
AGAIN_DAYS = 5  # so long a day with something open is looked at again
DAYS_PER_RUN = 10  # of a source after an outage; the next run goes on
TASK = "wallet.source_run"


SourceKey: TypeAlias = tuple[int, str, int | None, int | None]  # brand, kind, PSP, server


@dataclass(frozen=True, slots=True)
class Source:
    """One thing to compare with the ledger."""

    brand: Brand
    kind: SourceKind
    psp: Psp | None = None
    server: TradingServer | None = None

    @property
    def key(self) -> SourceKey:
        """What names it in runs and breaks."""
        return self.brand.pk, self.kind, self.psp.pk if self.psp else None, self.server.pk if self.server else None

    @property
    def columns(self) -> dict[str, int | str | None]:
        """Its key as columns of a run."""
        return dict(zip(("brand_id", "source", "psp_id", "server_id"), self.key, strict=True))

    @property
    def subject(self) -> str:
        """Return the prefix of its breaks' subjects."""
        return f"{self.kind}:{self.server.pk if self.server else self.psp.pk if self.psp else 0}:{self.brand.pk}:"

    @property
    def label(self) -> str:
        return str(self.server or self.psp)


LEGS = {SourceKind.PLATFORM: Leg.PLATFORM, SourceKind.BANK: Leg.BANK}


@dataclass(slots=True)
class RunResult:
    """The result of one run."""

    state: RunState
    checked: int = 0
    covered_to: dt.date | None = None
    words: str = ""


def sources_of(brands: Iterable[Brand]) -> list[Source]:
    """All sources of some brands: PSPs, banks, then servers with real accounts. The number of queries is fixed."""
    by_id = {brand.pk: brand for brand in brands}
    sources = [
        Source(by_id[psp.brand_id], SourceKind.BANK if psp.adapter == BANK_ADAPTER else SourceKind.PSP, psp=psp)
        for psp in Psp.objects.filter(brand_id__in=by_id).order_by("brand_id", "name", "id")
    ]
    servers = TradingServer.objects.filter(is_demo=False).in_bulk()
    used = set()
    offered = TradingServer.objects.filter(account_types__brand_id__in=by_id, account_types__is_demo=False)
    moved = Account.objects.filter(
        brand_id__in=by_id, kind=AccountKind.PLATFORM_CLEARING, subject__startswith="server:"
    )
    for brand_id, number in (
        offered.order_by()
        .values_list("account_types__brand_id", Cast("pk", CharField()))
        .union(moved.order_by().values_list("brand_id", Substr("subject", len("server:") + 1)))
    ):
        if is_whole(number):
            used.add((brand_id, int(number)))
    sources += [
        Source(by_id[brand_id], SourceKind.PLATFORM, server=servers[pk])
        for brand_id, pk in sorted(used)
        if pk in servers
    ]
    return sorted(sources, key=lambda source: source.brand.pk)


# ── one run ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def run_source(source: Source, day: dt.date) -> SourceRun:
    """Compare one source with the ledger for a day that is over. A failure is a run, too, with its message."""
    started = timezone.now()
    try:
        outcome = RUNNERS[source.kind](source, day)
    except DomainError as error:
        outcome = RunResult(RunState.FAILED, words=error.message)
    return _store_run(source, day, started, outcome)


@transaction.atomic
def _store_run(source: Source, day: dt.date, started: dt.datetime, outcome: RunResult) -> SourceRun:
    still_open = open_breaks(source)
    if still_open and outcome.state in (RunState.AGREES, RunState.MISSING):
        outcome = replace(outcome, state=RunState.BREAKS)
    known = lock_first(SourceRun.objects.filter(**source.columns, day=day))
    run = known or SourceRun(**source.columns, day=day, runs=0, state=outcome.state)
    run.move_to(outcome.state)
    run.checked, run.breaks_open = outcome.checked, still_open
    run.covered_to, run.words = outcome.covered_to, outcome.words[:300]
    run.started_at, run.finished_at, run.runs = started, timezone.now(), run.runs + 1
    run.save()
    return run


def breaks_of(source: Source) -> QuerySet[Break]:
    """Select a source's breaks of all days and states. A bank's are of its balances; PSPs' payouts belong to those PSPs."""
    if source.kind == SourceKind.PSP:
        return Break.objects.filter(psp=source.psp)
    return Break.objects.filter(leg=LEGS[source.kind], brand=source.brand, subject__startswith=source.subject)


def open_breaks(source: Source) -> int:
    """Count the open breaks of a source."""
    return breaks_of(source).filter(state=BreakState.OPEN).count()


def _run_platform(source: Source, day: dt.date) -> RunResult:
    server = source.server
    assert server is not None
    oldest = (
        breaks_of(source)
        .filter(state=BreakState.OPEN, happened_at__gte=_midnight(day - dt.timedelta(days=BACK_DAYS_MAX)))
        .aggregate(at=Min("happened_at"))["at"]
    )
    first = min(oldest.astimezone(dt.UTC).date(), day) if oldest else day
    compared = platform_leg.compare(
        brand_id=source.brand.pk,
        server_id=server.pk,
        since=_midnight(first),
        until=_midnight(day + dt.timedelta(days=1)),
        with_strays=source.brand.pk == _first_brand_on(server.pk),
    )
    note_breaks(source, compared.differences, first=first, last=day)
    read_at = SyncCursor.objects.filter(server=server, kind="deals").values_list("read_at", flat=True).first()
    if read_at is None or read_at <= end_of(day):
        message = _("This server's deals haven't been read since the day ended.")
        return RunResult(RunState.MISSING, compared.checked, read_at.date() if read_at else None, message)
    return RunResult(RunState.AGREES, compared.checked, day)


def _first_brand_on(server_id: int) -> int | None:
    """Find the one brand that sees deals of unknown logins: the first with account types on the server."""
    return (
        TradingServer.objects.filter(pk=server_id, account_types__isnull=False)
        .order_by("account_types__brand_id")
        .values_list("account_types__brand_id", flat=True)
        .first()
    )


def _run_psp(source: Source, day: dt.date) -> RunResult:
    psp = source.psp
    assert psp is not None
    kinds = adapter_of(psp).report_kinds()
    if _is_asked_daily(psp):
        there = reaches_to(psp, kinds[0], day)
        if there is None or there < day:
            first = day if there is None else there + dt.timedelta(days=1)
            settlement_import.fetch_and_import(psp_id=psp.pk, first=first, last=day, actor=None)
    moved = psp.movements.filter(occurred_at__gte=_midnight(day), occurred_at__lte=end_of(day)).count()
    reached = [reaches_to(psp, kind, day) for kind in kinds if is_called_for(psp, kind)]
    covered = (
        min((day_reached for day_reached in reached if day_reached is not None), default=None)
        if None not in reached
        else None
    )
    if reached and (covered is None or covered < day):
        message = _("No report covers this day. Movements in the ledger: %(count)s.") % {"count": moved}
        return RunResult(RunState.MISSING, moved, covered, message)
    return RunResult(RunState.AGREES, moved, covered)


def _is_asked_daily(psp: Psp) -> bool:
    """Check whether a PSP is asked for a report each day.

    One that announces its reports isn't: each is fetched then (`announced_reports`).
    """
    return psp.is_fetched_daily and psp.is_enabled and not adapter_class(psp.adapter).announces_reports


def _run_bank(source: Source, day: dt.date) -> RunResult:
    psp = source.psp
    assert psp is not None
    covered = covered_to(bank_positions.covered_days(psp))
    if psp.is_fetched_daily and psp.is_enabled and (covered is None or covered < day):
        first = day if covered is None else covered + dt.timedelta(days=1)
        content = adapter_of(psp).fetch_settlement(first, day)
        name = f"{psp.code}-{first}-{day}.xml"
        bank.import_statement(psp_id=psp.pk, file_name=name, content=content, actor=None, is_complete=True)
        covered = covered_to(bank_positions.covered_days(psp))
    positions = bank_positions.bank_positions(source.brand.pk, covered or day) if covered else {}
    differences = [_balance_difference(position) for position in positions.values() if position.difference_minor]
    note_breaks(source, differences, first=dt.date(2000, 1, 1), last=day)
    entries = psp.bank_entries.filter(booked_on=day).count()
    unknown = sum(position.unknown_count for position in positions.values())
    message = _("Payments without a known owner: %(count)s.") % {"count": unknown} if unknown else ""
    if covered is None or covered < day:
        return RunResult(RunState.MISSING, entries, covered, message or _("No statement covers this day."))
    return RunResult(RunState.AGREES, entries, covered, message)


def _balance_difference(position: bank_positions.BankPosition) -> PlatformDifference:
    assert position.statement_minor is not None
    assert position.statement_on is not None
    values = {
        "currency": position.currency,
        "day": position.statement_on.isoformat(),
        "there": money(position.statement_minor, position.currency),
        "here": money(position.books_minor, position.currency),
    }
    return PlatformDifference(
        f"balance:{position.currency}",
        BreakKind.BALANCE,
        position.statement_on,
        position.currency,
        position.difference_minor or 0,
        Detail.BALANCE,
        values,
    )


RUNNERS = {SourceKind.PSP: _run_psp, SourceKind.BANK: _run_bank, SourceKind.PLATFORM: _run_platform}


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)


# ── which days are here ──────────────────────────────────────────────────────────────────────────────────────────────


def covered_to(spans: list[tuple[dt.date, dt.date]]) -> dt.date | None:
    """Find the last day that any of the periods covers; None where there are none."""
    return max((last for _first, last in spans), default=None)


def gaps(spans: list[tuple[dt.date, dt.date]], first: dt.date, last: dt.date) -> list[tuple[dt.date, dt.date]]:
    """List the days of a period that no span covers, as periods."""
    missing, at = [], first
    for begin, end in sorted(spans):
        if end < at:
            continue
        if begin > last:
            break
        if begin > at:
            missing.append((at, begin - dt.timedelta(days=1)))
        at = max(at, end + dt.timedelta(days=1))
    if at <= last:
        missing.append((at, last))
    return missing


# ── breaks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def note_breaks(source: Source, differences: Iterable[PlatformDifference], *, first: dt.date, last: dt.date) -> None:
    """Keep what a run over [first, last] found. Open ones of those days that it did not find any more close themselves.

    What a person resolved stays so while it is the same difference; anything else under its subject opens again.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('keelson.source_run'), %s)", [source.brand.pk])
    subjects = {f"{source.subject}{difference.fingerprint}"[:120]: difference for difference in differences}
    known: dict[str, list[Break]] = defaultdict(list)
    for row in Break.objects.filter(leg=LEGS[source.kind], subject__in=subjects).order_by("pk"):
        known[row.subject].append(row)
    now, fresh, changed = timezone.now(), [], []
    for subject, difference in subjects.items():
        is_open = next((row for row in known[subject] if row.state == BreakState.OPEN), None)
        if is_open is not None and not difference.is_settled:
            is_open.kind, is_open.difference_minor, is_open.detail = difference.kind, difference.difference_minor, ""
            is_open.detail_code, is_open.detail_values = difference.code, difference.values
            changed.append(is_open)
        elif is_open is None and not any(_is_settled_already(row, difference) for row in known[subject]):
            fresh.append(_make_break(source, subject, difference, now))
    Break.objects.bulk_create(fresh, batch_size=1_000)
    Break.objects.bulk_update(
        changed, ["kind", "difference_minor", "detail", "detail_code", "detail_values"], batch_size=1_000
    )
    breaks_of(source).filter(
        state=BreakState.OPEN, happened_at__gte=_midnight(first), happened_at__lte=end_of(last)
    ).exclude(subject__in=subjects).exclude(subject="").update(
        state=BreakState.RESOLVED,
        resolved_at=now,
        resolution_code=Resolved.NOT_FOUND,
        resolution_values={"day": last.isoformat()},
    )


def _is_settled_already(row: Break, difference: PlatformDifference) -> bool:
    """Check whether the same difference was settled before: by a person, or because it explains itself."""
    same = (row.kind, row.difference_minor) == (difference.kind, difference.difference_minor)
    return row.state == BreakState.RESOLVED and same and (row.resolved_by_id is not None or difference.is_settled)


def _make_break(source: Source, subject: str, difference: PlatformDifference, now: dt.datetime) -> Break:
    settled: dict[str, Any] = {}
    if difference.is_settled:
        settled = {"state": BreakState.RESOLVED, "resolved_at": now, "resolution_code": Resolved.ITSELF}
    return Break(
        brand=source.brand,
        leg=LEGS[source.kind],
        psp=source.psp,
        kind=difference.kind,
        subject=subject,
        client_id=difference.client_id,
        detail_code=difference.code,
        detail_values=difference.values,
        currency=difference.currency,
        difference_minor=difference.difference_minor,
        opened_at=now,
        happened_at=min(dt.datetime.combine(difference.day, dt.time(12), tzinfo=dt.UTC), now),
        **settled,
    )


@transaction.atomic
def set_daily_fetch(*, psp_id: int, is_on: bool, actor: Actor) -> Psp:
    """Have a PSP's report or a bank's statement fetched every day, or stop that. Who: `wallet.run_reconciliation`."""
    psp = lock(Psp, psp_id, "brand")
    require(policies.can_reconcile(actor, psp))
    before, psp.is_fetched_daily = psp.is_fetched_daily, is_on
    psp.save(update_fields=["is_fetched_daily"])
    audit.record(
        actor=actor,
        action=WalletAction.DAILY_FETCH_CHANGED,
        target=psp,
        brand_id=psp.brand_id,
        before={"is_fetched_daily": before},
        after={"is_fetched_daily": is_on},
    )
    return psp


# ── every day ────────────────────────────────────────────────────────────────────────────────────────────────────────


def run_due(*, today: dt.date | None = None) -> int:
    """Run by beat: each source for every day that is over and has no run, however long ago. Returns how many were made.

    A day without the source's own data is checked again while it is one of the last few; each source once an hour at most.
    """
    today = today or timezone.now().astimezone(dt.UTC).date()
    yesterday = today - catch_up.DAY
    marks = catch_up.marks(TASK)
    made = 0
    for source in sources_of(list(Brand.objects.order_by("pk"))):
        runs = SourceRun.objects.filter(**source.columns)
        since = yesterday - dt.timedelta(days=AGAIN_DAYS - 1)
        again = [
            run.day for run in runs.filter(day__gte=since, day__lte=yesterday).order_by("day") if _is_due_again(run)
        ]
        mark = marks.get(source.subject)
        first = mark + catch_up.DAY if mark else runs.aggregate(first=Min("day"))["first"] or yesterday
        done = set(runs.filter(day__gte=first).values_list("day", flat=True))
        made += catch_up.catch_up(
            catch_up.Days(TASK, source.subject, first, yesterday),
            done=done,
            at_most=DAYS_PER_RUN,
            work=lambda day, source=source: _run_safely(source, day),  # type: ignore[misc]
        )
        made += sum(_run_safely(source, day) for day in again)
    return made


def _is_due_again(run: SourceRun) -> bool:
    return run.state in (RunState.MISSING, RunState.FAILED, RunState.BREAKS) and run.finished_at < (
        timezone.now() - dt.timedelta(hours=1)
    )


def _run_safely(source: Source, day: dt.date) -> bool:
    """Run a source; its failure is logged and doesn't stop the others."""
    try:
        run_source(source, day)
    except Exception:
        logger.exception("daily run of %s failed", source.label)
        return False
    return True


def runs_visible_to(user: User) -> QuerySet[SourceRun]:
    """Select the runs of the brands that a user reaches whole."""
    from crm.security.scope import reach_of

    return SourceRun.objects.filter(brand_id__in=reach_of(user).whole_brands)


def last_runs(user: User, brand_ids: Iterable[int]) -> dict[SourceKey, SourceRun]:
    """Find the newest run of each source, by its key."""
    rows = (
        runs_visible_to(user)
        .filter(brand_id__in=list(brand_ids))
        .order_by("brand_id", "source", "psp_id", "server_id", "-day")
        .distinct("brand_id", "source", "psp_id", "server_id")
    )
    return {(run.brand_id, run.source, run.psp_id, run.server_id): run for run in rows}
