"""One challenge tried by a version: phase after phase as far as what its trader did tells, with the money it would have meant.

A phase that would have been passed or lost where it wasn't leaves the accounts that came later without meaning: the trader would
have traded others. What they would have brought isn't known, and isn't made up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any

from prop.challenges.buying import discount_of
from prop.choices import PayoutState, StageState
from prop.judge.days import to_time
from prop.judge.live import RULES, as_read
from prop.judge.state import Verdict, VerdictKind
from prop.models import Challenge, ChallengePayout, PhaseAccount, ProgrammePhase, ProgrammeSize, ProgrammeVersion
from prop.payouts.terms import share_of
from prop.trials.accounts import AccountTrial, try_account
from prop.trials.reasons import NotTried, Reason

REACHED = (StageState.REVIEW, StageState.PASSED, StageState.REJECTED)
LOST = (StageState.BREACHED, StageState.EXPIRED)


class Outcome(StrEnum):
    """How an account ended."""

    PASSED = "passed"
    LOST = "lost"
    RUNNING = "running"


@dataclass(slots=True)
class Money:
    """What a challenge brought and cost."""

    fees: Decimal = Decimal(0)
    resets: Decimal = Decimal(0)
    refunds: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)

    @property
    def result(self) -> Decimal:
        return self.fees + self.resets - self.refunds - self.paid

    @property
    def payout_ratio(self) -> int | None:
        """Payouts as a percentage of fees and resets; None where nothing was earned."""
        earned = self.fees + self.resets
        return round(100 * self.paid / earned) if earned else None

    def add(self, other: Money) -> None:
        """Add what another challenge brought and cost."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def to_json(self) -> dict[str, str]:
        """Return plain values: amounts as text."""
        return {name: str(amount) for name, amount in asdict(self).items()}

    @classmethod
    def from_json(cls, values: dict[str, str]) -> Money:
        """Read what `to_json` wrote."""
        return cls(**{name: Decimal(amount) for name, amount in values.items()})


@dataclass(frozen=True, slots=True)
class Step:
    """One account: how it ended and how it would have; each with the rule that was breached, empty where none was."""

    row: PhaseAccount
    was: Outcome
    was_rule: str
    now: Outcome
    now_rule: str
    verdict: Verdict | None

    @property
    def is_different(self) -> bool:
        return (self.was, self.was_rule) != (self.now, self.now_rule)


@dataclass(slots=True)
class ChallengeTrial:
    """A challenge as it went and as it would have gone. is_open: what would have come after its last step isn't known."""

    challenge: Challenge
    steps: list[Step] = field(default_factory=list)
    before: Money = field(default_factory=Money)
    after: Money = field(default_factory=Money)
    samples: int = 0
    unseen_msc: int = 0
    is_open: bool = False

    @property
    def difference(self) -> Step | None:
        """The first account that would have ended in another way."""
        return next((step for step in self.steps if step.is_different), None)

    def to_json(self) -> dict[str, Any]:
        """Return the line of a challenge with a different outcome: plain values."""
        step = self.difference
        assert step is not None
        return {
            "challenge": self.challenge.pk,
            "programme": self.challenge.version.programme.name,
            "size": str(self.challenge.balance),
            "phase": step.row.phase.number,
            "is_funded": step.row.phase.is_funded,
            "was": step.was,
            "was_rule": step.was_rule,
            "now": step.now,
            "now_rule": step.now_rule,
            "evidence": as_read(step.verdict, self.challenge.currency) if step.verdict else None,
            "is_open": self.is_open,
            "before": str(self.before.result),
            "after": str(self.after.result),
        }


def try_challenge(challenge: Challenge, version: ProgrammeVersion) -> ChallengeTrial:
    """Try a challenge by a version. Raises: NotTried."""
    if challenge.currency != version.currency:
        raise NotTried(Reason.CURRENCY)
    size = next((each for each in version.sizes.all() if each.balance == challenge.balance), None)
    if size is None:
        raise NotTried(Reason.SIZE)
    rows = [row for row in challenge.accounts.all() if row.started_at is not None]
    if not rows:
        raise NotTried(Reason.NOT_STARTED)
    if any(row.state == StageState.ENDED for row in rows):
        raise NotTried(Reason.ENDED)
    phases = {(phase.number, phase.is_funded): phase for phase in version.phases.all()}
    if (rows[0].phase.number, rows[0].phase.is_funded) not in phases:
        raise NotTried(Reason.PHASES)
    trial = ChallengeTrial(challenge)
    for row in rows:
        row.challenge = challenge
    _count_before(trial, rows)
    trial.after.fees = size.fee - discount_of(size, challenge.coupon)
    _take_steps(trial, rows, phases, size)
    return trial


def _take_steps(
    trial: ChallengeTrial,
    rows: Sequence[PhaseAccount],
    phases: dict[tuple[int, bool], ProgrammePhase],
    size: ProgrammeSize,
) -> None:
    """Go through the accounts as long as the next one is what would have followed."""
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        phase = phases.get((row.phase.number, row.phase.is_funded))
        if phase is None:
            trial.is_open = True
            return
        tried = try_account(row, phase)
        trial.samples += tried.samples
        trial.unseen_msc += tried.unseen_msc
        step = _step_of(row, tried)
        trial.steps.append(step)
        if phase.is_funded:
            _pay_out(trial, row, phase, size, tried)
        if step.now == Outcome.LOST:
            trial.is_open = False
            if following is None or step.was != Outcome.LOST or not _reset(trial, row, size):
                return
        elif following is None or (step.now, step.was) != (Outcome.PASSED, Outcome.PASSED):
            trial.is_open = step.is_different
            return


def _step_of(row: PhaseAccount, tried: AccountTrial) -> Step:
    found, rule = tried.verdict, ""
    now = Outcome.RUNNING
    if found is not None:
        now = Outcome.LOST if found.kind == VerdictKind.BREACH else Outcome.PASSED
        rule = str(RULES[found.rule]) if found.kind == VerdictKind.BREACH and found.rule else ""
    was = Outcome.PASSED if row.state in REACHED else Outcome.LOST if row.state in LOST else Outcome.RUNNING
    breach = getattr(row, "breach", None) if was == Outcome.LOST else None
    return Step(row, was, breach.rule if breach else "", now, rule, found)


def _count_before(trial: ChallengeTrial, rows: Sequence[PhaseAccount]) -> None:
    """Add up what a challenge brought and cost."""
    trial.before.fees = trial.challenge.price
    trial.before.resets = sum((row.reset.price for row in rows if hasattr(row, "reset")), Decimal(0))
    for payout in _paid(trial.challenge):
        trial.before.paid += payout.amount
        trial.before.refunds += payout.refund


def _paid(challenge: Challenge) -> list[ChallengePayout]:
    paid = [each for each in challenge.payouts.all() if each.state == PayoutState.PAID]
    return sorted(paid, key=lambda each: each.requested_at)


def _reset(trial: ChallengeTrial, row: PhaseAccount, size: ProgrammeSize) -> bool:
    """Count the reset that was bought at the version's price; False where the version sells none."""
    if not hasattr(row, "reset") or not row.reset.price:
        return True  # an appeal that was upheld gave it back
    if size.reset_fee is None:
        return False
    trial.after.resets += size.reset_fee
    return True


def _pay_out(
    trial: ChallengeTrial, row: PhaseAccount, phase: ProgrammePhase, size: ProgrammeSize, tried: AccountTrial
) -> None:
    """Count the payouts that were asked for and paid while the account would have lived, by the version's schedule and split.

    One that comes too early or is below the version's minimum is added to the next one.
    """
    assert phase.split is not None
    version, challenge = size.version, trial.challenge
    until = to_time(tried.verdict.at) if tried.verdict else None
    waiting, last = Decimal(0), None
    for payout in _paid(challenge):
        if payout.phase_account_id != row.pk or (until is not None and payout.requested_at >= until):
            continue
        waiting += payout.profit
        is_early = last is not None and (payout.requested_on - last).days < version.payout_days
        if is_early or waiting < version.payout_minimum:
            continue
        trial.after.paid += share_of(waiting, _split(row, phase, payout), challenge.currency)
        if version.refunds_fee and not trial.after.refunds:
            trial.after.refunds = trial.after.fees
        waiting, last = Decimal(0), payout.requested_on


def _split(row: PhaseAccount, phase: ProgrammePhase, payout: ChallengePayout) -> Decimal:
    """Return the trader's share at a payout: raised where the account had grown by then and the version raises it."""
    assert phase.split is not None
    has_grown = row.growths.filter(state="booked", merge=None, ended_at__lte=payout.requested_at).exists()
    return phase.scaling_split if has_grown and phase.scaling_split is not None else phase.split
