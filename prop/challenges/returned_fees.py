"""Fees that go back: which a payout refunds, and who hears that a challenge's fee isn't the broker's any more."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Final

from django.db.models import Sum

from crm.events import ChallengeFeeReturned, publish_many
from prop.choices import MergeState, PayoutState
from prop.models import Challenge
from prop.payouts.rows import PAYOUTS, merges_into

COUNTED: Final = (PayoutState.REQUESTED, PayoutState.SENDING, PayoutState.PAID)
REFUNDED, CHARGED_BACK = "refunded", "charged_back"


def with_merged(challenge: Challenge) -> set[int]:
    """Return a challenge and all whose accounts were merged into its own, one after another."""
    found, newest = {challenge.pk}, {challenge.pk}
    while newest:
        merged = [merge for pk in newest for merge in merges_into(pk) if merge.state == MergeState.MERGED]
        newest = {merge.closed.challenge_id for merge in merged} - found
        found |= newest
    return found


def unrefunded(challenge: Challenge) -> Decimal:
    """Compute the fees that no payout has refunded, of a challenge and those merged into it; 0 where the version refunds none."""
    if not challenge.version.refunds_fee:
        return Decimal(0)
    whose, paid = with_merged(challenge), challenge.price
    if len(whose) > 1:
        paid = Challenge.objects.filter(pk__in=whose).aggregate(total=Sum("price"))["total"]
    payouts = [payout for pk in whose for payout in PAYOUTS.all(challenge_id=pk) if payout.state in COUNTED]
    return Decimal(paid) - sum((payout.refund for payout in payouts), Decimal(0))


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
