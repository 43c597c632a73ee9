"""The sentences that say why a day stands out."""

import pytest

from monitoring.choices import Feature, Rule
from monitoring.engine.signals import FEATURES
from monitoring.reasons import in_words, of_rule

HABIT = {"code": "habit", "family": "volume", "usual": 20.4, "low": 9, "high": 34, "p": 1e-5, "median": 22.0}


def words(**fields) -> str:
    return in_words({**HABIT, "feature": "views", "observed": 150, **fields})


@pytest.mark.parametrize("feature", FEATURES)
def test_every_feature_has_a_sentence_for_one_and_for_many(feature):
    one, many = words(feature=feature, observed=1), words(feature=feature, observed=1234)
    assert one.split(";")[0].split()[1] in ("1", "the") and "1,234" in many
    assert one.split(";")[0] != many.split(";")[0].replace("1,234", "1")


def test_a_habits_figures_in_full():
    assert words() == "opened 150 client records; baseline 20 (9–34); 7.4×; peer median that day 22"


def test_the_hours_and_the_other_books_are_named():
    text = words(outside=61, **{"from": "13:05", "to": "17:40"})
    assert text.startswith("opened 150 client records, mostly between 13:05 and 17:40; ")
    assert "; 61 clients outside own book; " in text
    assert "; 1 client outside own book; " in words(outside=1)


@pytest.mark.parametrize("window", [{"from": "13:05", "to": ""}, {"from": "", "to": "17:40"}, {"from": "", "to": ""}])
def test_half_a_window_is_not_named(window):
    assert "between" not in words(**window)


@pytest.mark.parametrize(("usual", "has_times"), [(0.49, False), (0.5, True), (0.51, True)])
def test_times_are_named_from_half_a_day_on(usual, has_times):
    assert ("×" in words(usual=usual)) is has_times


def test_the_rules_say_what_is_allowed():
    assert in_words(of_rule(Rule.BULK_EXPORT, rows=5000, limit=250)) == (
        "exported 5,000 rows; this agent's bulk-export threshold is 250"
    )
    assert in_words(of_rule(Rule.LEAVER_TAKES, rows=60, limit=50)) == (
        "exported 60 rows while leaving; the limit is 50"
    )


def test_searches_are_said_in_the_singular():
    assert words(feature=Feature.SEARCHES, observed=1, usual=0).startswith("searched 1 time; ")
