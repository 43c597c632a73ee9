"""What holds for a country: its own rule, the standard list, the brand's rule for all others; by day, in every process."""

from __future__ import annotations

import datetime as dt
import itertools
import threading

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from clients.choices import CountryBand, Gate
from clients.country_rules.groups import EEA, EU
from clients.country_rules.rules import PROHIBITED_BY_DEFAULT, Source, decide, default_of, rule_of, rules_of
from clients.models import CountryRule
from crm.brand_policies.registry import today
from crm.models import Brand
from tests.country_rules import set_country_rule

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def accepted_at(brand: Brand, country: str) -> set[Gate]:
    return {gate for gate in Gate if decide(brand, country, gate)}


def test_a_brand_without_rules_accepts_all_but_the_standard_list(cast, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert accepted_at(cast.brand, "DE") == set(Gate)
        assert rule_of(cast.brand, "DE").band == CountryBand.STANDARD
        for country in PROHIBITED_BY_DEFAULT:
            assert accepted_at(cast.brand, country) == {Gate.LOGIN, Gate.WITHDRAWAL}
            assert rule_of(cast.brand, country).band == CountryBand.PROHIBITED


@pytest.mark.parametrize("refused", [set(c) for n in range(6) for c in itertools.combinations(Gate, n)], ids=len)
def test_each_gate_answers_for_itself_and_says_why(cast, refused):
    """All combinations but one: a gate is open exactly where the row says so, and a refusal names the country."""
    set_country_rule(cast.brand, "DE", refused=refused, band=CountryBand.HIGH)
    for gate in Gate:
        decision = decide(cast.brand, "DE", gate)
        assert bool(decision) is (gate not in refused)
        assert ("Germany" in decision.reason) is (gate in refused)
        assert decide(cast.brand, "AT", gate) and decide(cast.other_brand, "DE", gate)


def test_a_rule_holds_from_its_day_and_the_later_row_of_a_day_wins(cast):
    day = today(cast.brand)
    set_country_rule(cast.brand, "DE", refused=[Gate.LEAD], on=day + 3 * DAY)
    assert rule_of(cast.brand, "DE", day + 2 * DAY).source is Source.NOTHING_SET
    assert Gate.LEAD not in rule_of(cast.brand, "DE", day + 3 * DAY).accepted
    set_country_rule(cast.brand, "DE", refused=[Gate.DEPOSIT], on=day + 3 * DAY)
    assert rule_of(cast.brand, "DE", day + 4 * DAY).accepted == set(Gate) - {Gate.DEPOSIT}
    set_country_rule(cast.brand, "DE", refused=[Gate.TRADING], on=day)
    assert accepted_at(cast.brand, "DE") == set(Gate) - {Gate.TRADING}
    assert rule_of(cast.brand, "DE", day + 4 * DAY).accepted == set(Gate) - {Gate.DEPOSIT}


def test_all_others_is_dated_too_and_yields_to_a_countrys_own_rule(cast):
    day = today(cast.brand)
    set_country_rule(cast.brand, "", refused=list(Gate), band=CountryBand.PROHIBITED)
    set_country_rule(cast.brand, "DE", band=CountryBand.LOW)
    assert accepted_at(cast.brand, "FR") == set() and accepted_at(cast.brand, "DE") == set(Gate)
    assert (rule_of(cast.brand, "FR").source, rule_of(cast.brand, "DE").source) == (Source.ALL_OTHERS, Source.OWN)
    assert rule_of(cast.brand, "RU").accepted == {
        Gate.LOGIN,
        Gate.WITHDRAWAL,
    }  # the standard list goes before all others
    set_country_rule(cast.brand, "DE", band="", on=day)
    assert accepted_at(cast.brand, "DE") == set()
    assert rule_of(cast.brand, "DE", day - DAY).band == CountryBand.LOW
    set_country_rule(cast.brand, "", band="", on=day)
    assert accepted_at(cast.brand, "FR") == set(Gate) and default_of(cast.brand, "").source is Source.NOTHING_SET


def test_a_brand_may_accept_a_country_of_the_standard_list(cast):
    set_country_rule(cast.brand, "US", band=CountryBand.HIGH)
    assert accepted_at(cast.brand, "US") == set(Gate) and accepted_at(cast.other_brand, "US") == {
        Gate.LOGIN,
        Gate.WITHDRAWAL,
    }


def test_without_a_country_all_others_holds_but_for_leads(cast):
    set_country_rule(cast.brand, "", refused=list(Gate))
    assert accepted_at(cast.brand, "") == {Gate.LEAD}
    assert "your country" in decide(cast.brand, "", Gate.DEPOSIT).reason


def test_the_brands_own_calendar_decides_the_day(cast):
    Brand.objects.filter(pk=cast.brand.pk).update(time_zone="Pacific/Kiritimati")
    Brand.objects.filter(pk=cast.other_brand.pk).update(time_zone="Pacific/Pago_Pago")
    east, west = Brand.objects.get(pk=cast.brand.pk), Brand.objects.get(pk=cast.other_brand.pk)
    assert today(east) > today(west)
    for brand in (east, west):
        set_country_rule(brand, "DE", refused=[Gate.DEPOSIT], on=today(east))
    assert not decide(east, "DE", Gate.DEPOSIT) and decide(west, "DE", Gate.DEPOSIT)


def test_rules_are_read_once_whatever_is_asked(cast, django_assert_num_queries):
    set_country_rule(cast.brand, *sorted(EEA), refused=[Gate.LEAD])
    with django_assert_num_queries(1):
        assert all(Gate.LEAD not in rule.accepted for rule in rules_of(cast.brand, EU).values())
        assert not decide(cast.brand, "IS", Gate.LEAD)
    with django_assert_num_queries(0):
        assert accepted_at(cast.brand, "DE") == set(Gate) - {Gate.LEAD}


def test_a_change_that_is_rolled_back_is_not_read_afterwards(cast):
    with pytest.raises(RuntimeError), transaction.atomic():
        set_country_rule(cast.brand, "DE", refused=[Gate.DEPOSIT])
        assert not decide(cast.brand, "DE", Gate.DEPOSIT)
        raise RuntimeError
    assert decide(Brand.objects.get(pk=cast.brand.pk), "DE", Gate.DEPOSIT)


@pytest.mark.django_db(transaction=True)
def test_a_change_in_another_connection_holds_on_the_next_request(cast):
    """The mark lies in the brand's row, which each request reads: what this process keeps is of the mark before."""
    set_country_rule(cast.brand, "DE")
    assert decide(Brand.objects.get(pk=cast.brand.pk), "DE", Gate.DEPOSIT)

    def elsewhere() -> None:
        set_country_rule(Brand.objects.get(pk=cast.brand.pk), "DE", refused=[Gate.DEPOSIT])
        connection.close()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert not decide(Brand.objects.get(pk=cast.brand.pk), "DE", Gate.DEPOSIT)


def test_a_written_rule_never_changes_even_by_hand(cast):
    set_country_rule(cast.brand, "DE")
    with pytest.raises(DatabaseError), transaction.atomic():
        CountryRule.objects.update(band="high")
    with pytest.raises(DatabaseError), transaction.atomic():
        CountryRule.objects.all().delete()


@pytest.mark.parametrize("fields", [{"accepted": ["nonsense"]}, {"reason": ""}, {"band": "", "accepted": ["lead"]}])
def test_the_database_refuses_rules_without_sense(cast, fields):
    good = {"band": "high", "accepted": ["lead"], "reason": "x", "effective_on": today(cast.brand)}
    with pytest.raises(IntegrityError), transaction.atomic():
        CountryRule.objects.create(brand=cast.brand, country="DE", set_at=timezone.now(), **{**good, **fields})
