"""The model that ships rates every client as the code did that it replaced."""

import datetime as dt
import random

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from clients.choices import Category, CountryBand
from clients.models import Client
from compliance.models import CountryRisk, Hit, RiskAssessment
from compliance.risk_rating.content import Content, problems, shipped
from compliance.risk_rating.rating import rate_clients
from compliance.screening import screen_client
from tests.cast import make_client
from tests.compliance.factories import load
from tests.compliance.risk_rating.former import rating_of
from tests.country_rules import set_country_rule

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2027, 3, 1, 12, tzinfo=dt.UTC)
COUNTRIES = ["", "DE", "AT", "VN", "IR", "FR", "US", "KP"]
BIRTHS = [
    None,
    dt.date(1956, 3, 1),
    dt.date(1956, 2, 29),
    dt.date(1956, 3, 2),
    dt.date(1955, 12, 31),
    dt.date(1990, 5, 17),
]


def matched(clients, cast, folder):
    """Give clients an open match, a third of them a confirmed one, a third both."""
    load(folder, {"first": "Klara", "second": "Weber"}, {"first": "Clara", "second": "Weber"})
    for client in clients:
        Client.objects.filter(pk=client.pk).update(first_name="Klara", last_name="Weber", kind="person")
        screen_client(client_id=client.pk, trigger="demand")
    given = {"decided_by": cast.mlro, "decided_at": timezone.now(), "reason": "Passport number agrees"}
    for place, client in enumerate(clients):
        confirmed = Hit.objects.filter(client=client).order_by("pk")[: place % 3]
        Hit.objects.filter(pk__in=[hit.pk for hit in confirmed]).update(state="confirmed", **given)


def test_every_client_is_rated_as_before(cast, tmp_path):
    rng = random.Random(22)
    for code, level in (("VN", "grey"), ("IR", "black"), ("HT", "grey")):
        CountryRisk.objects.create(country=code, level=level, valid=DateRange(dt.date(2026, 6, 1), None), source="FATF")
    set_country_rule(cast.brand, "FR", band=CountryBand.HIGH)
    set_country_rule(cast.brand, "AT", band=CountryBand.PROHIBITED)
    people = [
        make_client(brand=cast.brand, book=cast.book, email=f"c{number}@example.com", login=False)
        for number in range(150)
    ]
    for client in people[24:]:
        Client.objects.filter(pk=client.pk).update(
            country=rng.choice(COUNTRIES),
            nationality=rng.choice([*COUNTRIES, "HT"]),
            date_of_birth=rng.choice(BIRTHS),
            kyc_level=rng.choice([0, 1, 2]),
            category=rng.choice(Category.values),
            kind=rng.choice(["person", "person", "company"]),
            first_name="",
            last_name="Muster",
        )
    matched(people[:24], cast, tmp_path)
    rate_clients(cast.brand, [client.pk for client in people], now=NOW)
    made = {row.client_id: (row.rating, row.points) for row in RiskAssessment.objects.filter(is_current=True)}
    clients = Client.objects.filter(pk__in=[client.pk for client in people]).select_related("brand")
    assert made == {client.pk: rating_of(client, NOW.date()) for client in clients}
    assert len({rating for rating, _points in made.values()}) == 3
    assert {client.risk_rating for client in clients} == {"low", "medium", "high"}
    Client.objects.update(category="retail")  # none was decided, which the database checks at the end


def test_the_shipped_model_has_no_problem_and_survives_storing():
    assert list(problems(shipped())) == []
    assert Content.read(shipped().body()) == shipped()
