"""The demo's screenings, decisions, restrictions and ratings agree with each other and with the facts."""

import datetime as dt
import random
from importlib import import_module

import pytest

from clients.facts import FACTS, differences
from clients.models import Client
from compliance.models import Delisting, Hit, ListVersion, Restriction, RiskAssessment, Screening
from crm import demo as house

pytestmark = pytest.mark.django_db


def test_the_demo_holds_together():
    context = house.Demo(rng=random.Random(11), now=dt.datetime.now(dt.UTC), progress=lambda *_: None, scale=0.05)
    house.load_house(context)
    for name in ("clients", "kyc", "compliance"):
        import_module(f"{name}.demo").load(context)
    assert ListVersion.objects.filter(state="current").count() == 5  # three publishers, the house, the vendor
    assert Screening.objects.filter(vendor=None).count() == len(context.extra["verified_at"])
    found = Hit.objects.filter(screening__vendor__code="sandbox").order_by("pk")
    # The vendor finds two of its brand's clients without money; at some hours the smallest demo has only one.
    known = Client.objects.filter(
        stage__in=["verified", "registered"], brand__code="southern", date_of_birth__isnull=False
    ).count()
    assert [hit.state for hit in found] == ["open", "confirmed"][:known] and known
    assert [(row.hit, row.state) for row in Delisting.objects.all()] == [(hit, "open") for hit in found[1:]]
    rated = RiskAssessment.objects.values("client").distinct().count()
    assert rated == Client.objects.filter(registered_at__isnull=False).count()
    for fact in ("risk_rating", "restrictions"):
        assert list(differences(FACTS[fact])) == []
    assert Hit.objects.exists()
    for hit in Hit.objects.exclude(state="confirmed").filter(part_of=None):  # others are held with the case
        assert Restriction.objects.filter(hit=hit, lifted_at__isnull=hit.state == "open").count() == 1
    assert Restriction.objects.filter(cause="manual").exists()
