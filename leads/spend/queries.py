"""What campaigns cost by day, for pages that set it against what they brought."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from decimal import Decimal

from django.db.models import Count, Q, Sum

from leads.models import CampaignSpend


def spent_by_campaign(
    campaign_ids: Collection[int], first: dt.date, last: dt.date, country: str = ""
) -> dict[int, Decimal | None]:
    """Return what was spent on campaigns in some days; a campaign without any spend by day, ever, isn't in it.

    Of a single country: None where a part of the campaign's spend isn't reported by country.
    """
    within = Q(day__gte=first, day__lte=last)
    of_country = within & Q(country=country) if country else within
    rows = (
        CampaignSpend.objects.filter(campaign_id__in=campaign_ids)
        .order_by()
        .values("campaign_id")
        .annotate(
            total=Sum("amount", filter=of_country, default=Decimal(0)),
            unreported=Count("pk", filter=within & Q(country="")),
        )
    )
    return {row["campaign_id"]: None if country and row["unreported"] else row["total"] for row in rows}


def spent_by_day(
    campaign_ids: Collection[int], first: dt.date, last: dt.date
) -> dict[tuple[int, dt.date, str], Decimal]:
    """Return what was spent by campaign, day and country ("" where it isn't reported by country)."""
    rows = (
        CampaignSpend.objects.filter(campaign_id__in=campaign_ids, day__gte=first, day__lte=last)
        .order_by()
        .values_list("campaign_id", "day", "country")
        .annotate(Sum("amount"))
    )
    return {(campaign, day, country): amount for campaign, day, country, amount in rows}
