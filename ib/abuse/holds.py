"""Whether payouts wait because of a review."""

from __future__ import annotations

from django.db.models import Q

from ib.abuse.choices import AbuseState
from ib.brand_policies import REFERRAL_HOLD
from ib.models import Partner, ReferralReview


def is_held(partner: Partner) -> bool:
    """Check for a review that holds a partner's payouts: open where the brand's policy says so, or confirmed and not released."""
    held = Q(state=AbuseState.ABUSE, released_at__isnull=True)
    if REFERRAL_HOLD.of(partner.brand):
        held |= Q(state=AbuseState.OPEN)
    return ReferralReview.objects.filter(held, partner=partner).exists()
