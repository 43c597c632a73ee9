"""What a check of a withdrawal is: a name, one thing that it looks at, and an answer in words.

    @check(CheckName.VELOCITY)
    def velocity(request: Request) -> Finding: …

`pass` lets it go, `review` sends it to a person, `stop` refuses it outright. The checks themselves are in
`money` (the money), `risk` (AML and fraud) and `conduct` (velocity, recent changes) beside this file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.db.models import QuerySet

from clients.models import Client
from crm.money.amounts import Money
from wallet.choices.checks import CheckName
from wallet.choices.withdrawals import CheckResult, Purpose, WithdrawalRoute
from wallet.models import Account, Withdrawal
from wallet.withdrawals.payout_methods import PayoutMethod
from wallet.withdrawals.return_to_source import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client requests, as the checks see it: before it is stored with its plan, later with the row itself."""

    client: Client
    wallet: Account
    amount_minor: int
    currency: str
    chosen: PayoutMethod | None = None
    destination: Mapping[str, str] = field(default_factory=dict)
    plan: Plan | None = None
    known: Withdrawal | None = None

    @property
    def money(self) -> Money:
        return Money.of_minor(self.amount_minor, self.currency)

    @property
    def mark(self) -> str:
        """The hash of the destination that the client chose; empty when everything goes back to its sources."""
        if self.plan is None:
            return self.known.destination_hash if self.known and self.known.way == WithdrawalRoute.PAYOUT else ""
        return next((part.mark for part in self.plan.parts if part.way == WithdrawalRoute.PAYOUT), "")

    @property
    def others(self) -> QuerySet[Withdrawal]:
        """The client's other withdrawals, one row per request."""
        rows = Withdrawal.objects.filter(client=self.client, purpose=Purpose.WITHDRAWAL, part=1)
        return rows.exclude(request_reference=self.known.request_reference) if self.known else rows


@dataclass(frozen=True, slots=True)
class Finding:
    outcome: CheckResult
    reason: str


@dataclass(frozen=True, slots=True)
class Check:
    name: CheckName
    run: Callable[[Request], Finding]
    can_stop: bool = False


CHECKS: dict[str, Check] = {}


def check(
    name: CheckName, *, can_stop: bool = False
) -> Callable[[Callable[[Request], Finding]], Callable[[Request], Finding]]:
    """Register a check. can_stop: it may refuse outright, so it is asked again before an approval."""

    def register(run: Callable[[Request], Finding]) -> Callable[[Request], Finding]:
        CHECKS[name.value] = Check(name, run, can_stop)
        return run

    return register


def run_checks(request: Request, *, only_stopping: bool = False) -> dict[str, Finding]:
    """Run the checks in the order of their registration; with only_stopping, those that may refuse outright."""
    return {name: entry.run(request) for name, entry in CHECKS.items() if entry.can_stop or not only_stopping}


def passed(reason: str) -> Finding:
    """Let the request go, as far as this check is concerned."""
    return Finding(CheckResult.PASS, reason)


def review(reason: str) -> Finding:
    """Send the request to a person, with the reason that staff read."""
    return Finding(CheckResult.REVIEW, reason)


def stop(reason: str) -> Finding:
    """Refuse the request outright, with the reason that the client reads."""
    return Finding(CheckResult.STOP, reason)
