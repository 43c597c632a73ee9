"""Reading a stored condition: what isn't right is refused with words that say which part."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest

from clients.vocabulary import CLIENT
from crm.conditions import Field, FieldType, Happening, Vocabulary, everything, read
from crm.conditions.expression import DEPTH_MAX, PARTS_MAX
from crm.errors import DomainError

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


def condition(*parts, kind="all"):
    return read({"version": 1, kind: list(parts)}, CLIENT)


def compare(field, operator, value=None):
    part = {"field": field, "is": operator}
    return part if value is None else {**part, "value": value}


def subject(**fields):
    return SimpleNamespace(
        **{"country": "", "score": 0, "net_deposits": None, "last_trade_at": None, "source": "", **fields}
    )


def test_the_sentence_says_it_in_words():
    shown = condition(
        compare("country", "in", ["DE", "AT"]),
        {"any": [compare("score", "ge", 50), compare("last_trade_at", "within", 7)]},
        {"not": {"happened": "call", "within_days": 1}},
    ).sentence()
    assert shown == (
        "Country is Germany or Austria, (Score is at least 50, or Last trade is within the last 7 days), "
        "and no call within the last 1 day"
    )
    assert everything().sentence() == "Always"


def test_a_negated_group_is_written_by_its_negated_parts():
    shown = read(
        {"version": 1, "not": {"any": [compare("score", "ge", 50), {"not": compare("country", "in", ["DE"])}]}}, CLIENT
    ).sentence()
    assert shown == "Not: Score is at least 50, and Country is Germany"


def test_what_is_stored_reads_back_as_it_was():
    data = {
        "version": 1,
        "all": [
            compare("country", "in", ["DE"]),
            {"not": {"any": [compare("score", "lt", "2")]}},
            compare("city", "empty"),
        ],
    }
    assert read(data, CLIENT).stored() == data


def test_empty_values_meet_no_comparison_but_its_negation():
    is_big = compare("net_deposits", "ge", 1)
    assert not condition(is_big).holds(subject(), NOW)
    assert condition({"not": is_big}).holds(subject(), NOW)
    assert condition(compare("country", "empty")).holds(subject(), NOW)
    assert not condition(compare("country", "empty")).holds(subject(country="DE"), NOW)


def test_the_first_failing_part_is_named():
    both = condition(compare("country", "in", ["DE"]), compare("score", "ge", 50))
    assert both.failing(subject(country="DE", score=10), NOW) == "Score is at least 50"
    assert both.failing(subject(country="DE", score=50), NOW) == ""


def nested(levels):
    part = compare("score", "ge", 1)
    for _ in range(levels):
        part = {"not": part}
    return part


@pytest.mark.parametrize(
    ("part", "says"),
    [
        (compare("shoe_size", "ge", 4), "shoe_size"),
        (compare("score", "in", ["4"]), "Score"),
        (compare("score", "ge", "many"), "Enter a number"),
        (compare("score", "ge", True), "Enter a number"),
        (compare("score", "ge", "NaN"), "Enter a number"),
        (compare("score", "ge", "9" * 40), "Enter a number"),
        (compare("score", "eq", "49.99"), "Enter a whole number"),
        (compare("net_deposits", "ge", "1e-30"), "Enter a number"),
        (compare("country", "in", ["DE", "XX"]), "XX"),
        (compare("country", "in", []), "Country"),
        (compare("country", "in", ["DE"] * 301), "Country"),
        (compare("source", "contains", "x" * 201), "200"),
        (compare("source", "contains", "a\x00"), "Source"),
        (compare("last_trade_at", "within", 0), "days"),
        (compare("last_trade_at", "within", "٣"), "days"),
        (compare("last_trade_at", "before", "2026-02-31"), "date"),
        (compare("last_trade_at", "before", "today"), "date"),
        (compare("marketing_consent", "yes", 1), "no value"),
        ({"happened": "earthquake", "within_days": 3}, "earthquake"),
        ({"happened": "call", "within_days": -3}, "days"),
        ({"field": "score", "is": "ge", "value": 1, "extra": 1}, "can read"),
        ({"field": "score", "all": []}, "can read"),
        ({}, "can read"),
        ("score > 4", "can read"),
        ({"all": "everything"}, "can read"),
        (nested(DEPTH_MAX), "deeply"),
        (nested(50), "deeply"),
        ({"any": [compare("score", "ge", 1)] * PARTS_MAX}, "too many"),
    ],
)
def test_a_part_that_is_not_right_is_refused_in_words(part, says):
    with pytest.raises(DomainError) as refused:
        condition(part)
    assert says in str(refused.value)


@pytest.mark.parametrize("data", [None, [], {"all": []}, {"version": 2, "all": []}, {"version": 1}, "x"])
def test_what_is_no_condition_is_refused(data):
    with pytest.raises(DomainError):
        read(data, CLIENT)


@pytest.mark.parametrize(
    "parts",
    [
        [compare("score", "gt", 5), compare("score", "lt", 5)],
        [compare("score", "ge", 5), compare("score", "lt", 5)],
        [compare("score", "eq", 5), compare("score", "eq", 6)],
        [compare("country", "in", ["DE"]), compare("country", "in", ["AT"])],
        [compare("country", "in", ["DE"]), compare("country", "empty")],
    ],
)
def test_a_contradiction_is_refused_and_names_its_field(parts):
    with pytest.raises(DomainError) as refused:
        condition(*parts)
    assert str(refused.value).startswith(("“Score”", "“Country”"))


def test_what_can_hold_together_is_no_contradiction():
    condition(compare("score", "ge", 5), compare("score", "le", 5))
    condition(compare("country", "in", ["DE", "AT"]), compare("country", "in", ["AT"]))
    condition(compare("score", "gt", 5), compare("score", "lt", 5), kind="any")


def test_a_field_without_a_column_is_checked_for_one_and_not_searched_for():
    words = Vocabulary("event", [Field("amount", "Amount", FieldType.MONEY)])
    found = read({"version": 1, "all": [compare("amount", "ge", 100)]}, words)
    assert found.holds({"amount": 100}, NOW) and not found.holds({"amount": 99}, NOW)
    with pytest.raises(DomainError):
        found.q(NOW)


def test_two_parts_of_one_name_are_a_mistake_in_the_code():
    words = Vocabulary("event", [Field("amount", "Amount", FieldType.MONEY)])
    with pytest.raises(TypeError):
        words.add(Happening("amount", "Amount", lambda: None))
