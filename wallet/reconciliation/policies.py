"""Who may reconcile, resolve breaks and post them."""

from __future__ import annotations

from typing import Any

from crm.models import Actor, User
from crm.security.policies import Decision
from wallet.bank.policies import can_handle_bank
from wallet.core.policies import on_brand, on_whole_brand
from wallet.models import Break, Psp


def can_reconcile(user: Actor, psp: Psp) -> Decision:
    """Decide who may reconcile a PSP: `wallet.run_reconciliation` on its whole brand."""
    return on_whole_brand(user, psp, "wallet.run_reconciliation")


def can_confirm_report(user: Actor, waiting: Any) -> Decision:
    """Confirm or discard a report or bank statement that doesn't prove its own end: those who may import one of the kind."""
    return can_handle_bank(user, waiting.psp) if waiting.is_statement else can_reconcile(user, waiting.psp)


def sees_waiting_reports(user: User) -> bool:
    """Decide who sees files that wait for a confirmation: those who see reports or bank entries."""
    return bool(user.has_perm("wallet.view_settlementimport") or user.has_perm("wallet.view_bankentry"))


def decides_waiting_reports(user: User) -> bool:
    """Decide who confirms waiting files: those who run the reconciliation or handle bank entries."""
    return bool(user.has_perm("wallet.run_reconciliation") or user.has_perm("wallet.handle_bank_entries"))


def can_resolve(user: Actor, break_: Break) -> Decision:
    """Decide who may resolve a break: `wallet.run_reconciliation` on its brand."""
    return on_brand(user, "wallet.run_reconciliation", break_.brand_id)
