"""Exchange rates entered by hand, for a currency or a day without a feed: by one person, approved by another.

They are rates like any other: of a day later than the newest known one, never instead of an existing rate, as old as
their day, and the next rate of a feed follows them. Stablecoins need a feed: their prices move at all hours.
"""

from __future__ import annotations

import datetime as dt
import functools
from decimal import Decimal
from typing import Any, Final

from babel.numbers import list_currencies
from django.db import IntegrityError, transaction
from django.db.models import Exists, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Brand, FxRate, User
from crm.rates import fx
from crm.security.policies import Decision, require
from crm.security.scope import reach_of
from wallet.audit_codes import WalletAction
from wallet.choices.notices import WalletNotice
from wallet.models import RateEntry
from wallet.transfers import policies as transfers_policies

SOURCE: Final = "Entered by hand"
FAR_PERCENT: Final = Decimal(5)
DAYS_BACK_MAX: Final = 7
RATE_MAX: Final = Decimal(10) ** 9


def percent_from(rate: Decimal, last: Decimal) -> Decimal:
    """Compute how far a rate is from the last one, in per cent."""
    return (abs(rate / last - 1) * 100).quantize(Decimal("0.01"))


def last_rate(currency: str) -> FxRate | None:
    """Return the newest rate of a currency, None where there is none."""
    return FxRate.objects.filter(currency=currency).order_by("-on").first()


@transaction.atomic
def propose_rate(
    *, currency: str, rate: Decimal, on: dt.date, reason: str, actor: User, is_far: bool = False
) -> RateEntry:
    """Propose a rate for one euro. It counts once another person approves it.

    is_far: the person has confirmed that it is more than five per cent from the last one.
    Who: `wallet.write_journal` at every brand. Raises: NotAllowed, WrongState (one waits), DomainError.
    """
    require(transfers_policies.can_enter_rate(actor))
    last = _check(currency, rate, on)
    if last is not None and percent_from(rate, last.rate) > FAR_PERCENT and not is_far:
        raise DomainError(
            _(
                "This rate is %(percent)s %% away from the last one (%(last)s on %(day)s). Check it, "
                "then confirm the difference."
            )
            % {"percent": percent_from(rate, last.rate), "last": last.rate.normalize(), "day": formats.day(last.on)}
        )
    entry = RateEntry(
        currency=currency, rate=rate, on=on, last_rate=last.rate if last else None, is_far=is_far, reason=reason
    )
    return approvals.propose(entry, actor=actor)


@functools.cache
def _in_use() -> frozenset[str]:
    """List the currencies of states; not the euro, nor ISO's codes for none and for tests."""
    return frozenset(list_currencies()) - {"EUR", "XXX", "XTS"}


def _check(currency: str, rate: Decimal, on: dt.date) -> FxRate | None:
    """Refuse a rate that may not be entered, with DomainError; return the newest known rate."""
    today = timezone.now().date()
    if currency in fx.CRYPTO or currency in fx.HUNDREDTHS or currency not in _in_use():
        raise DomainError(_("Rates for %(currency)s can't be entered by hand.") % {"currency": currency[:5]})
    if not 0 < rate < RATE_MAX or rate != rate.quantize(Decimal("1e-12")):
        raise DomainError(_("Enter a rate above zero with at most twelve decimal places."))
    if not today - dt.timedelta(days=DAYS_BACK_MAX) <= on <= today:
        raise DomainError(_("Enter a day within the last %(days)s days, not in the future.") % {"days": DAYS_BACK_MAX})
    last = last_rate(currency)
    if last is not None and last.on >= on:
        raise DomainError(
            _("There is already a rate for %(day)s from %(source)s. Enter one for a later day.")
            % {"day": formats.day(last.on), "source": last.source}
        )
    return last


class RateApproval(approvals.ApprovalKind[RateEntry]):
    """A rate by hand, which counts for every brand once approved. Who decides reaches all brands."""

    model = RateEntry
    code = "rate-entry"
    label = gettext_lazy("Exchange rate")
    asks, decides = "wallet.write_journal", "wallet.post_manual_journal"
    proposed, approved = WalletAction.RATE_ENTERED, WalletAction.RATE_APPROVED
    rejected, withdrawn = WalletAction.RATE_REFUSED, WalletAction.RATE_WITHDRAWN
    notice = WalletNotice.RATE_ENTERED
    done = gettext_lazy("Rate approved.")
    one_open = ("currency", "on")

    def in_reach(self, rows: QuerySet[RateEntry], user: User) -> QuerySet[RateEntry]:
        return rows.exclude(Exists(Brand.objects.exclude(pk__in=reach_of(user).whole_brands)))

    def reaches(self, user: User, item: RateEntry) -> Decision:
        return transfers_policies.reaches_every_brand(user)

    def apply(self, item: RateEntry, actor: User, **given: Any) -> None:
        """Store the rate.

        Raises: DomainError (a feed has a newer one meanwhile, or its day is too long ago), WrongState.
        """
        last = _check(item.currency, item.rate, item.on)
        if last is not None and percent_from(item.rate, last.rate) > FAR_PERCENT and not item.is_far:
            raise DomainError(
                _("A newer rate has arrived that is far from this one. Reject this one, and enter another.")
            )
        try:
            with transaction.atomic():
                FxRate.objects.create(
                    on=item.on, currency=item.currency, rate=item.rate, source=SOURCE, loaded_at=timezone.now()
                )
        except IntegrityError as problem:
            raise WrongState(_("A feed has just delivered a rate for this day.")) from problem

    def title(self, item: RateEntry) -> LocalizedText:
        return phrase("Exchange rate for %(currency)s") % {"currency": item.currency}

    def url(self, item: RateEntry) -> str:
        return "/money/rates/"

    def changes(self, item: RateEntry) -> list[Change]:
        rows = [
            Change(
                _("Rate per 1 EUR"), formats.number(item.rate, 6), item.last_rate and formats.number(item.last_rate, 6)
            )
        ]
        if item.is_far:
            rows.append(Change(_("Difference"), _("Far from the last rate, confirmed")))
        return [*rows, Change(_("Day"), formats.day(item.on))]

    def after(self, item: RateEntry) -> dict[str, Any]:
        return {"currency": item.currency, "rate": str(item.rate), "on": item.on.isoformat(), "is_far": item.is_far}
