"""Exchange rates entered by hand, for a currency or a day that no feed gives: by one person, approved by another.

They are rates like any other: of a day later than the newest known one, never in the place of a rate that is there, as old as
their day, and the next rate of a feed follows them. Stablecoins need a feed: their prices move at all hours.
"""

from __future__ import annotations

import datetime as dt
import functools
from decimal import Decimal
from typing import Final

from babel.numbers import list_currencies
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit_codes import AuditCode
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import phrase
from crm.models import Actor, FxRate, User
from crm.notices.notify import notify, people_with
from crm.rates import fx
from crm.security import audit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.choices.approvals import RequestState
from wallet.core import policies
from wallet.models import RateEntry
from wallet.transfers import policies as transfers_policies

SOURCE: Final = "Entered by hand"
FAR_PERCENT: Final = Decimal(5)
DAYS_BACK_MAX: Final = 7
RATE_MAX: Final = Decimal(10) ** 9


def percent_from(rate: Decimal, last: Decimal) -> Decimal:
    """How far a rate is from the last one, in per cent."""
    return (abs(rate / last - 1) * 100).quantize(Decimal("0.01"))


def last_rate(currency: str) -> FxRate | None:
    return FxRate.objects.filter(currency=currency).order_by("-on").first()


@transaction.atomic
def propose_rate(
    *, currency: str, rate: Decimal, on: dt.date, reason: str, actor: User, is_far: bool = False
) -> RateEntry:
    """Write down a rate for one euro. It counts once another person approves it.

    is_far: the person has seen that it is more than five per cent from the last one.
    Who: `wallet.write_journal` at every brand. Raises: NotAllowed, WrongState (one waits), DomainError.
    """
    require(transfers_policies.can_enter_rate(actor))
    if not reason.strip():
        raise DomainError(_("Enter a reason."))
    last = _check(currency, rate, on)
    if last is not None and percent_from(rate, last.rate) > FAR_PERCENT and not is_far:
        raise DomainError(
            _(
                "This rate is %(percent)s %% away from the last one, %(last)s of %(day)s. Check it, then confirm the difference."
            )
            % {"percent": percent_from(rate, last.rate), "last": last.rate.normalize(), "day": formats.day(last.on)}
        )
    if RateEntry.objects.filter(currency=currency, on=on, state=RequestState.WAITING).exists():
        raise WrongState(_("A rate of this currency and day is already awaiting second approval."))
    entry = RateEntry.objects.create(
        currency=currency,
        rate=rate,
        on=on,
        last_rate=last.rate if last else None,
        is_far=is_far,
        reason=reason.strip()[:300],
        requested_by=actor,
        requested_at=timezone.now(),
    )
    _record(entry, WalletAction.RATE_ENTERED, actor, reason)
    notify(
        [pk for pk in people_with("wallet.post_manual_journal") if pk != actor.pk],
        kind="wallet.rate_entered",
        title=phrase("An exchange rate for %(currency)s awaits second approval") % {"currency": currency},
        body=entry.reason,
        url="/money/rates/",
        dedupe_key=f"rate-entry:{entry.pk}",
    )
    return entry


@functools.cache
def _in_use() -> frozenset[str]:
    """Currencies of states; not the euro, nor ISO's codes for none and for tests."""
    return frozenset(list_currencies()) - {"EUR", "XXX", "XTS"}


def _check(currency: str, rate: Decimal, on: dt.date) -> FxRate | None:
    """The newest known rate. Raises: DomainError for what is no rate that may be entered."""
    today = timezone.now().date()
    if currency in fx.CRYPTO or currency in fx.HUNDREDTHS or currency not in _in_use():
        raise DomainError(_("Rates of %(currency)s can't be entered by hand.") % {"currency": currency[:5]})
    if not 0 < rate < RATE_MAX or rate != rate.quantize(Decimal("1e-12")):
        raise DomainError(_("Enter a rate above zero with at most twelve decimal places."))
    if not today - dt.timedelta(days=DAYS_BACK_MAX) <= on <= today:
        raise DomainError(_("Enter a day of the last %(days)s days, not a day to come.") % {"days": DAYS_BACK_MAX})
    last = last_rate(currency)
    if last is not None and last.on >= on:
        raise DomainError(
            _("There is a rate of %(day)s from %(source)s. Enter one of a later day.")
            % {"day": formats.day(last.on), "source": last.source}
        )
    return last


@transaction.atomic
def approve_rate(*, entry_id: int, actor: User, note: str = "") -> RateEntry:
    """The rate counts from now on.

    Who: `wallet.post_manual_journal` at every brand, and not who entered it.
    Raises: NotAllowed, DomainError (a feed gave a newer one meanwhile, or its day is too long ago).
    """
    entry = _locked(entry_id)
    require(transfers_policies.can_decide_rate(actor, entry))
    last = _check(entry.currency, entry.rate, entry.on)
    if last is not None and percent_from(entry.rate, last.rate) > FAR_PERCENT and not entry.is_far:
        raise DomainError(_("A newer rate arrived that this one is far from. Refuse it, and enter another."))
    try:
        with transaction.atomic():
            FxRate.objects.create(
                on=entry.on, currency=entry.currency, rate=entry.rate, source=SOURCE, loaded_at=timezone.now()
            )
    except IntegrityError as problem:
        raise WrongState(_("A feed gave a rate of this day a moment ago.")) from problem
    _decide(entry, RequestState.APPROVED, actor, note)
    _record(entry, WalletAction.RATE_APPROVED, actor, note)
    return entry


@transaction.atomic
def refuse_rate(*, entry_id: int, actor: User, note: str) -> RateEntry:
    """Who: as for approving. Raises: NotAllowed, DomainError without a note."""
    entry = _locked(entry_id)
    require(transfers_policies.can_decide_rate(actor, entry))
    if not note.strip():
        raise DomainError(_("Enter a reason."))
    _decide(entry, RequestState.REFUSED, actor, note)
    _record(entry, WalletAction.RATE_REFUSED, actor, note)
    return entry


@transaction.atomic
def withdraw_rate(*, entry_id: int, actor: User, note: str = "") -> RateEntry:
    """Who: the one who entered it, while nobody has decided."""
    entry = _locked(entry_id)
    require(policies.can_withdraw(actor, entry))
    _decide(entry, RequestState.WITHDRAWN, actor, note)
    _record(entry, WalletAction.RATE_WITHDRAWN, actor, note)
    return entry


def _locked(entry_id: int) -> RateEntry:
    return RateEntry.objects.select_for_update(of=["self"]).get(pk=entry_id)


def _decide(entry: RateEntry, state: RequestState, actor: Actor, note: str) -> None:
    entry.state, entry.decided_by, entry.decided_at = state, actor, timezone.now()
    entry.decision_note = note.strip()[:300]
    entry.save()


def _record(entry: RateEntry, action: AuditCode, actor: Actor, reason: str) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=entry,
        reason=reason,
        after={"currency": entry.currency, "rate": str(entry.rate), "on": entry.on.isoformat(), "is_far": entry.is_far},
    )
