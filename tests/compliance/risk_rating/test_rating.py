"""The rating and its reasons."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from clients.models import Client
from compliance.models import CountryRisk, RiskAssessment
from compliance.risk_rating import rating as risk
from crm.models import AuditEvent
from crm.security import audit

pytestmark = pytest.mark.django_db


def country(code, level, since=dt.date(2026, 6, 19), until=None):
    return CountryRisk.objects.create(
        country=code, level=level, valid=DateRange(since, until), source="FATF, June 2026"
    )


def codes(assessment):
    return set(assessment.factors)


def rated(cast, **fields):
    Client.objects.filter(pk=cast.client.pk).update(**fields)
    return risk.assess(client_id=cast.client.pk, now=dt.datetime(2026, 11, 21, tzinfo=dt.UTC))


def test_a_plain_client_is_low_and_the_reasons_say_why(cast):
    found = rated(cast, date_of_birth=dt.date(1990, 5, 17), kyc_level=1)
    assert (found.rating, found.points, found.factors) == ("low", 0, [])
    assert Client.objects.get(pk=cast.client.pk).risk_rating == "low"


def test_countries_count_by_date(cast):
    country("VN", "grey")
    country("IR", "black")
    country("DZ", "grey", dt.date(2024, 10, 25), dt.date(2026, 6, 19))
    assert codes(rated(cast, country="VN", date_of_birth=dt.date(1990, 5, 17), kyc_level=1)) == {"residence_grey"}
    assert rated(cast, country="IR").rating == "high"
    assert codes(rated(cast, country="DZ")) == set()
    assert codes(rated(cast, country="DE", nationality="VN")) == {"nationality_grey", "country_differs"}


def test_what_is_not_known_counts_a_little(cast):
    found = rated(cast, date_of_birth=None, kyc_level=0)
    assert codes(found) == {"birth_unknown", "not_verified"} and found.rating == "low"
    assert "age_over_70" in codes(rated(cast, date_of_birth=dt.date(1950, 1, 1)))


def test_the_same_rating_again_writes_nothing(cast):
    first = rated(cast, kyc_level=1, date_of_birth=dt.date(1990, 5, 17))
    assert rated(cast) == first
    assert AuditEvent.objects.filter(action="compliance.risk_assessed").count() == 1
    rated(cast, kyc_level=0)
    assert RiskAssessment.objects.filter(client=cast.client).count() == 2
    assert RiskAssessment.objects.filter(client=cast.client, is_current=True).count() == 1


def test_a_country_has_one_risk_at_a_time(db):
    country("VN", "grey")
    with pytest.raises(IntegrityError, match="a_country_has_one_risk_at_a_time"), transaction.atomic():
        country("VN", "black", dt.date(2026, 10, 1))


def test_an_assessment_is_audited_with_the_rating_before(cast):
    rated(cast, kyc_level=1, date_of_birth=dt.date(1990, 5, 17))
    country("IR", "black")
    rated(cast, country="IR", nationality="IR")
    bodies = [audit.body_of(row) for row in AuditEvent.objects.filter(action="compliance.risk_assessed").order_by("id")]
    assert [(body.get("before"), body["after"]) for body in bodies] == [
        (None, {"rating": "low", "points": 0}),
        ({"rating": "low"}, {"rating": "high", "points": 100}),
    ]
