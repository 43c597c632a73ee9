"""How the trader's room tells of money on its way: steps, reasons, expected times."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.cache import cache
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.models import Client
from crm.i18n import formats
from crm.money.amounts import Money
from portal import paying
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
PROMISED_HOURS = 24
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
    psp = deposit.psp
    here = _("As soon as the money is seen, this page says so. You may close it.")
    if paying.is_paid_here(deposit):
        waits = here
    elif deposit.pay_by == PayBy.HOSTED_FIELDS:
        waits = _("Enter your card in the fields of %(psp)s. Then this page goes on by itself.") % {"psp": psp}
    else:
        waits = _("Pay on the page of %(psp)s. Then this page goes on by itself.") % {"psp": psp}
    pending = _("%(psp)s has your order and waits for the money. You may close this page.") % {"psp": psp}
    authorised = _("Your payment is authorised; it reaches your wallet in a moment.")
    failed = failure_words(deposit.failure) or _("Nothing was charged. Try again, or choose another method.")
    held = _held_text(deposit)
    taken = _("Your bank has taken this payment back. Please write to us.")
    again = _("Nothing was charged. Start again whenever you like.")
    by_state: dict[str, tuple[str, str, str, int]] = {
        DepositState.CREATED: (_("Waiting for your payment"), waits, "info", 0),
        DepositState.PENDING: (_("On its way"), pending, "info", 1),
        DepositState.AUTHORISED: (_("Authorised"), authorised, "info", 1),
        DepositState.SETTLED: (
            _("%(amount)s is in your wallet") % {"amount": amount},
            _("You can move it to a trading account now."),
            "success",
            3,
        ),
        DepositState.FAILED: (_("The payment did not go through"), failed, "danger", 1),
        DepositState.EXPIRED: (_("The payment was not made in time"), again, "neutral", 0),
        DepositState.HELD: (_("We are looking at your payment"), held, "warning", 1),
        DepositState.RETURNED: (_("Sent back"), _("The money went back the way it came."), "neutral", 1),
        DepositState.REFUNDED: (_("Refunded"), _("The money went back the way it came."), "neutral", 3),
        DepositState.CHARGED_BACK: (_("Taken back by your bank"), taken, "danger", 3),
        DepositState.CHARGEBACK_REVERSED: (
            _("In your wallet again"),
            _("Your bank has returned the payment."),
            "success",
            3,
        ),
    }
    title, text, tone, current = by_state[deposit.state]
    return StatusText(title, text, tone, steps, current, is_moving=deposit.state not in DEPOSIT_OVER)


def _held_text(deposit: Deposit) -> str:
    """Explain why a deposit is held, as far as the client may know."""
    soon = _("We check it and write to you within one working day.")
    if HoldReason.PAYER in deposit.hold_reasons:
        return _("The payment does not seem to come from an account in your own name.") + " " + soon
    if HoldReason.LIMIT in deposit.hold_reasons:
        return _("It is more than you can pay in before you are verified.") + " " + soon
    if HoldReason.AMOUNT in deposit.hold_reasons or HoldReason.CURRENCY in deposit.hold_reasons:
        return _("Another amount arrived than was announced.") + " " + soon
    return soon


def describe_withdrawal(withdrawal: Withdrawal) -> StatusText:
    """Describe to the client how far a withdrawal, or one part of it, is."""
    steps = [_("Requested"), _("Checked"), _("Sent"), _("Paid")]
    wait = expected_payout(withdrawal.client)
    checks = _("We check every withdrawal before it leaves, %(wait)s. The money is reserved for you.") % {"wait": wait}
    psp = {"psp": withdrawal.psp}
    soon = _("It is sent to %(psp)s in a moment.") % psp
    unknown = _("We wait for the confirmation of %(psp)s. You need not do anything.") % psp
    sent = _("%(psp)s has it. How long it takes until you have it depends on your bank.") % psp
    paid = _("The money has left for %(to)s.") % {"to": withdrawal.destination_label}
    back = _("The money is in your wallet again.")
    why = str(reason_for_client(withdrawal.state, withdrawal.reason))
    by_state: dict[str, tuple[str, str, str, int]] = {
        WithdrawalState.REQUESTED: (_("We are checking your withdrawal"), checks, "info", 1),
        WithdrawalState.AWAITING_SECOND_APPROVAL: (_("A second colleague is looking at it"), checks, "info", 1),
        WithdrawalState.APPROVED: (_("Approved"), soon, "info", 2),
        WithdrawalState.SENDING: (_("Being sent"), soon, "info", 2),
        WithdrawalState.UNKNOWN: (_("Being sent"), unknown, "info", 2),
        WithdrawalState.SENT: (_("Sent"), sent, "info", 3),
        WithdrawalState.SETTLED: (_("Paid"), paid, "success", 4),
        WithdrawalState.REJECTED: (_("Not possible this time"), withdrawal.reason, "danger", 1),
        WithdrawalState.CANCELLED: (_("Cancelled by you"), back, "neutral", 0),
        WithdrawalState.FAILED: (_("It could not be paid out"), f"{why}. {back}" if why else back, "danger", 2),
        WithdrawalState.CAME_BACK: (_("It came back"), f"{withdrawal.reason}. {back}", "warning", 4),
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
            described = replace(described, text=_("All of it has left; below is what went where."))
        return described
    steps = [_("Requested"), _("Checked"), _("Sent"), _("Paid")]
    moving = [part for part in parts if part.finished_at is None]
    if moving:
        slowest = min(moving, key=lambda part: SLOWNESS.index(part.state))
        described = describe_withdrawal(slowest)
        return replace(described, text=_("Each part goes on its own; below is how each stands."))
    failed = [part for part in parts if part.state != WithdrawalState.SETTLED]
    back = Money.of_minor(sum(part.amount_minor for part in failed), failed[0].currency)
    text = _("%(back)s could not be paid out and is in your wallet again.") % {"back": formats.money(back)}
    return StatusText(_("Paid in part"), text, "warning", steps, 4, is_moving=False)


def _describe_refund(refund: Withdrawal) -> StatusText:
    """We give a deposit back: the client need not do anything, and can't call it off."""
    described = describe_withdrawal(refund)
    to = {"to": refund.destination_label}
    if is_open(refund):
        text = _("Your refund waits for you: say to which address it should go.")
        return replace(described, title=_("Fetch your refund"), text=text, tone="warning", can_cancel=False)
    if refund.finished_at is None:
        text = _("We are giving a deposit back to %(to)s. You need not do anything.") % to
        return replace(described, title=_("Refund of your deposit"), text=text, can_cancel=False)
    if refund.state == WithdrawalState.SETTLED:
        return replace(described, title=_("Refunded"), text=_("The money went back to %(to)s.") % to, can_cancel=False)
    text = _("Your deposit was not given back; the money is where it was.")
    return replace(described, title=_("Not refunded"), text=text, can_cancel=False)


def describe_transfer(transfer: Transfer) -> StatusText:
    """Describe to the client how far a transfer between wallet and trading account is."""
    steps = [_("Started"), _("Confirmed by the platform")]
    account = transfer.trading_account_label
    if transfer.state == TransferState.SETTLED:
        moved = _("%(amount)s was moved.") % {"amount": formats.money(transfer.money)}
        return StatusText(_("Done"), moved, "success", steps, 2, is_moving=False)
    if transfer.state == TransferState.FAILED:
        text = _("The platform did not take it. The money is where it was. Try again, or write to us.")
        if transfer.direction == Direction.TO_WALLET:
            text = _(
                "The platform did not give it, perhaps because open positions need it as margin. The money is where it was."
            )
        return StatusText(_("Not moved"), text, "danger", steps, 1, False)
    if transfer.state == TransferState.UNKNOWN:
        text = _(
            "%(account)s has not confirmed it yet. We look it up there; it is never moved twice, and nothing is lost. "
            "You need not do anything and may close this page."
        ) % {"account": account}
        return StatusText(_("We wait for the platform"), text, "warning", steps, 1, True)
    text = _("We wait for the confirmation of %(account)s. It usually takes a few seconds.") % {"account": account}
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
        promised = float(client.brand.policies.get("withdrawal_expected_hours", PROMISED_HOURS))
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
        sums[source.label] = sums.get(source.label, 0) + source.left_minor
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
