"""Fees that go back: which a payout refunds, and who hears that a challenge's fee isn't the broker's any more."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Final

from django.db.models import Sum

from crm.events import ChallengeFeeReturned, publish_many
from prop.choices import MergeState, PayoutState
from prop.models import AccountMerge, Challenge, ChallengePayout

COUNTED: Final = (PayoutState.REQUESTED, PayoutState.SENDING, PayoutState.PAID)
REFUNDED, CHARGED_BACK = "refunded", "charged_back"


def with_merged(challenge: Challenge) -> set[int]:
    """Return a challenge and all whose accounts were merged into its own, one after another."""
    found, newest = {challenge.pk}, {challenge.pk}
    while newest:
        merged = AccountMerge.objects.filter(kept__challenge__in=newest, state=MergeState.MERGED)
        newest = set(merged.values_list("closed__challenge_id", flat=True)) - found
        found |= newest
    return found


def unrefunded(challenge: Challenge) -> Decimal:
    """Compute the fees that no payout has refunded, of a challenge and those merged into it; 0 where the version refunds none."""
    if not challenge.version.refunds_fee:
        return Decimal(0)
    whose = with_merged(challenge)
    paid = Challenge.objects.filter(pk__in=whose).aggregate(total=Sum("price"))["total"]
    payouts = ChallengePayout.objects.filter(challenge__in=whose, state__in=COUNTED)
    refunded = payouts.aggregate(total=Sum("refund"))["total"] or Decimal(0)
    return Decimal(paid) - refunded


def publish_returned(challenge_ids: Collection[int], *, because: str) -> None:
    """Publish that the fees of challenges were returned; who hears it twice changes nothing."""
    publish_many(
        [
            ChallengeFeeReturned(
                client_id=challenge.client_id,
                brand_id=challenge.brand_id,
                challenge_id=challenge.pk,
                amount=challenge.price,
                currency=challenge.currency,
                sold_at=challenge.bought_at,
                cause=because,
            )
            for challenge in Challenge.objects.filter(pk__in=challenge_ids).order_by("pk")
        ]
    )
