"""What who decides on a withdrawal must know of the client: money in and out, result, documents, warnings, the payout account."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from django.db.models import Count, Min, Q, Sum

from clients.facts import fact_of
from clients.models import Client
from compliance import queries as compliance
from compliance.choices import HitState, RestrictionKind
from compliance.models import Hit
from crm.models import User
from kyc import queries as kyc
from trading.choices import Period
from trading.models import AccountResult
from wallet.choices.withdrawals import WITHDRAWAL_OPEN, CheckResult, WithdrawalRoute, WithdrawalState
from wallet.core.queries import withdrawals_visible_to
from wallet.models import Withdrawal, WithdrawalCheck
from wallet.movements.queries import Movement, history_of

MOVEMENTS: Final = 5
OTHERS_MAX: Final = 5
MATCHES_MAX: Final = 5
SHARED_MAX: Final = 20


@dataclass(frozen=True)
class PayoutAccount:
    """Where the money goes: since when the client has used it, how often it was paid, who else uses it."""

    first_used_at: dt.datetime | None = None
    times_paid: int = 0
    other_clients: int = 0

    @property
    def is_new(self) -> bool:
        """Nothing was ever paid there."""
        return not self.times_paid


@dataclass(frozen=True)
class ClientSummary:
    """The client beside the decision. Amounts are in the brand's base currency; None where the reader has no right."""

    client: Client
    deposited: Decimal
    withdrawn: Decimal
    equity: Decimal
    result: Decimal | None
    movements: Sequence[Movement]
    others: Sequence[Withdrawal]
    requirements: Sequence[kyc.Requirement] | None
    matches: Sequence[Hit] = ()
    restrictions: Sequence[str] = ()
    payout: PayoutAccount | None = None

    @property
    def has_warnings(self) -> bool:
        return bool(self.matches or self.restrictions or self.client.risk_rating == "high")


@dataclass(frozen=True)
class CheckList:
    """The checks of a withdrawal, those that need a person first; the passed ones are folded."""

    raised: Sequence[WithdrawalCheck] = field(default_factory=list)
    passed: Sequence[WithdrawalCheck] = field(default_factory=list)

    @property
    def total(self) -> int:
        return len(self.raised) + len(self.passed)


def checks_of(checks: Iterable[WithdrawalCheck]) -> CheckList:
    """Divide checks into raised ones, refusals before reviews, and passed ones."""
    rows = list(checks)
    raised = [check for check in rows if check.outcome != CheckResult.PASS]
    raised.sort(key=lambda check: check.outcome != CheckResult.STOP)
    return CheckList(raised, [check for check in rows if check.outcome == CheckResult.PASS])


def summary_of(user: User, withdrawal: Withdrawal) -> ClientSummary:
    """Collect the client's facts for who may see the withdrawal, in at most ten queries."""
    client = withdrawal.client
    withdrawn = Withdrawal.objects.filter(client=client, state=WithdrawalState.SETTLED, from_suspense=False)
    paid_out = withdrawn.aggregate(total=Sum("base_amount"))["total"] or Decimal(0)
    movements = [m for m in history_of(client, limit=MOVEMENTS + 1) if (m.kind, m.pk) != ("withdrawal", withdrawal.pk)]
    others = withdrawals_visible_to(user).filter(client=client, state__in=WITHDRAWAL_OPEN, part=1)
    others = others.exclude(request_reference=withdrawal.request_reference).defer("sealed_destination")
    matches = compliance.hits_visible_to(user).filter(client=client, state__in=[HitState.OPEN, HitState.CONFIRMED])
    return ClientSummary(
        client=client,
        deposited=client.net_deposits + paid_out,  # the fact nets them, each at the rate of its own day
        withdrawn=paid_out,
        equity=fact_of(client, "equity"),
        result=_result_of(client) if user.has_perm("trading.view_tradingaccount") else None,
        movements=movements[:MOVEMENTS],
        others=list(others.order_by("-pk")[:OTHERS_MAX]),
        requirements=kyc.requirements_of(client) if user.has_perm("kyc.view_document") else None,
        matches=list(matches.select_related("entry").order_by("-pk")[:MATCHES_MAX]),
        restrictions=[_restriction_label(kind) for kind in client.restrictions],
        payout=_payout_account(withdrawal) if withdrawal.way == WithdrawalRoute.PAYOUT else None,
    )


def _result_of(client: Client) -> Decimal:
    """Sum up what all closed trades on the client's real accounts brought."""
    months = AccountResult.objects.filter(account__client=client, account__is_demo=False, period=Period.MONTH)
    return months.aggregate(total=Sum("net_base"))["total"] or Decimal(0)


def _payout_account(withdrawal: Withdrawal) -> PayoutAccount:
    same = Withdrawal.objects.filter(destination_hash=withdrawal.destination_hash)
    used = same.filter(client=withdrawal.client).aggregate(
        first=Min("requested_at"), paid=Count("pk", filter=Q(state=WithdrawalState.SETTLED))
    )
    strangers = same.exclude(client=withdrawal.client).order_by().values("client").distinct()[:SHARED_MAX]
    return PayoutAccount(used["first"], used["paid"], len(strangers))


def _restriction_label(kind: str) -> str:
    return str(RestrictionKind(kind).label) if kind in RestrictionKind.values else kind
