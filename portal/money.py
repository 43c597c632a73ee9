"""How the client portal tells of money on its way: steps, reasons, expected times."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.cache import cache
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from clients.models import Client
from crm.i18n import formats
from crm.money.amounts import Money
from portal import paying
from portal.brand_policies import WITHDRAWAL_EXPECTED_HOURS
from wallet.choices.deposits import DepositState, HoldReason
from wallet.choices.transfers import Direction, TransferState
from wallet.choices.withdrawals import Purpose, WithdrawalState, failure_words, reason_for_client
from wallet.models import BonusGrant, Deposit, Exchange, Transfer, Withdrawal
from wallet.movements.queries import Wallet, wallets_of
from wallet.psp.values import PayBy
from wallet.withdrawals.refund_claims import is_open
from wallet.withdrawals.refundable_deposits import Source

RECENT = 300
SLOWNESS = (
    WithdrawalState.REQUESTED,
    WithdrawalState.AWAITING_SECOND_APPROVAL,
    WithdrawalState.APPROVED,
    WithdrawalState.SENDING,
    WithdrawalState.UNKNOWN,
    WithdrawalState.SENT,
)
MEASURED_FOR_SECONDS = 600
DEPOSIT_OVER = (
    DepositState.SETTLED,
    DepositState.FAILED,
    DepositState.EXPIRED,
    DepositState.HELD,
    DepositState.REFUNDED,
    DepositState.RETURNED,
    DepositState.CHARGED_BACK,
    DepositState.CHARGEBACK_REVERSED,
)


@dataclass(frozen=True)
class StatusText:
    """What a page says about a movement: how far it is, in steps and in a sentence, and whether it still moves."""

    title: str
    text: str
    tone: str
    steps: list[str]
    current: int
    is_moving: bool
    can_cancel: bool = False


def describe_deposit(deposit: Deposit) -> StatusText:
    """Describe to the client how far a deposit is, and what happens next."""
    steps = [_("Started"), _("Paid"), _("In your wallet")]
    amount = formats.money(deposit.credited if deposit.settled_at else deposit.money)
    here = _("This page updates as soon as we receive the money. You can close it.")
    if paying.is_paid_here(deposit):
        waits = here
    elif deposit.pay_by == PayBy.HOSTED_FIELDS:
        waits = _("Enter your card details in the card form. This page updates automatically.")
    else:
        waits = _("Complete the payment on the secure payment page. This page updates automatically.")
    pending = _("Your payment is being processed. You can close this page.")
    authorised = _("Your payment is authorised and will be in your wallet shortly.")
    failed = failure_words(deposit.failure) or _(
        "You haven't been charged. Try again, or choose another payment method."
    )
    held = _held_text(deposit)
    taken = _("Your bank reversed this payment. Please contact support.")
    again = _("You haven't been charged. You can start a new deposit at any time.")
    by_state: dict[str, tuple[str, str, str, int]] = {
        DepositState.CREATED: (_("Waiting for your payment"), waits, "info", 0),
        DepositState.PENDING: (_("On its way"), pending, "info", 1),
        DepositState.AUTHORISED: (_("Authorised"), authorised, "info", 1),
        DepositState.SETTLED: (
            _("%(amount)s is in your wallet") % {"amount": amount},
            _("You can transfer it to a trading account now."),
            "success",
            3,
        ),
        DepositState.FAILED: (_("Payment failed"), failed, "danger", 1),
        DepositState.EXPIRED: (_("Payment expired"), again, "neutral", 0),
        DepositState.HELD: (_("Your payment is under review"), held, "warning", 1),
        DepositState.RETURNED: (
            _("Returned to sender"),
            _("The money was returned to the account or card it came from."),
            "neutral",
            1,
        ),
        DepositState.REFUNDED: (
            _("Refunded"),
            _("The money was returned to the account or card it came from."),
            "neutral",
            3,
        ),
        DepositState.CHARGED_BACK: (_("Reversed by your bank"), taken, "danger", 3),
        DepositState.CHARGEBACK_REVERSED: (
            _("Back in your wallet"),
            _("Your bank has returned the payment to us."),
            "success",
            3,
        ),
    }
    title, text, tone, current = by_state[deposit.state]
    return StatusText(title, text, tone, steps, current, is_moving=deposit.state not in DEPOSIT_OVER)


def _held_text(deposit: Deposit) -> str:
    """Explain why a deposit is held, as far as the client may know."""
    soon = _("We'll review it and get back to you within one working day.")
    if HoldReason.PAYER in deposit.hold_reasons:
        return _("The payment doesn't appear to come from an account in your own name.") + " " + soon
    if HoldReason.COUNTRY in deposit.hold_reasons:
        return _("We don't accept deposits from your country of residence.") + " " + soon
    if HoldReason.LIMIT in deposit.hold_reasons:
        return _("The payment exceeds your deposit limit before verification.") + " " + soon
    if HoldReason.AMOUNT in deposit.hold_reasons or HoldReason.CURRENCY in deposit.hold_reasons:
        return _("The amount we received differs from the amount of your deposit.") + " " + soon
    return soon


def describe_withdrawal(withdrawal: Withdrawal) -> StatusText:
    """Describe to the client how far a withdrawal, or one part of it, is."""
    steps = [_("Requested"), _("Reviewed"), _("Sent"), pgettext("withdrawal", "Paid")]
    wait = expected_payout(withdrawal.client)
    checks = _("We review every withdrawal before we send it, %(wait)s. The money is reserved for you.") % {
        "wait": wait
    }
    soon = _("We'll send it shortly.")
    unknown = _("Waiting for the payment provider to confirm. You don't need to do anything.")
    sent = _("Your withdrawal is being processed. When the money arrives depends on your bank.")
    paid = _("The money has been sent to %(to)s.") % {"to": withdrawal.destination_label}
    back = _("The money is back in your wallet.")
    why = str(reason_for_client(withdrawal.state, withdrawal.reason))
    by_state: dict[str, tuple[str, str, str, int]] = {
        WithdrawalState.REQUESTED: (_("Your withdrawal is under review"), checks, "info", 1),
        WithdrawalState.AWAITING_SECOND_APPROVAL: (_("Your withdrawal is in final review"), checks, "info", 1),
        WithdrawalState.APPROVED: (_("Approved"), soon, "info", 2),
        WithdrawalState.SENDING: (_("Sending"), soon, "info", 2),
        WithdrawalState.UNKNOWN: (_("Sending"), unknown, "info", 2),
        WithdrawalState.SENT: (_("Sent"), sent, "info", 3),
        WithdrawalState.SETTLED: (pgettext("withdrawal", "Paid"), paid, "success", 4),
        WithdrawalState.REJECTED: (_("Declined"), withdrawal.reason, "danger", 1),
        WithdrawalState.CANCELLED: (_("Cancelled by you"), back, "neutral", 0),
        WithdrawalState.FAILED: (_("Withdrawal failed"), f"{why}. {back}" if why else back, "danger", 2),
        WithdrawalState.CAME_BACK: (_("Withdrawal returned"), f"{withdrawal.reason}. {back}", "warning", 4),
    }
    title, text, tone, current = by_state[withdrawal.state]
    open_states = (WithdrawalState.REQUESTED, WithdrawalState.AWAITING_SECOND_APPROVAL)
    return StatusText(
        title,
        text,
        tone,
        steps,
        current,
        is_moving=withdrawal.finished_at is None,
        can_cancel=withdrawal.state in open_states,
    )


def describe_request(parts: Sequence[Withdrawal]) -> StatusText:
    """Describe a withdrawal request as one: while its parts go different ways the slowest counts, and failures are named."""
    states = {part.state for part in parts}
    if parts[0].purpose == Purpose.REFUND:
        return _describe_refund(parts[0])
    if len(states) == 1:
        described = describe_withdrawal(parts[0])
        if len(parts) > 1 and parts[0].state == WithdrawalState.SETTLED:
            described = replace(described, text=_("The full amount has been paid out. See below where each part went."))
        return described
    steps = [_("Requested"), _("Reviewed"), _("Sent"), pgettext("withdrawal", "Paid")]
    moving = [part for part in parts if part.finished_at is None]
    if moving:
        slowest = min(moving, key=lambda part: SLOWNESS.index(part.state))
        described = describe_withdrawal(slowest)
        return replace(described, text=_("Your withdrawal is paid in several parts. See below for the status of each."))
    failed = [part for part in parts if part.state != WithdrawalState.SETTLED]
    back = Money.of_minor(sum(part.amount_minor for part in failed), failed[0].currency)
    text = _("%(back)s couldn't be paid out and is back in your wallet.") % {"back": formats.money(back)}
    return StatusText(_("Partly paid"), text, "warning", steps, 4, is_moving=False)


def _describe_refund(refund: Withdrawal) -> StatusText:
    """We give a deposit back: the client need not do anything, and can't call it off."""
    described = describe_withdrawal(refund)
    to = {"to": refund.destination_label}
    if is_open(refund):
        text = _("Your refund is ready. Enter the address to send it to.")
        return replace(described, title=_("Claim your refund"), text=text, tone="warning", can_cancel=False)
    if refund.finished_at is None:
        text = _("We're refunding your deposit to %(to)s. You don't need to do anything.") % to
        return replace(described, title=_("Refund of your deposit"), text=text, can_cancel=False)
    if refund.state == WithdrawalState.SETTLED:
        return replace(
            described, title=_("Refunded"), text=_("The money was returned to %(to)s.") % to, can_cancel=False
        )
    text = _("Your deposit wasn't refunded. No money was moved.")
    return replace(described, title=_("Not refunded"), text=text, can_cancel=False)


def describe_transfer(transfer: Transfer) -> StatusText:
    """Describe to the client how far a transfer between wallet and trading account is."""
    steps = [_("Started"), _("Confirmed by the platform")]
    account = transfer.trading_account_label
    if transfer.state == TransferState.SETTLED:
        moved = _("%(amount)s was transferred.") % {"amount": formats.money(transfer.money)}
        return StatusText(_("Done"), moved, "success", steps, 2, is_moving=False)
    if transfer.state == TransferState.FAILED:
        text = _(
            "The trading platform declined the transfer. Your money is still in your wallet. Try "
            "again, or contact support."
        )
        if transfer.direction == Direction.TO_WALLET:
            text = _(
                "The trading platform declined the transfer, perhaps because open positions need the "
                "money as margin. Your money is still in the trading account."
            )
        return StatusText(_("Not transferred"), text, "danger", steps, 1, False)
    if transfer.state == TransferState.UNKNOWN:
        text = _(
            "%(account)s hasn't confirmed the transfer yet. We're checking with the platform. The "
            "money can't be moved twice or get lost. You don't need to do anything and can close "
            "this page."
        ) % {"account": account}
        return StatusText(_("Awaiting confirmation"), text, "warning", steps, 1, True)
    text = _("Waiting for %(account)s to confirm. This usually takes a few seconds.") % {"account": account}
    return StatusText(_("On its way"), text, "info", steps, 1, True)


def describe_exchange(exchange: Exchange) -> StatusText:
    """Describe a currency exchange to the client; it is done at once."""
    text = _("%(got)s is in your wallet.") % {"got": formats.money(exchange.got)}
    return StatusText(_("Exchanged"), text, "success", [_("Quoted"), _("Exchanged")], 2, is_moving=False)


def expected_payout(client: Client) -> str:
    """Write how long checking takes now: what four of five recent withdrawals of the brand took, else the brand's promise."""
    key = f"portal:payout-wait:{client.brand_id}"
    hours = cache.get(key)
    if hours is None:
        promised = float(WITHDRAWAL_EXPECTED_HOURS.of(client.brand))
        hours = _measured_hours(client.brand_id) or promised
        cache.set(key, hours, MEASURED_FOR_SECONDS)
    return within(max(math.ceil(hours), 2) * 60) if hours > 1 else _within_hours(1)


def _measured_hours(brand_id: int) -> float | None:
    rows: Any = Withdrawal.objects.order_by("-pk").values_list("brand_id", "requested_at", "approved_at")[:RECENT]
    took = sorted(
        (approved - asked) / dt.timedelta(hours=1) for brand, asked, approved in rows if brand == brand_id and approved
    )
    return took[int(len(took) * 0.8)] if len(took) >= 5 else None


def wallets_with_money(client: Client) -> list[Wallet]:
    """List wallets that a withdrawal can come from; the base currency's first."""
    return [wallet for wallet in wallets_of(client) if wallet.available > 0]


def by_label(sources: Sequence[Source], currency: str) -> list[tuple[str, Money]]:
    """Sum what would be returned first, per card or account, in the order in which it came."""
    sums: dict[str, int] = {}
    for source in sources:
        sums[source.client_label] = sums.get(source.client_label, 0) + source.left_minor
    return [(label, Money.of_minor(minor, currency)) for label, minor in sums.items()]


def bonus_lost(lost: Sequence[tuple[BonusGrant, int]]) -> list[Money]:
    """Credit that a withdrawal would take away, one sum per currency."""
    sums: dict[str, int] = {}
    for grant, minor in lost:
        sums[grant.currency] = sums.get(grant.currency, 0) + minor
    return [Money.of_minor(minor, currency) for currency, minor in sums.items()]


def within(minutes: int) -> str:
    """Write how long something usually takes from when it was sent."""
    if minutes <= 90:
        return ngettext("usually within %(n)s minute", "usually within %(n)s minutes", minutes) % {"n": minutes}
    hours = math.ceil(minutes / 60)
    if hours <= 36:
        return _within_hours(hours)
    days = math.ceil(hours / 24)
    return ngettext("usually within %(n)s day", "usually within %(n)s days", days) % {"n": days}


def _within_hours(hours: int) -> str:
    return ngettext("usually within %(n)s hour", "usually within %(n)s hours", hours) % {"n": hours}
