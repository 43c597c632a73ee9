"""Lifetime value of a segment and of a campaign: the sum of what each client's page says, of clients in reach only."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from clients.models import Client, Segment, SegmentMember
from clients.segments import verbs
from crm.models import User
from leads.models import Campaign
from risk.retention.lifetime import of_campaign, of_segment
from risk.retention.models import ChurnModel, ClientOutlook
from tests.brand_policies import set_policies
from tests.cast import make_client
from trading.models import TradingFacts

pytestmark = pytest.mark.django_db


def worth(client: Client, *, lots: str, value: str | None = None) -> Client:
    """Give a client closed lots, and the night's outlook where they still trade."""
    TradingFacts.objects.create(client=client, lots_closed=Decimal(lots))
    if value:
        now = timezone.now()
        numbers = {
            "horizon_days": 45,
            "means": {},
            "spreads": {},
            "weights": {},
            "intercept": 0,
            "slope": 1,
            "shift": 0,
        }
        model, _ = ChurnModel.objects.get_or_create(
            is_active=True,
            defaults={
                **numbers,
                "trained_at": now,
                "first_day": now.date(),
                "last_day": now.date(),
                "auc": 0.9,
                "yardstick_auc": 0.8,
                "calibration": [],
                "clients": 1,
                "held_back": 1,
                "departed": 1,
            },
        )
        ClientOutlook.objects.create(
            client=client,
            model=model,
            probability=0.1,
            monthly_revenue=1,
            value_at_risk=1,
            lifetime_value=value,
            at=now,
        )
    return client


@pytest.fixture
def people(cast) -> list[Client]:
    set_policies(cast.brand, revenue_per_lot=700)
    now = timezone.now()
    mine = {"brand": cast.brand, "book": cast.client.book, "login": False, "campaign": "autumn"}
    stays = make_client(email="stays@x.example", first_deposit_at=now, **mine)
    gone = make_client(email="gone@x.example", first_deposit_at=now, **mine)
    lead = make_client(email="lead@x.example", stage="lead", **mine)
    theirs = make_client(
        email="theirs@x.example", **{**mine, "brand": cast.other_brand, "book": cast.other_client.book}
    )
    return [worth(stays, lots="10.5", value="1000.00"), worth(gone, lots="2.255"), lead, worth(theirs, lots="99")]


def reader(user: User) -> User:
    return User.objects.get(pk=user.pk)


def test_a_campaign_is_worth_what_its_clients_are(cast, people, browse, django_assert_num_queries):
    boss = reader(cast.administrator)
    of_campaign(boss, "autumn", cast.brand)
    with django_assert_num_queries(1):
        value = of_campaign(boss, "autumn", cast.brand)
    # 10.5 and 2.255 lots at 7.00: 73.50 and 15.79, rounded for each client; the one who stays counts with the outlook.
    assert (value.clients, value.depositors, value.earned, value.total) == (3, 2, Decimal("89.29"), Decimal("1015.79"))
    assert (value.expected, value.per_depositor) == (Decimal("926.50"), Decimal("507.90"))
    assert value.times(Decimal(200)) == Decimal("5.1") and value.times(None) is None and not value.is_cut
    assert of_campaign(reader(cast.other_agent), "autumn", cast.brand).clients == 0
    assert of_campaign(boss, "", cast.brand).clients == 0
    campaign = Campaign.objects.create(brand=cast.brand, code="autumn", name="Autumn", cost=200)
    page = browse(cast.marketing).get(reverse("campaign", args=[campaign.pk])).content.decode()
    assert "Value ÷ cost" in page and "€1,015.79" in page and "5.1" in page


def test_a_segments_page_says_what_its_members_are_worth(cast, people, browse):
    segment = verbs.create_segment(brand_id=cast.brand.pk, name="Mine", condition=None, actor=cast.administrator)
    now = timezone.now()
    stays, gone, lead, _theirs = people
    SegmentMember.objects.bulk_create(
        SegmentMember(segment=segment, client=client, entered_at=now, left_at=left)
        for client, left in ((stays, None), (gone, now), (lead, None))
    )
    value = of_segment(reader(cast.administrator), segment.pk, cast.brand)
    assert (value.clients, value.depositors, value.total) == (2, 1, Decimal("1000.00"))
    page = browse(cast.retention).get(Segment.objects.get().get_absolute_url()).content.decode()
    assert "Lifetime value" in page and "€1,000.00" in page
    assert "Lifetime value" not in browse(cast.support).get(segment.get_absolute_url()).content.decode()
