"""How much a client may still withdraw at their KYC level: in total, and in 30 days."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from clients.models import Client
from crm.money.amounts import Money, from_minor
from kyc.levels.ladder import allowance_of
from wallet.choices.withdrawals import Purpose, WithdrawalState
from wallet.models import Withdrawal

DAYS: Final = 30
# Money that never left, or that came back.
RETURNED: Final = (
    WithdrawalState.REJECTED,
    WithdrawalState.CANCELLED,
    WithdrawalState.FAILED,
    WithdrawalState.CAME_BACK,
)


def left_to_withdraw(client: Client, *, but: Withdrawal | None = None) -> Money | None:
    """Return how much the level still allows, in the brand's base currency; None without a limit. No query then.

    but: a withdrawal to leave out, with the other parts of its request. The client's brand is loaded.
    """
    level, currency = allowance_of(client), client.brand.base_currency
    rows = Withdrawal.objects.filter(client=client, purpose=Purpose.WITHDRAWAL).exclude(state__in=RETURNED)
    if but is not None:
        rows = rows.exclude(request_reference=but.request_reference)
    recent = rows.filter(requested_at__gt=timezone.now() - dt.timedelta(days=DAYS))
    limits = [(level.withdrawals_max_minor, rows), (level.withdrawals_30_days_max_minor, recent)]
    left = [from_minor(minor, currency) - _sum(of) for minor, of in limits if minor is not None]
    return Money(max(min(left), Decimal(0)), currency) if left else None


def _sum(rows: QuerySet[Withdrawal]) -> Decimal:
    return rows.filter(~Q(base_amount=None)).aggregate(total=Sum("base_amount"))["total"] or Decimal(0)
