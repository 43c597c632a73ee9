"""How far a phase is: its target, what may still be lost, its days. From the account as it was last read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.db.prepared import ByKey
from crm.i18n import formats
from crm.money.amounts import from_minor
from prop.choices import LossBy, MaxLoss, StageState
from prop.models import ChallengeDay, PhaseAccount

NEAR = Decimal("0.8")
DAYS: Final = ByKey(lambda: ChallengeDay.objects.defer("checkpoint").order_by("day"), "phase_account_id")


@dataclass(frozen=True, slots=True)
class Objective:
    """One bar: what is used or reached of what. tone: good once reached, warning from 80 % of a limit on, bad at it."""

    label: str
    value: Decimal
    most: Decimal
    text: str
    tone: str = ""


def days_of(row: PhaseAccount) -> list[ChallengeDay]:
    """List an account's server days in their order, as pages show them: without the judge's state of each."""
    return DAYS.all(phase_account_id=row.pk)


def objectives_of(row: PhaseAccount, days: Sequence[ChallengeDay] | None = None) -> list[Objective]:
    """List the bars of a phase that has begun; none before the account was read with its starting balance.

    `days`: the account's, where they were read already.
    """
    begun, read = row.started_at, row.account.synced_at
    if row.state == StageState.OPENING or begun is None or read is None or read < begun:
        return []
    account, phase, start, currency = row.account, row.phase, row.challenge.balance, row.challenge.currency
    equity, size = account.equity - set_aside(row), row.size
    days = days_of(row) if days is None else days
    bars: list[Objective] = []
    if phase.target is not None:
        wanted, profit = start * phase.target / 100, account.balance - start
        bars.append(
            Objective(
                _("Profit target"),
                min(max(profit, Decimal(0)), wanted),
                wanted,
                _("%(profit)s of %(target)s")
                % {"profit": formats.money(profit, currency), "target": formats.money(wanted, currency)},
                "success" if profit >= wanted else "",
            )
        )
    if phase.daily_loss is not None and days:
        today = days[-1]
        base = today.opening_equity if phase.daily_loss_by == LossBy.EQUITY else today.opening_balance
        bars.append(_loss(_("Daily loss"), base - equity, size * phase.daily_loss / 100, currency))
    if phase.max_loss_kind == MaxLoss.STATIC or days:
        floor = floor_of(row, days)
        limit = size * phase.max_loss / 100
        bars.append(_loss(_("Maximum loss"), limit - (equity - floor), limit, currency))
    if phase.min_days:
        traded = sum(1 for day in days if day.trades)
        text = ngettext("%(traded)s of %(days)s day", "%(traded)s of %(days)s days", phase.min_days)
        bars.append(
            Objective(
                _("Trading days"),
                Decimal(min(traded, phase.min_days)),
                Decimal(phase.min_days),
                text % {"traded": traded, "days": phase.min_days},
                "success" if traded >= phase.min_days else "",
            )
        )
    return bars


def set_aside(row: PhaseAccount) -> Decimal:
    """Return what the judge doesn't count as profit or loss: deposits, withdrawals and what scaling added."""
    minor = row.judged["state"]["aside"] if row.judged else 0
    return from_minor(minor, row.challenge.currency)


def floor_of(row: PhaseAccount, days: Sequence[ChallengeDay]) -> Decimal:
    """Compute the equity at which the maximum loss is reached, by the highest value of the days known."""
    return floors_of(row, days)[-1]


def floors_of(row: PhaseAccount, days: Sequence[ChallengeDay]) -> list[Decimal]:
    """Compute the equity at which the maximum loss is reached: at the start, and after each of the days in their order."""
    phase, start = row.phase, row.challenge.balance
    value = {MaxLoss.TRAILING_BALANCE: "closing_balance", MaxLoss.TRAILING_EQUITY: "highest_equity"}
    name = value.get(MaxLoss(phase.max_loss_kind))
    tops = accumulate((getattr(day, name) if name else start for day in days), max, initial=start)
    limit = row.size * phase.max_loss / 100
    return [min(top - limit, start) if phase.locks_at_start else top - limit for top in tops]


def _loss(label: str, lost: Decimal, limit: Decimal, currency: str) -> Objective:
    used = min(max(lost, Decimal(0)), limit)
    tone = "danger" if used >= limit else "warning" if used >= limit * NEAR else ""
    text = _("%(left)s of %(limit)s left") % {
        "left": formats.money(limit - used, currency),
        "limit": formats.money(limit, currency),
    }
    return Objective(label, used, limit, text, tone)
