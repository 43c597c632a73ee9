"""Thin Celery entry points of the wallet, and its schedule. Every task may run twice."""

from __future__ import annotations

from celery import shared_task

from crm.queue.for_each import for_each_isolated
from wallet import reconciliation
from wallet.bank import entries
from wallet.bonuses import ending
from wallet.choices.withdrawals import WithdrawalState
from wallet.closing import client_money, periods
from wallet.deposits import unverified
from wallet.deposits import verbs as deposits
from wallet.disputes import verbs as disputes
from wallet.ledger import posting, seals
from wallet.opening_balances import posting as opening_balances
from wallet.reconciliation import announced_reports, source_runs
from wallet.statement_formats import workbooks
from wallet.transfers import rate_watch
from wallet.transfers import verbs as transfers
from wallet.webhooks import processing as inbox
from wallet.webhooks import refused
from wallet.withdrawals import refund_claims, sending


@shared_task
def process_webhook(message_id: int) -> str:
    """Process one webhook of the inbox."""
    return inbox.process_webhook(message_id)


@shared_task
def expire_refused_webhooks() -> int:
    """Delete stored webhooks that were refused and are old enough."""
    return refused.expire_refused()


@shared_task
def process_due_webhooks() -> int:
    """Process the webhooks that are due."""
    return inbox.process_due_webhooks()


@shared_task
def send_payout(withdrawal_id: int) -> str:
    """Send an approved payout to its PSP, once."""
    return sending.send_payout(withdrawal_id)


@shared_task
def look_up_payout(withdrawal_id: int) -> str:
    """Look up a payout at its PSP."""
    return sending.look_up_payout(withdrawal_id)


@shared_task
def look_up_deposit(deposit_id: int) -> str:
    """Look up a deposit at its PSP."""
    return deposits.look_up_deposit(deposit_id).state


@shared_task
def fetch_report(report_id: int) -> str:
    """Fetch and import an announced report."""
    return announced_reports.fetch_report(report_id)


@shared_task
def fetch_due_reports() -> int:
    """Fetch announced reports that are due: again after a failure, or those that a crash or an absent broker left."""
    return for_each_isolated(announced_reports.fetch_report, announced_reports.due_reports())


@shared_task
def look_for_missing_reports() -> int:
    """Note reports that are overdue."""
    return announced_reports.note_missing_reports()


@shared_task
def drop_old_workbooks() -> int:
    """Delete cells of workbooks that were stored longer than a table may wait."""
    return workbooks.drop_old()


@shared_task
def continue_work() -> int:
    """Continue what a crash, a lost webhook or an absent broker left: webhooks, payouts, open deposits and transfers."""
    done = for_each_isolated(inbox.process_webhook, inbox.due_webhooks())
    done += for_each_isolated(_continue_payout, sending.due_payouts())
    done += for_each_isolated(deposits.look_up_deposit, deposits.due_deposits())
    done += for_each_isolated(entries.apply_entry, entries.due_entries(limit=200))
    done += posting.release_expired() + periods.continue_closings()
    return done + transfers.mirror_operations()


def _continue_payout(due: tuple[int, str]) -> str:
    withdrawal_id, state = due
    return (sending.send_payout if state == WithdrawalState.APPROVED else sending.look_up_payout)(withdrawal_id)


@shared_task
def remind_of_disputes() -> int:
    """Remind finance of disputes whose answer is due soon."""
    return for_each_isolated(disputes.remind, disputes.disputes_to_remind_of())


@shared_task
def name_unclaimed_refunds() -> int:
    """Notify finance of refunds that clients didn't claim in time."""
    return for_each_isolated(refund_claims.name_unclaimed, refund_claims.due_claims())


@shared_task
def end_unverified_terms() -> int:
    """End the terms for verification that are over."""
    return for_each_isolated(unverified.end_term, unverified.due_terms())


@shared_task
def end_bonuses() -> int:
    """Release or expire bonuses whose day has come."""
    return for_each_isolated(ending.end_in_time, ending.due_bonuses())


@shared_task
def post_opening_balances(opening_id: int) -> int:
    """Post approved opening balances."""
    return opening_balances.post_opening_balances(opening_id)


@shared_task
def post_due_opening_balances() -> int:
    """Go on with opening balances whose posting was interrupted."""
    return for_each_isolated(opening_balances.post_opening_balances, opening_balances.due_openings())


@shared_task
def seal_ledger() -> int | None:
    """Seal what was posted since the last seal."""
    seal = seals.seal_pending()
    return seal.pk if seal else None


@shared_task
def open_months() -> int:
    """Create the missing months of all brands."""
    return periods.open_months_of_all()


@shared_task
def run_sources() -> int:
    """Compare every source with the ledger, for the days that are over."""
    return source_runs.run_due()


@shared_task
def match_again() -> int:
    """Match the open breaks of PSPs again: a movement that was booked meanwhile may explain one."""
    return for_each_isolated(reconciliation.rematch, reconciliation.with_open_breaks())


@shared_task
def compute_client_money() -> int:
    """Compute client money of the days that are over."""
    return client_money.run_due()


@shared_task
def fetch_rates() -> int:
    """Fetch new rates of every feed; finance is notified of a stale feed."""
    return rate_watch.refresh()


WITHOUT_BROKER = ("process_due_webhooks", "continue_work")
SCHEDULE = {
    "wallet-drop-old-workbooks": {"task": "wallet.tasks.drop_old_workbooks", "schedule": 24 * 3600.0},
    "wallet-fetch-rates": {
        "task": "wallet.tasks.fetch_rates",
        "schedule": 300.0,
        "options": {"expires": 300, "queue": "slow"},
    },
    "wallet-client-money": {
        "task": "wallet.tasks.compute_client_money",
        "schedule": 900.0,
        "options": {"expires": 900, "queue": "slow"},
    },
    "wallet-run-sources": {
        "task": "wallet.tasks.run_sources",
        "schedule": 900.0,
        "options": {"expires": 900, "queue": "slow"},
    },
    "wallet-match-again": {
        "task": "wallet.tasks.match_again",
        "schedule": 3600.0,
        "options": {"expires": 3600, "queue": "slow"},
    },
    "wallet-fetch-reports": {
        "task": "wallet.tasks.fetch_due_reports",
        "schedule": 60.0,
        "options": {"expires": 60, "queue": "slow"},
    },
    "wallet-look-for-reports": {
        "task": "wallet.tasks.look_for_missing_reports",
        "schedule": 24 * 3600.0,
        "options": {"queue": "slow"},
    },
    "wallet-open-months": {"task": "wallet.tasks.open_months", "schedule": 300.0, "options": {"expires": 300}},
    "wallet-remind-of-disputes": {
        "task": "wallet.tasks.remind_of_disputes",
        "schedule": 900.0,
        "options": {"expires": 900},
    },
    "wallet-name-unclaimed-refunds": {
        "task": "wallet.tasks.name_unclaimed_refunds",
        "schedule": 900.0,
        "options": {"expires": 900},
    },
    "wallet-end-unverified-terms": {
        "task": "wallet.tasks.end_unverified_terms",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "wallet-end-bonuses": {"task": "wallet.tasks.end_bonuses", "schedule": 300.0, "options": {"expires": 300}},
    "wallet-expire-refused-webhooks": {
        "task": "wallet.tasks.expire_refused_webhooks",
        "schedule": 24 * 3600.0,
        "options": {"queue": "slow"},
    },
    "wallet-continue": {"task": "wallet.tasks.continue_work", "schedule": 5.0, "options": {"expires": 5}},
    "wallet-post-opening-balances": {
        "task": "wallet.tasks.post_due_opening_balances",
        "schedule": 30.0,
        "options": {"expires": 30, "queue": "slow"},
    },
    "wallet-seal-ledger": {"task": "wallet.tasks.seal_ledger", "schedule": 300.0, "options": {"expires": 300}},
}
