"""Who may handle bank statements and send payment files."""

from __future__ import annotations

from crm.models import Actor
from crm.security.policies import Decision
from wallet.core.policies import on_whole_brand
from wallet.models import Psp


def can_handle_bank(user: Actor, psp: Psp) -> Decision:
    """Allow importing an account's statements and assigning their entries, on the whole brand."""
    return on_whole_brand(user, psp, "wallet.handle_bank_entries")


def can_send_bank_orders(user: Actor, psp: Psp) -> Decision:
    """Allow making and sending an account's payment files, on the whole brand."""
    return on_whole_brand(user, psp, "wallet.send_bank_orders")
