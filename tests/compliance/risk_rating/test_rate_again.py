"""A changed risk band of a country rates the brand's clients from there again, on the day from which it holds."""

import datetime as dt

import pytest
from django.utils import timezone

from clients.choices import CountryBand
from clients.models import Client
from compliance.models import RiskAssessment
from compliance.risk_rating import rating as risk
from crm import events
from crm.due import sweep
from crm.models import AuditEvent, DueRow
from crm.security import audit
from tests.cast import make_client
from tests.country_rules import set_country_rule
from tests.days import today

pytestmark = pytest.mark.django_db


def ratings(*clients):
    return [Client.objects.get(pk=client.pk).risk_rating for client in clients]


@pytest.fixture
def people(cast):
    """Three rated clients from Germany, one from Austria, and one from Germany whom nobody rated."""
    made = [
        make_client(brand=cast.brand, book=cast.book, email=f"c{number}@example.com", login=False, country=code)
        for number, code in enumerate(["DE", "DE", "DE", "AT", "DE"])
    ]
    for client in made[:4]:
        risk.assess(client_id=client.pk)
    return made


def run():
    events.drain()
    while sweep(kinds=[risk.RATE_AGAIN]):
        pass


def test_a_new_band_rates_the_rated_clients_of_the_country_in_batches(cast, people, monkeypatch):
    monkeypatch.setattr(risk, "RATED_AT_ONCE", 2)
    assert ratings(*people) == ["low", "low", "low", "low", "unrated"]
    set_country_rule(cast.brand, "DE", band=CountryBand.HIGH)
    run()
    assert ratings(*people) == ["medium", "medium", "medium", "low", "unrated"]
    row = AuditEvent.objects.get(action="compliance.risk_rated_again")
    assert audit.body_of(row)["after"] == {"cause": "country_rules", "countries": ["DE"], "clients": 3, "changed": 3}
    one = AuditEvent.objects.filter(action="compliance.risk_assessed", client_id=people[0].pk).latest("pk")
    assert audit.body_of(one)["evidence"]["cause"] == "country_rules"
    assert not DueRow.objects.filter(kind="compliance.rate_again", state="pending").exists()


def test_a_rule_for_all_others_rates_everybody_and_writes_only_what_changed(cast, people):
    set_country_rule(cast.brand, "", band=CountryBand.HIGH)
    set_country_rule(cast.brand, "DE")
    before = RiskAssessment.objects.count()
    run()
    assert ratings(*people) == ["low", "low", "low", "medium", "unrated"]
    assert RiskAssessment.objects.count() == before + 1


def test_clients_of_another_brand_keep_their_rating(cast, people):
    set_country_rule(cast.other_brand, "DE", band=CountryBand.HIGH)
    run()
    assert ratings(*people[:3]) == ["low", "low", "low"]


def test_a_rule_for_later_rates_on_its_day(cast, people):
    day = today() + dt.timedelta(days=10)
    set_country_rule(cast.brand, "DE", band=CountryBand.PROHIBITED, on=day)
    run()
    row = DueRow.objects.get(kind="compliance.rate_again", state="pending")
    assert row.at.date() in (day, day - dt.timedelta(days=1)) and row.at > timezone.now()
    assert ratings(*people[:3]) == ["low", "low", "low"]
