"""Every limit of the rating: just below, exactly there, just above; and what each factor of the shipped model counts."""

import datetime as dt
from dataclasses import replace

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from clients.models import Client
from compliance import screening
from compliance.models import CountryRisk
from compliance.risk_rating import computing
from compliance.risk_rating.content import shipped
from compliance.risk_rating.explaining import explained
from compliance.risk_rating.rating import assess
from tests.compliance.factories import confirm_match, load
from tests.kyc.categories.factories import categorise

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


def counted(client: Client) -> dict[str, int]:
    return {factor.code: factor.points for factor in explained(assess(client_id=client.pk, now=NOW)).factors}


def factors(cast, *, lists=(), category="retail", **fields) -> dict[str, int]:
    for country, level in lists:
        CountryRisk.objects.create(country=country, level=level, valid=DateRange(None, None), source="FATF")
    categorise(cast.client, category)
    Client.objects.filter(pk=cast.client.pk).update(
        **{"date_of_birth": dt.date(1990, 5, 17), "kyc_level": 1, "nationality": "", **fields}
    )
    return counted(cast.client)


def test_ratings_begin_at_25_and_60_points(cast):
    one = shipped().factor("not_verified")
    for points, rating in ((0, "low"), (24, "low"), (25, "medium"), (59, "medium"), (60, "high"), (61, "high")):
        content = replace(shipped(), factors=(replace(one, points=points),))
        (rated,) = computing.rate(cast.brand, content, model_id=0, ids=[cast.client.pk], now=NOW)
        assert (rated.rating, rated.points) == (rating, points)


@pytest.mark.parametrize(
    ("born", "is_old"),
    [
        (dt.date(1956, 11, 21), False),  # seventy today
        (dt.date(1955, 11, 22), False),  # seventy-one tomorrow
        (dt.date(1955, 11, 21), True),
        (dt.date(1955, 11, 20), True),
    ],
)
def test_age_counts_from_the_71st_birthday(cast, born, is_old):
    assert factors(cast, date_of_birth=born) == ({"age_over_70": 10} if is_old else {})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {}),
        ({"lists": [("DE", "black")]}, {"residence_black": 100}),
        ({"lists": [("DE", "grey"), ("VN", "black")]}, {"residence_grey": 30}),
        ({"nationality": "DE"}, {}),
        ({"nationality": "FR"}, {"country_differs": 15}),
        ({"country": "", "nationality": "FR"}, {}),
        ({"nationality": "VN", "lists": [("VN", "black")]}, {"nationality_black": 100, "country_differs": 15}),
        ({"nationality": "DE", "lists": [("DE", "grey")]}, {"residence_grey": 30}),
        ({"category": "professional"}, {"professional": -5}),
        ({"kyc_level": 0}, {"not_verified": 10}),
        ({"date_of_birth": None}, {"birth_unknown": 5}),
    ],
)
def test_what_a_factor_counts(cast, fields, expected):
    assert factors(cast, **fields) == expected


def test_points_never_fall_below_zero(cast):
    factors(cast, category="professional")
    found = assess(client_id=cast.client.pk, now=NOW)
    assert (found.points, found.rating) == (0, "low")


@pytest.mark.parametrize(("by", "counts"), [(-1, False), (0, True), (29, True), (30, False)])
def test_a_country_counts_from_its_first_day_to_before_its_last(cast, by, counts):
    first = NOW.date() - dt.timedelta(days=by)
    CountryRisk.objects.create(
        country="DE", level="grey", valid=DateRange(first, first + dt.timedelta(days=30)), source="FATF"
    )
    assert ("residence_grey" in factors(cast)) is counts


def test_the_matches_of_another_client_rate_nobody_else(cast, tmp_path):
    load(tmp_path, {"first": "Klara", "second": "Weber"}, {"first": "Clara", "second": "Weber"})
    screening.screen_client(client_id=cast.client.pk, trigger="demand")
    assert [counted(client).get("match_open") for client in (cast.client, cast.other_client)] == [25, None]
    confirm_match(cast.client.screening_hits.first(), cast)
    found = counted(cast.client)
    assert found["match_confirmed"] == 100 and "match_open" not in found
