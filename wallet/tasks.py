"""Thin Celery entry points of the wallet, and what beat runs. Every task may run twice."""

from __future__ import annotations

import logging
from collections.abc import Callable

from celery import shared_task

from wallet import deposits, inbox, payouts, seals, transfers
from wallet.choices import WithdrawalState

logger = logging.getLogger(__name__)


@shared_task
def process_webhook(message_id: int) -> str:
    return inbox.process_webhook(message_id)


@shared_task
def send_payout(withdrawal_id: int) -> str:
    return payouts.send_payout(withdrawal_id)


@shared_task
def look_up_payout(withdrawal_id: int) -> str:
    return payouts.look_up_payout(withdrawal_id)


@shared_task
def look_up_deposit(deposit_id: int) -> str:
    return deposits.look_up_deposit(deposit_id).state


@shared_task
def continue_work() -> int:
    """What a crash, a lost webhook or an absent broker left: webhooks, payouts, open deposits and transfers."""
    steps: list[tuple[Callable[[int], object], int]] = [(inbox.process_webhook, pk) for pk in inbox.due_webhooks()]
    for withdrawal_id, state in payouts.due_payouts():
        step = payouts.send_payout if state == WithdrawalState.APPROVED else payouts.look_up_payout
        steps.append((step, withdrawal_id))
    steps += [(deposits.look_up_deposit, pk) for pk in deposits.due_deposits()]
    for do, pk in steps:
        try:
            do(pk)
        except Exception:  # one bad row must not keep the others waiting
            logger.exception("%s(%s) failed; it is due again", do.__name__, pk)
    return len(steps) + transfers.mirror_operations()


@shared_task
def seal_ledger() -> int | None:
    seal = seals.seal_pending()
    return seal.pk if seal else None


SCHEDULE = {
    "wallet-continue": {"task": "wallet.tasks.continue_work", "schedule": 5.0, "options": {"expires": 5}},
    "wallet-seal-ledger": {"task": "wallet.tasks.seal_ledger", "schedule": 300.0, "options": {"expires": 300}},
}
