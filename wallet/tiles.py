"""Counts beside the wallet's menu entries, each from a few indexed rows."""

from __future__ import annotations

from crm.choices import ApprovalState
from crm.models import User
from wallet.choices.withdrawals import WITHDRAWAL_UNDECIDED
from wallet.core.queries import manual_journals_visible_to, withdrawals_visible_to

COUNT_MAX = 100


def withdrawals_to_decide(user: User, most: int) -> int:
    """Count the withdrawals that wait for somebody, up to `most`."""
    return len(
        withdrawals_visible_to(user).filter(state__in=WITHDRAWAL_UNDECIDED, part=1).order_by().values_list("pk")[:most]
    )


def journals_to_post(user: User) -> int | None:
    """Count the manual journals that this person may post: somebody else wrote them."""
    if not user.has_perm("wallet.post_manual_journal"):
        return None
    rows = manual_journals_visible_to(user).filter(state=ApprovalState.PENDING).exclude(requested_by=user)
    return len(rows.order_by().values_list("pk")[:COUNT_MAX]) or None
