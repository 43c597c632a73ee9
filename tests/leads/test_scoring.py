import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leads import scoring
from leads.choices import RuleKind
from leads.models import ScoreRule
from leads.scoring import Rule, Signals, kind_of_email, phone_state, score

NOON = dt.datetime(2026, 11, 2, 12, 0, tzinfo=dt.UTC)


def one(kind, points=10, name="Rule", **parameters):
    return Rule(1, name, kind, parameters, points)


@pytest.mark.parametrize(
    ("rule", "seen", "points"),
    [
        (one("base"), Signals(), 10),
        (one("country", countries=["DE"]), Signals(country="DE"), 10),
        (one("country", countries=["DE"]), Signals(country="FR"), 0),
        (one("language"), Signals(language="de-AT", brand_languages=("en", "de")), 10),
        (one("language"), Signals(language="fr", brand_languages=("en", "de")), 0),
        (one("email", **{"is": "disposable"}), Signals(email="x@mailinator.com"), 10),
        (one("email", **{"is": "disposable"}), Signals(email="x@sub.mailinator.com"), 10),
        (one("email", **{"is": "own"}), Signals(email="x@meier-bau.de"), 10),
        (one("email", **{"is": "none"}), Signals(), 10),
        (one("phone", **{"is": "match"}), Signals(phone="+4915123456789", country="DE"), 10),
        (one("phone", **{"is": "mismatch"}), Signals(phone="+4915123456789", country="FR"), 10),
        (one("phone", **{"is": "valid"}), Signals(phone="+4915123456789", country="FR"), 10),
        (one("phone", **{"is": "invalid"}), Signals(phone_was_typed=True), 10),
        (one("phone", **{"is": "missing"}), Signals(), 10),
        (one("campaign", 15), Signals(campaign="c", campaign_quality=8), 12),
        (one("campaign", 15), Signals(), 0),
        (one("source", sources=["google"]), Signals(source="google"), 10),
        (one("hour", **{"from": 8, "to": 20}), Signals(country="DE", at=NOON), 10),
        (one("hour", **{"from": 8, "to": 20}), Signals(country="AU", at=NOON), 0),
        (one("hour", **{"from": 22, "to": 6}), Signals(country="AU", at=NOON), 10),
        (one("repeat", at_least=2), Signals(times_seen=2), 10),
        (one("repeat", at_least=3), Signals(times_seen=2), 0),
        (one("referral"), Signals(is_referred=True), 10),
        (one("consent"), Signals(has_consent=True), 10),
    ],
)
def test_each_kind_of_rule_gives_its_points(rule, seen, points):
    assert score(seen, [rule]).value == points


def test_every_kind_has_its_question():
    assert set(scoring.QUESTIONS) == set(RuleKind.values)


def test_reasons_come_strongest_first_and_add_up():
    rules = [
        one("base", 20, "Every lead"),
        one("consent", 3, "Offers"),
        one("email", -30, "Throw-away", **{"is": "disposable"}),
    ]
    found = score(Signals(email="a@mailinator.com", has_consent=True), rules)
    assert [reason["points"] for reason in found.reasons] == [-30, 20, 3]
    assert found.value == 0
    assert scoring.explain(found.reasons)[0] == "-30 Throw-away · mailinator.com"


@given(
    st.lists(st.builds(one, st.sampled_from(["base", "consent", "referral"]), st.integers(-100, 100)), max_size=8),
    st.booleans(),
)
def test_a_score_is_the_sum_of_its_reasons_within_bounds(rules, consent):
    found = score(Signals(has_consent=consent), rules)
    assert found.value == max(0, min(100, sum(reason["points"] for reason in found.reasons)))


def test_a_phone_that_belongs_to_no_single_country_is_no_match():
    assert phone_state(Signals(phone="+80012345678", country="DE")) == "mismatch"


@pytest.mark.parametrize(
    ("email", "kind"),
    [
        ("", "none"),
        ("a@gmail.com", "free"),
        ("a@GMAIL.com", "free"),
        ("a@firma.de", "own"),
        ("a@yopmail.com", "disposable"),
    ],
)
def test_an_address_is_of_a_kind(email, kind):
    assert kind_of_email(email) == kind


@pytest.mark.django_db
def test_the_rules_of_a_leads_own_day_count_and_a_brands_own_replace_ours(cast):
    day = dt.date(2026, 5, 1)
    ScoreRule.objects.create(
        brand=cast.brand, name="Tier 1 country", kind="country", parameters={"countries": ["ES"]}, points=7
    )
    ScoreRule.objects.create(name="Spring offer", kind="base", points=5, valid_from=day, valid_to=dt.date(2026, 6, 1))
    mine = {rule.name: rule for rule in scoring.rules_of(cast.brand.pk, day)}
    assert mine["Tier 1 country"].points == 7 and mine["Spring offer"].points == 5
    assert "Spring offer" not in {rule.name for rule in scoring.rules_of(cast.brand.pk, dt.date(2026, 6, 1))}
    assert {rule.name: rule for rule in scoring.rules_of(cast.other_brand.pk, day)}["Tier 1 country"].points == 20


@pytest.mark.django_db
def test_two_versions_of_a_rule_never_hold_on_one_day(cast):
    from django.db import IntegrityError, transaction

    ScoreRule.objects.create(brand=cast.brand, name="X", kind="base", points=1, valid_to=dt.date(2026, 1, 1))
    ScoreRule.objects.create(brand=cast.brand, name="X", kind="base", points=2, valid_from=dt.date(2026, 1, 1))
    with pytest.raises(IntegrityError, match="one_version_a_day"), transaction.atomic():
        ScoreRule.objects.create(brand=cast.brand, name="X", kind="base", points=3, valid_from=dt.date(2025, 6, 1))
