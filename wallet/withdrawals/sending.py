"""Sends an approved withdrawal or refund to its PSP once, and looks it up by our reference when the answer was lost.

Each step is committed before the next, so a process that dies leaves a row that shows how far it came.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import phrase
from crm.models import Actor
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.choices.notices import WalletNotice
from wallet.choices.withdrawals import WithdrawalRoute, WithdrawalState
from wallet.deposits.verbs import lock_deposit
from wallet.models import Withdrawal
from wallet.psp import adapter_of
from wallet.psp.calls import about
from wallet.psp.errors import PspRefused, PspUnknown, PspUnreachable
from wallet.psp.values import PayoutOrder, RefundOrder, SentPayout, TransferView
from wallet.withdrawals import policies, refund_claims
from wallet.withdrawals.destinations import destination_of
from wallet.withdrawals.payout_results import apply_payout, audit_withdrawal, fail, lock_withdrawal
from wallet.withdrawals.refundable_deposits import left_of

LEASE = dt.timedelta(seconds=60)  # a worker that is silent longer is believed dead
UNREACHABLE_WAIT = dt.timedelta(seconds=30)
UNREACHABLE_MAX = dt.timedelta(hours=24)
LOOK_UP_WAITS_SECONDS = (2, 5, 15, 60, 300, 900)  # the last one repeats
# A look-up that finds nothing counts only once the request can't be on its way any more.
BELIEVED_AFTER = dt.timedelta(minutes=2)
STUCK_AFTER_LOOK_UPS = 8


def send_payout(withdrawal_id: int) -> str:
    """Send an approved withdrawal, once; any other is left alone. Called by a worker, not in a transaction."""
    withdrawal = _claim(withdrawal_id)
    if withdrawal is None:
        return Withdrawal.objects.values_list("state", flat=True).get(pk=withdrawal_id)
    return send_claimed(withdrawal)


def send_claimed(withdrawal: Withdrawal) -> str:
    """Send a claimed withdrawal to its PSP, unless its lease ended meanwhile.

    A frozen worker may wake up after its payout was looked up, not found, and given back: then it must not send.
    """
    withdrawal_id = withdrawal.pk
    try:
        with about(withdrawal.reference, not_after=withdrawal.next_look_up_at):
            view = _send(withdrawal)
    except PspRefused as error:
        return _refused(withdrawal_id, error.message)
    except PspUnreachable:
        return _not_begun(withdrawal_id)
    except PspUnknown as error:
        return _lost(withdrawal_id, error.message)
    return _answered(withdrawal_id, view)


def _send(withdrawal: Withdrawal) -> TransferView:
    adapter = adapter_of(withdrawal.psp)
    if withdrawal.way == WithdrawalRoute.REFUND:
        return adapter.refund(_refund_order(withdrawal))
    return adapter.start_payout(
        PayoutOrder(
            reference=withdrawal.reference,
            amount_minor=withdrawal.payout_minor,
            currency=withdrawal.currency,
            destination=destination_of(withdrawal),
            method=withdrawal.method.code if withdrawal.method else "",
            payee_name=withdrawal.client.full_name,
            country=withdrawal.client.country,
        )
    )


def _find(withdrawal: Withdrawal) -> TransferView | None:
    adapter = adapter_of(withdrawal.psp)
    if withdrawal.way == WithdrawalRoute.REFUND:
        return adapter.find_refund(_refund_order(withdrawal))
    return adapter.find_payout(SentPayout(withdrawal.reference, withdrawal.psp_reference, withdrawal.sent_at))


def _refund_order(withdrawal: Withdrawal) -> RefundOrder:
    deposit = withdrawal.source_deposit
    assert deposit is not None
    return RefundOrder(
        reference=withdrawal.reference,
        payment_reference=deposit.reference,
        psp_reference=deposit.psp_reference,
        amount_minor=withdrawal.amount_minor,
        currency=withdrawal.currency,
    )


@transaction.atomic(durable=True)
def _claim(withdrawal_id: int) -> Withdrawal | None:
    """Move a withdrawal from approved to sending: only one worker gets it."""
    withdrawal = lock_withdrawal(withdrawal_id)
    now = timezone.now()
    if withdrawal.state != WithdrawalState.APPROVED:
        return None
    if withdrawal.next_look_up_at is not None and withdrawal.next_look_up_at > now:
        return None
    withdrawal.move_to(WithdrawalState.SENDING)
    if withdrawal.way == WithdrawalRoute.REFUND and _is_gone(withdrawal):
        fail(withdrawal, reason=_("The deposit has since been charged back or refunded"))
        return None
    withdrawal.sent_at, withdrawal.next_look_up_at = now, now + LEASE
    withdrawal.save(update_fields=["state", "sent_at", "next_look_up_at", "updated_at"])
    return withdrawal


def _is_gone(withdrawal: Withdrawal) -> bool:
    """Tell whether a chargeback, or a refund at the PSP, took more of the deposit than this refund leaves."""
    assert withdrawal.source_deposit_id is not None
    return left_of(lock_deposit(pk=withdrawal.source_deposit_id)) < 0


@transaction.atomic(durable=True)
def _answered(withdrawal_id: int, view: TransferView) -> str:
    withdrawal = lock_withdrawal(withdrawal_id)
    apply_payout(psp_id=withdrawal.psp_id, view=view, way=WithdrawalRoute(withdrawal.way))
    _look_again(withdrawal_id)
    return Withdrawal.objects.values_list("state", flat=True).get(pk=withdrawal_id)


@transaction.atomic(durable=True)
def _refused(withdrawal_id: int, words: str) -> str:
    """End a payout that the PSP refused: the money is the client's again."""
    withdrawal = lock_withdrawal(withdrawal_id)
    if withdrawal.state == WithdrawalState.SENDING:
        fail(withdrawal, reason=words)
    return withdrawal.state


@transaction.atomic(durable=True)
def _not_begun(withdrawal_id: int) -> str:
    """Queue the payout again when the PSP wasn't reached, so nothing was sent; fail it after a day."""
    withdrawal = lock_withdrawal(withdrawal_id)
    now = timezone.now()
    if withdrawal.state != WithdrawalState.SENDING:
        return withdrawal.state
    if withdrawal.approved_at is not None and now - withdrawal.approved_at > UNREACHABLE_MAX:
        fail(withdrawal, reason=_("The PSP could not be reached for a day"))
        return withdrawal.state
    withdrawal.move_to(WithdrawalState.APPROVED)
    withdrawal.sent_at = None
    withdrawal.next_look_up_at = now + UNREACHABLE_WAIT
    withdrawal.save(update_fields=["state", "sent_at", "next_look_up_at", "updated_at"])
    return withdrawal.state


@transaction.atomic(durable=True)
def _lost(withdrawal_id: int, words: str) -> str:
    """Mark a payout whose answer was lost as unknown: it is looked up from now on, and never sent again."""
    withdrawal = lock_withdrawal(withdrawal_id)
    if withdrawal.state == WithdrawalState.SENDING:
        withdrawal.move_to(WithdrawalState.UNKNOWN)
        withdrawal.next_look_up_at = timezone.now() + dt.timedelta(seconds=LOOK_UP_WAITS_SECONDS[0])
        withdrawal.save(update_fields=["state", "next_look_up_at", "updated_at"])
        audit.record(
            actor=None,
            action=WalletAction.WITHDRAWAL_UNKNOWN,
            target=withdrawal,
            client_id=withdrawal.client_id,
            brand_id=withdrawal.brand_id,
            after={"reference": withdrawal.reference},
            reason=words,
        )
    return withdrawal.state


# ── look up ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def look_up_payout(withdrawal_id: int) -> str:
    """Look up a payout at the PSP: sent without an answer, unknown, or left by a worker that died."""
    withdrawal = _overdue(withdrawal_id)
    if withdrawal is None:
        return Withdrawal.objects.values_list("state", flat=True).get(pk=withdrawal_id)
    try:
        with about(withdrawal.reference):
            view = _find(withdrawal)
    except (PspRefused, PspUnreachable, PspUnknown):
        return _look_again(withdrawal_id)
    if view is None:
        return _not_there(withdrawal_id)
    return _answered(withdrawal_id, view)


def ask_the_psp(*, withdrawal_id: int, actor: Actor) -> str:
    """Look up a payout for staff who want to know now, with their name in its history. It never sends.

    Who: `wallet.approve_withdrawal` in reach. Raises: NotAllowed.
    """
    with transaction.atomic():
        withdrawal = lock_withdrawal(withdrawal_id)
        require(policies.can_look_up(actor, withdrawal))
        audit_withdrawal(withdrawal, WalletAction.WITHDRAWAL_LOOKED_UP, actor=actor)
    return look_up_payout(withdrawal_id)


def take_refund_back(*, withdrawal_id: int, actor: Actor, reason: str) -> str:
    """Close a refund that the client has not claimed: at the PSP first, which then says whether it was paid after all.

    Who: `wallet.approve_withdrawal` in reach. Not in a transaction. Raises: NotAllowed, WrongState, DomainError (no reason),
    and what the adapter raises: then nothing has changed here.
    """
    if not reason.strip():
        raise DomainError(_("Enter a reason. The client will see it."))
    with transaction.atomic():
        withdrawal = lock_withdrawal(withdrawal_id)
        require(policies.can_look_up(actor, withdrawal))
        if not refund_claims.may_be_closed(withdrawal):
            raise WrongState(_("Nothing to cancel: this refund isn't waiting to be claimed."))
        audit_withdrawal(withdrawal, WalletAction.REFUND_TAKEN_BACK, actor=actor, reason=reason)
    with about(withdrawal.reference):
        adapter_of(withdrawal.psp).withdraw_refund(_refund_order(withdrawal))
    return look_up_payout(withdrawal_id)


@transaction.atomic(durable=True)
def _overdue(withdrawal_id: int) -> Withdrawal | None:
    withdrawal = lock_withdrawal(withdrawal_id)
    if withdrawal.state == WithdrawalState.SENDING:
        if withdrawal.next_look_up_at is not None and withdrawal.next_look_up_at > timezone.now():
            return None  # its worker may still be at it
        withdrawal.move_to(WithdrawalState.UNKNOWN)
        withdrawal.save(update_fields=["state", "updated_at"])
    return withdrawal if withdrawal.state in (WithdrawalState.SENT, WithdrawalState.UNKNOWN) else None


@transaction.atomic
def _look_again(withdrawal_id: int) -> str:
    withdrawal = lock_withdrawal(withdrawal_id)
    if withdrawal.state in (WithdrawalState.SENT, WithdrawalState.UNKNOWN):
        wait = LOOK_UP_WAITS_SECONDS[min(withdrawal.look_ups, len(LOOK_UP_WAITS_SECONDS) - 1)]
        withdrawal.look_ups += 1
        withdrawal.next_look_up_at = timezone.now() + dt.timedelta(seconds=wait)
        withdrawal.save(update_fields=["look_ups", "next_look_up_at", "updated_at"])
        if withdrawal.state == WithdrawalState.UNKNOWN and withdrawal.look_ups == STUCK_AFTER_LOOK_UPS:
            _call_for_help(withdrawal)
    return withdrawal.state


@transaction.atomic(durable=True)
def _not_there(withdrawal_id: int) -> str:
    """Handle a payout that the PSP doesn't know: once nothing can be on its way any more, the money goes back."""
    withdrawal = lock_withdrawal(withdrawal_id)
    settled_down = withdrawal.sent_at is not None and timezone.now() - withdrawal.sent_at > BELIEVED_AFTER
    if withdrawal.state == WithdrawalState.UNKNOWN and settled_down:
        fail(withdrawal, reason=_("The PSP never received the payout"))
        return withdrawal.state
    return _look_again(withdrawal_id)


def _call_for_help(withdrawal: Withdrawal) -> None:
    notify(
        people_with("wallet.approve_withdrawal", brand_id=withdrawal.brand_id),
        kind=WalletNotice.PAYOUT_UNKNOWN,
        title=phrase("The result of payout %(reference)s is still unknown") % {"reference": withdrawal.reference},
        body=(
            phrase("It is checked repeatedly and never sent twice. Contact %(psp)s, and enter the result on this page.")
            % {"psp": withdrawal.psp}
        ),
        url=f"/money/withdrawals/{withdrawal.pk}/",
        dedupe_key=f"payout-unknown:{withdrawal.pk}",
    )


def due_payouts(*, limit: int = 100) -> list[tuple[int, str]]:
    """List the withdrawals that wait for a worker: to be sent, or to be looked up."""
    return list(
        Withdrawal.objects.filter(next_look_up_at__lte=timezone.now())
        .order_by("next_look_up_at")
        .values_list("pk", "state")[:limit]
    )
