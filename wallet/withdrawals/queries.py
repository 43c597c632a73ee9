"""Reads of withdrawals for those who decide them."""

from __future__ import annotations

from crm.models import User
from wallet.choices.withdrawals import WITHDRAWAL_UNDECIDED
from wallet.core.queries import withdrawals_visible_to
from wallet.models import Withdrawal


def next_to_decide(user: User, withdrawal: Withdrawal) -> int | None:
    """Return the request that waits next after this one in the queue; behind the last one, the first."""
    waiting = (
        withdrawals_visible_to(user)
        .filter(state__in=WITHDRAWAL_UNDECIDED, part=1)
        .exclude(request_reference=withdrawal.request_reference)
    )
    numbers = waiting.order_by("id").values_list("pk", flat=True)
    return numbers.filter(pk__gt=withdrawal.pk).first() or numbers.first()
