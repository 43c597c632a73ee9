"""Judging a running or ended phase again from one of its days on: from kept samples, and the deals as they are now.

Reads only. What is decided differently is a correction that two people decide on (`prop/corrections/`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from crm.errors import DomainError
from prop.brand_policies import SAMPLE_DAYS
from prop.choices import GrowthState, StageState
from prop.judge import feed
from prop.judge.corrections import DECISIVE, Correction, compare, moved
from prop.judge.days import to_msc, to_time
from prop.judge.inputs import Input, Sample, in_order
from prop.judge.judging import Judge
from prop.judge.live import completed, count_deals, deals_between, inputs_of, recount, rules_of
from prop.judge.state import State, Verdict, VerdictKind
from prop.judge.storing import deals_judged, kept_since
from prop.models import Breach, ChallengeDay, EquityMinute, PhaseAccount
from prop.news.releases import WITHIN, first_changed_release, news_of
from trading.models import Deal as PlatformDeal


@dataclass(frozen=True, slots=True)
class ChangedDeal:
    """A deal that isn't what it was when it was judged. was, now: its net amount in minor units; None where there was none.
    Equal where something else was edited: its time, its symbol, its lots.

    shown_since: the first kept sample that shows the change, as far as samples are kept.
    """

    ticket: int
    at: int
    was: int | None
    now: int | None
    shown_since: int | None = None


@dataclass(frozen=True, slots=True)
class Rejudgement:
    """What judging again gives. `since`, `until`: the instants between which inputs were read, in milliseconds."""

    row: PhaseAccount
    day: dt.date
    since: int
    until: int
    samples: int
    changed: list[ChangedDeal]
    was: Verdict | None
    verdicts: list[Verdict]
    state: State

    @property
    def now(self) -> Verdict | None:
        """The breach or the reached target that it gives, with its whole evidence; None while it runs."""
        return next((each for each in completed(self.verdicts) if each.kind in DECISIVE), None)

    @property
    def signature(self) -> tuple[Any, ...]:
        """What it changes, to compare it with what was found before."""
        return signature(*(each.to_json() if each else None for each in (self.was, self.now)))

    @property
    def corrections(self) -> list[Correction]:
        """What is decided differently now."""
        return compare([self.was] if self.was else [], self.verdicts)

    @property
    def gaps(self) -> list[Verdict]:
        """Where the account wasn't seen for longer than a minute: nothing is concluded there."""
        return [each for each in self.verdicts if each.kind == VerdictKind.GAP]

    def to_json(self) -> dict[str, Any]:
        """Return plain values, instants in UTC."""
        return {
            "account": self.row.account.login,
            "day": self.day.isoformat(),
            "since": to_time(self.since).isoformat(),
            "until": to_time(self.until).isoformat(),
            "samples": self.samples,
            "changed_deals": [changed_json(each) for each in self.changed],
            "gaps": [gap_json(each) for each in self.gaps],
            "corrections": [
                {"kind": str(each.kind), "was": verdict_json(each.was), "now": verdict_json(each.now)}
                for each in self.corrections
            ],
        }


def signature(was: dict[str, Any] | None, now: dict[str, Any] | None) -> tuple[Any, ...]:
    """Say what a correction decides, to compare two of them: figures may differ by what was read meanwhile."""
    return tuple(verdict and (verdict["kind"], verdict["rule"], verdict["at"]) for verdict in (was, now))


def judge_again_from(row: PhaseAccount, day: dt.date) -> Rejudgement:
    """Judge an account again from a server day on, as if for the first time. Writes nothing.

    Raises: DomainError where no samples of the day are kept, or the phase was decided before it.
    """
    kept = ChallengeDay.objects.filter(phase_account=row, day=day).values_list("checkpoint", flat=True).first()
    if not kept:
        raise DomainError(_("This day can’t be judged again: the judge’s state before it wasn’t kept."))
    state, judges = State.from_json(kept), judges_of(row)
    since, was = state.at, decided(row)
    if was is not None and was.day < day.toordinal():
        raise DomainError(_("The phase was decided before this day."))
    samples, judged_with = kept_since(row, since)
    if not samples or not _reaches(judges[0][1], samples, day):
        raise DomainError(_("No samples of this day are kept."))
    deals = deals_between(row, since, samples[-1].at)
    changed = _shown(_changed(deals, judged_with, since, row), samples, deals, row)
    for each in changed:
        if _difference(each):
            samples = moved(samples, _difference(each), since=each.at, until=each.shown_since)
    recount(row, state)
    verdicts = judge_by(judges, state, in_order([*inputs_of(row, deals), *samples]))
    return Rejudgement(row, day, since, samples[-1].at, len(samples), changed, was, verdicts, state)


def go_on(again: Rejudgement, row: PhaseAccount) -> Rejudgement:
    """Judge on from where judging again ended, with what was read of the account since. row: as it is now. Writes nothing."""
    samples, _judged_with = kept_since(row, again.until)
    if not samples:
        return replace(again, row=row)
    deals = deals_between(row, again.until, samples[-1].at)
    more = judge_by(judges_of(row), again.state, in_order([*inputs_of(row, deals), *samples]))
    return replace(
        again, row=row, until=samples[-1].at, samples=again.samples + len(samples), verdicts=[*again.verdicts, *more]
    )


def basis_of(row: PhaseAccount, until: int) -> tuple[Any, ...]:
    """Say what judging an account again until an instant rests on: where this is the same afterwards, so is its result."""
    assert row.started_at is not None
    growths = row.growths.filter(state=GrowthState.BOOKED, ended_at__isnull=False).order_by("number")
    news = news_of(row, row.started_at, to_time(until))
    deals = count_deals(row, until)
    return (row.state, row.idle_days, *sorted(deals.items()), *growths.values_list("pk", flat=True), *news)


def first_changed_day(row: PhaseAccount) -> dt.date | None:
    """Find the server day from which an account has to be judged again; None where no deal and no release changed.

    Deals from before the kept samples are left out. Always from the first change on: later checkpoints don't know of it.
    """
    assert row.started_at is not None
    since = row.started_at
    if since < timezone.now() - dt.timedelta(days=SAMPLE_DAYS.of(row.challenge.brand)):
        oldest = EquityMinute.objects.filter(phase_account=row).order_by("minute").values_list("minute", flat=True)
        minute = row.judged.get("minute")
        since = oldest.first() or (to_time(minute["at"]) if minute else timezone.now())
    after = to_msc(since) - 1
    deals = deals_between(row, after, row.judged["state"]["at"])
    was, until = decided(row), None
    if was is not None:  # what came after the sample that decided it changes nothing
        until = max(was.at, was.after.at if was.after else 0)
    changed = [each for each in _changed(deals, deals_judged(row), after, row) if until is None or each.at <= until]
    release = first_changed_release(row, since, to_time(row.judged["state"]["at"]))
    ats = [each.at for each in changed[:1]] + ([to_msc(release - WITHIN)] if release else [])
    if not ats:
        return None
    days = ChallengeDay.objects.filter(phase_account=row, checkpoint__isnull=False).order_by("-day")
    first = max(min(ats), after + 1)
    earlier = (day for day, kept in days.values_list("day", "checkpoint") if kept and kept["at"] < first)
    return next(earlier, dt.date.fromordinal(Judge(rules_of(row)).days.day(first)))


def judges_of(row: PhaseAccount) -> list[tuple[int, Judge]]:
    """List an account's judges, each with the instant from which it judges: limits change with each step of scaling."""
    assert row.started_at is not None
    news = news_of(row, row.started_at, timezone.now())
    grown, judges = Decimal(0), [(0, Judge(rules_of(row, growth=Decimal(0)), news))]
    for growth in row.growths.filter(state=GrowthState.BOOKED, ended_at__isnull=False).order_by("number"):
        assert growth.ended_at is not None
        grown += growth.amount
        judges.append((to_msc(growth.ended_at), Judge(rules_of(row, growth=grown), news)))
    return judges


def judge_by(judges: Sequence[tuple[int, Judge]], state: State, inputs: Iterable[Input]) -> list[Verdict]:
    """Take inputs in their order, each by the judge of its time."""
    verdicts: list[Verdict] = []
    for each in inputs:
        judge = next(judge for since, judge in reversed(judges) if since <= each.at)
        verdicts += judge.step(state, each)
    return verdicts


def _reaches(judge: Judge, samples: Sequence[Sample], day: dt.date) -> bool:
    """Say whether any sample of the day is kept; with none its verdicts would come from nothing."""
    days = judge.days
    return any(days.start(day.toordinal()) <= each.at < days.start(day.toordinal() + 1) for each in samples)


def decided(row: PhaseAccount) -> Verdict | None:
    """Return the breach or the reached target that ended a phase, as the judge gave it; None while it runs."""
    if row.state == StageState.RUNNING:
        return None
    breach = Breach.objects.filter(phase_account=row).first()
    if breach is not None:
        return Verdict.from_json(breach.evidence)
    kept = row.judged.get("decided")
    return Verdict.from_json(kept) if kept else None


def _changed(
    deals: Sequence[PlatformDeal], judged_with: dict[str, list[int]], since: int, row: PhaseAccount
) -> list[ChangedDeal]:
    """Compare deals with what they were judged with. Those that moved out of the time, too, are no longer there."""
    currency = row.challenge.currency
    now = {each.ticket: each for each in deals if each.deleted_at is None}
    found = []
    for ticket, (at, net, *shape) in judged_with.items():
        deal = now.get(int(ticket))
        if at > since and (deal is None or feed.mark_of(deal, currency) != [at, net, *shape]):
            found.append(ChangedDeal(int(ticket), at, net, None if deal is None else feed.net_of(deal, currency)))
    late = [each for each in now.values() if str(each.ticket) not in judged_with]
    found += [ChangedDeal(each.ticket, to_msc(each.executed_at), None, feed.net_of(each, currency)) for each in late]
    return sorted(found, key=lambda each: (each.at, each.ticket))


def _shown(
    changes: Sequence[ChangedDeal], samples: Sequence[Sample], deals: Sequence[PlatformDeal], row: PhaseAccount
) -> list[ChangedDeal]:
    """Find the first sample that shows each change: the balance moves by just it (or by all changes together), and by no deal."""
    currency = row.challenge.currency
    nets = sorted((to_msc(each.executed_at), feed.net_of(each, currency)) for each in deals if each.deleted_at is None)
    jumps, place = [], 0
    for before, after in pairwise(samples):
        jump = after.balance - before.balance
        while place < len(nets) and nets[place][0] <= after.at:
            jump -= nets[place][1] if nets[place][0] > before.at else 0
            place += 1
        if jump:
            jumps.append((before.at, after.at, jump))
    together = sum(_difference(each) for each in changes)
    return [
        replace(
            each,
            shown_since=next(
                (
                    at
                    for before, at, jump in jumps
                    if before >= each.at and _difference(each) and jump in (_difference(each), together)
                ),
                None,
            ),
        )
        for each in changes
    ]


def _difference(change: ChangedDeal) -> int:
    """Return by how much samples showed another balance; nothing for a deal that was only read late."""
    return 0 if change.was is None else (change.now or 0) - change.was


def changed_json(each: ChangedDeal) -> dict[str, Any]:
    """Write a changed deal as evidence: amounts in minor units."""
    return {
        "ticket": each.ticket,
        "at": to_time(each.at).isoformat(),
        "was": each.was,
        "now": each.now,
        "shown_since": to_time(each.shown_since).isoformat() if each.shown_since else None,
    }


def gap_json(each: Verdict) -> dict[str, str]:
    """Write a gap as evidence."""
    assert each.before is not None
    return {"from": to_time(each.before.at).isoformat(), "until": to_time(each.at).isoformat()}


def verdict_json(verdict: Verdict | None) -> dict[str, Any] | None:
    """Write a verdict as evidence."""
    return {**verdict.to_json(), "occurred_at": to_time(verdict.at).isoformat()} if verdict else None
