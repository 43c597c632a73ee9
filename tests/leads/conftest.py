"""A German desk that takes leads: a rule, two agents who speak German, a campaign, a landing page."""

import pytest

from crm.choices import Role
from crm.models import Book
from leads.capture import Capture, capture_lead
from leads.choices import Channel
from leads.models import Campaign, LandingPage, RoutingRule
from tests.cast import make_staff
from tests.leads.rules import where


@pytest.fixture
def german_rule(cast):
    return RoutingRule.objects.create(
        brand=cast.brand,
        name="German speakers",
        position=10,
        condition=where(language=["de"], country=["DE", "AT", "CH"]),
        desk=cast.desk,
        sla_seconds=600,
    )


@pytest.fixture
def second_agent(cast):
    """A colleague of `agent` at the German desk, with a book."""
    agent = make_staff(
        "anton@meridian.example", Role.AGENT, brand=cast.brand, desk=cast.desk, reaches=cast.desk, languages=["de"]
    )
    Book.objects.create(brand=cast.brand, desk=cast.desk, name="Anton's book", owner=agent)
    return agent


@pytest.fixture
def campaign(cast):
    return Campaign.objects.create(
        brand=cast.brand, code="de-search", name="German search", source="google", medium="cpc", quality=8
    )


@pytest.fixture
def landing_page(cast, campaign):
    return LandingPage.objects.create(
        brand=cast.brand,
        slug="start",
        language="de",
        campaign=campaign,
        country="DE",
        headline="Handeln lernen",
        subline="In Ruhe anfangen",
        call_to_action="Jetzt anfragen",
        thanks_title="Danke!",
        thanks_text="Wir melden uns.",
        points=[{"icon": "shield-check", "title": "Reguliert", "text": "Getrennte Kundengelder"}],
    )


@pytest.fixture
def capture(cast):
    """Take in a lead: a German with mailbox and mobile, unless the test says otherwise."""

    def take(**fields):
        extra = {
            name: fields.pop(name) for name in ("landing_page", "api_source", "actor", "keep_with") if name in fields
        }
        typed = {
            "channel": Channel.LANDING_PAGE,
            "first_name": "Erika",
            "last_name": "Mustermann",
            "country": "DE",
            "email": "erika@web.de",
            "phone": "0151 23456789",
            "language": "de",
            **fields,
        }
        return capture_lead(brand=cast.brand, capture=Capture(**typed), **extra)

    return take
