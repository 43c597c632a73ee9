"""Completes what a webhook or a look-up leaves open: facts that only the PSP's API has, and captures."""

from __future__ import annotations

from dataclasses import replace

from wallet.choices.deposits import DepositState
from wallet.models import Deposit, Psp
from wallet.movements.psp_records import PspRecords
from wallet.psp.base import PspAdapter
from wallet.psp.values import PaymentView, WebhookEvent

MAY_BE_CAPTURED = (DepositState.CREATED, DepositState.PENDING, DepositState.AUTHORISED)


def captured(psp: Psp, adapter: PspAdapter, view: PaymentView) -> PaymentView:
    """Capture the payment where it waits for it and is exactly the deposit that was intended; return it as it is then.

    A payment of another amount, without a deposit, or of a deposit that has ended stays as it is: the client is not
    charged.
    Not in a transaction. Raises: the adapter's three errors.
    """
    if not view.awaits_capture:
        return view
    deposit = Deposit.objects.filter(psp=psp, reference=view.reference).first()
    if deposit is None or deposit.state not in MAY_BE_CAPTURED:
        return view
    if (deposit.amount_minor, deposit.currency) != (view.amount_minor, view.currency):
        return view
    if deposit.psp_reference and deposit.psp_reference != view.psp_reference:
        return view
    return adapter.capture(view)


def completed(psp: Psp, adapter: PspAdapter, event: WebhookEvent) -> WebhookEvent:
    """Complete an event with what the PSP's own API reports about it. Not in a transaction.

    Raises: the adapter's three errors.
    """
    event = adapter.complete(event, PspRecords(psp))
    if event.payment is None or not event.payment.awaits_capture:
        return event
    return replace(event, payment=captured(psp, adapter, event.payment))
