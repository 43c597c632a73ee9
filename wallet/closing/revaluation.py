"""Month-end revaluation: the broker's FX position, valued at the ECB's rates of the last day.

Whatever clients exchanged went through the FX position: what it got in one currency and gave in another. Its value in
the brand's base currency is the broker's result of the month: a journal moves it from the position in base currency to
"FX gains and losses". One person proposes it, another one posts it (`wallet.ledger.manual_journals`). After that the
position is worth nothing at these rates.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from crm.choices import ApprovalState
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import localize, phrase
from crm.models import User
from crm.money.amounts import Money, quantize, to_minor
from crm.rates import fx
from crm.security.policies import require
from wallet.choices.ledger import AccountKind
from wallet.choices.month_end import PeriodState
from wallet.closing.trial_balance import TrialBalance, trial_balance
from wallet.ledger import posting
from wallet.ledger.manual_journals import JournalDraft, write_journal
from wallet.ledger.policies import can_write_journal
from wallet.ledger.posting import Line
from wallet.models import ManualJournal, Period

KEY = "revaluation"


@dataclass(frozen=True, slots=True)
class Position:
    """One currency of the position: its balance (above zero a credit), the rate into base and its day, the value."""

    currency: str
    balance: Decimal
    rate: Decimal | None
    rate_on: dt.date | None
    worth: Decimal | None


@dataclass(frozen=True, slots=True)
class Revaluation:
    """A month's positions. `result`: what must be posted; above zero a gain. None while a rate is missing."""

    base: str
    positions: tuple[Position, ...]
    posted: Decimal
    waiting: ManualJournal | None

    @property
    def missing(self) -> list[str]:
        return [position.currency for position in self.positions if position.worth is None]

    @property
    def result(self) -> Decimal | None:
        if self.missing:
            return None
        total = sum((position.worth for position in self.positions if position.worth is not None), Decimal(0))
        return quantize(total, self.base)

    @property
    def is_fine(self) -> bool:
        return self.result == 0

    @property
    def result_money(self) -> Money | None:
        return None if self.result is None else Money(self.result, self.base)


def revaluation_of(period: Period, trial: TrialBalance | None = None) -> Revaluation:
    """Compute the revaluation from the month's trial balance; without positions while the month before is open."""
    trial = trial or trial_balance(period)
    base, rows = period.brand.base_currency, [row for part in trial.parts for row in part.rows]
    posted = sum((row.credits - row.debits for row in rows if row.kind == AccountKind.FX_RESULT), Decimal(0))
    held = {row.currency: row.closing for row in rows if row.kind == AccountKind.FX_POSITION and row.closing}
    rates = fx.rates_into(base, held, on=period.last_day) if held else {}
    positions = [_position(currency, balance, base, rates[currency]) for currency, balance in held.items()]
    return Revaluation(base, tuple(positions), posted, _waiting(period))


def _position(currency: str, balance: Decimal, base: str, rate: fx.Rate | None) -> Position:
    if rate is None:
        return Position(currency, balance, None, None, None)
    return Position(
        currency, balance, rate.rate.quantize(Decimal("1e-8")), rate.on, quantize(balance * rate.rate, base)
    )


def _waiting(period: Period) -> ManualJournal | None:
    return (
        ManualJournal.objects.filter(
            brand_id=period.brand_id, state=ApprovalState.PENDING, request_key__startswith=f"{KEY}:{period}:"
        )
        .order_by("-id")
        .first()
    )


@transaction.atomic
def propose_revaluation(*, period_id: int, actor: User) -> ManualJournal:
    """Propose the month's revaluation journal, dated its last day; it waits for a second person.

    Who: `wallet.write_journal` on the brand. Raises: NotAllowed, WrongState, DomainError (a rate is missing, nothing
    to post).
    """
    period = lock(Period, period_id, "brand")
    require(can_write_journal(actor, period.brand_id))
    if period.state != PeriodState.OPEN:
        raise WrongState(_("%(month)s is “%(state)s”.") % {"month": period, "state": period.get_state_display()})
    revaluation = revaluation_of(period)
    if revaluation.waiting is not None:
        raise WrongState(_("%(journal)s is already awaiting second approval.") % {"journal": revaluation.waiting})
    if revaluation.missing:
        raise DomainError(
            _("No reference rate for %(currencies)s. Load rates or bring the position to zero.")
            % {"currencies": ", ".join(revaluation.missing)}
        )
    if not revaluation.result:
        raise DomainError(_("The FX position is zero at these rates. Nothing to post."))
    minor = to_minor(revaluation.result, revaluation.base)
    position, result = (
        posting.house(kind, brand_id=period.brand_id, currency=revaluation.base)
        for kind in (AccountKind.FX_POSITION, AccountKind.FX_RESULT)
    )
    lines = [Line(position, -minor), Line(result, minor)]
    rates = ", ".join(
        f"{part.currency} {part.rate} ({part.rate_on})"
        for part in revaluation.positions
        if part.currency != revaluation.base
    )
    tries = ManualJournal.objects.filter(brand_id=period.brand_id, request_key__startswith=f"{KEY}:{period}:").count()
    return write_journal(
        brand_id=period.brand_id,
        draft=JournalDraft(
            lines=lines,
            business_on=period.last_day,
            reason=localize(
                phrase("FX revaluation %(month)s at ECB rates: %(rates)s") % {"month": period, "rates": rates}
            ),
        ),
        actor=actor,
        request_key=f"{KEY}:{period}:{tries + 1}",
    )
