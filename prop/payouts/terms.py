"""What a funded account's trader may be paid, and from which day on: the version's split and schedule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Final

from crm.money.amounts import from_minor, quantize
from prop.challenges.returned_fees import COUNTED, unrefunded
from prop.choices import PayoutState
from prop.judge.days import ServerDays, to_msc
from prop.judge.state import State
from prop.models import ChallengeDay, PhaseAccount
from prop.payouts.rows import payouts_of

# The withdrawal of a payout on the platform: the judge knows its deal by the operation's reference.
OPERATION_KEY: Final = "challenge-payout:"
OPEN: Final = (PayoutState.REQUESTED, PayoutState.SENDING)


def share_of(profit: Decimal, split: Decimal, currency: str) -> Decimal:
    """Compute the trader's part of a profit in whole units of its currency; a fraction of a unit goes to the trader.

    The broker keeps the rest, so both parts are always the profit.
    """
    return min(profit, quantize(profit * split / 100, currency, ROUND_CEILING))


def state_of(row: PhaseAccount) -> State | None:
    """Read the judge's state of an account; None before it was judged."""
    return State.from_json(row.judged["state"]) if row.judged else None


def profit_of(row: PhaseAccount) -> Decimal:
    """Compute the closed profit since the last payout, as judged: without deposits and withdrawals, below zero after losses."""
    state, challenge = state_of(row), row.challenge
    return Decimal(0) if state is None else from_minor(state.balance, challenge.currency) - challenge.balance


def refund_of(row: PhaseAccount) -> Decimal:
    """Return the fees that the next payout refunds, where the version says so: with the first one the challenge's own, and those of
    challenges that were merged into it before theirs was refunded."""
    return unrefunded(row.challenge)


def server_day(row: PhaseAccount, at: dt.datetime) -> dt.date:
    """Return the day of an instant by the clock of the account's server."""
    return dt.date.fromordinal(ServerDays(row.account.server.time_zone).day(to_msc(at)))


def next_payout_on(
    row: PhaseAccount, *, but: int | None = None, days: Sequence[ChallengeDay] | None = None
) -> dt.date | None:
    """Find the server day from which a payout may be requested: so many days after the first trade or the last request.

    but: the payout itself, when it is reviewed. days: the account's, where they were read already. None before the first trade.
    """
    requested = [each.requested_on for each in payouts_of(row) if each.state in COUNTED and each.pk != but]
    begun: dt.date | None
    if requested:
        begun = max(requested)
    elif days is not None:
        begun = next((day.day for day in days if day.trades), None)
    else:
        begun = row.days.filter(trades__gt=0).order_by("day").values_list("day", flat=True).first()
    return begun + dt.timedelta(days=row.challenge.version.payout_days) if begun else None
