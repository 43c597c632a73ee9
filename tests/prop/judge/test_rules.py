"""Rules of a phase: what is refused, in which words; what they mean in money."""

from decimal import Decimal

import pytest

from prop.judge.rules import InvalidRules, Limits, MaximumLoss, Rules
from tests.prop.judge.worlds import rules

FINER = "Enter an amount with the decimal places of its currency."
BASE = {"currency": "EUR", "starting_balance": "10000"}
EVERYTHING = rules(
    profit_target=Decimal(8),
    daily_loss=Decimal(5),
    maximum_loss=Decimal(10),
    maximum_loss_kind=MaximumLoss.TRAILING_EQUITY,
    maximum_loss_locks=True,
    minimum_days=4,
    maximum_days=30,
    inactive_days=1,
    largest_day=Decimal("33.5"),
    weekend_holding=False,
    news_minutes=2,
    lots_max=Decimal("2.5"),
    trade_lots_max=Decimal(1),
    leverage_max=Decimal(30),
    starting_balance=Decimal(10000),
)


@pytest.mark.parametrize(
    "values, field, message",
    [
        ({"daily_loss": "0"}, "daily_loss", "Enter a percentage above zero and at most 100."),
        ({"daily_loss": "100.01"}, "daily_loss", "Enter a percentage above zero and at most 100."),
        ({"daily_loss": "NaN"}, "daily_loss", "Enter a percentage above zero and at most 100."),
        ({"daily_loss": "1.23456"}, "daily_loss", "Enter at most four decimal places."),
        ({"daily_loss": "five"}, "daily_loss", "Enter a valid value."),
        (
            {"daily_loss": "6", "maximum_loss": "5"},
            "daily_loss",
            "The daily loss can’t be larger than the maximum loss.",
        ),
        ({"minimum_days": 3, "maximum_days": 2}, "minimum_days", "The minimum can’t be more days than the maximum."),
        ({"minimum_days": 3}, "minimum_days", "Minimum days need a profit target."),
        ({"minimum_days": "2.5"}, "minimum_days", "Enter a valid value."),
        ({"inactive_days": 3661}, "inactive_days", "Enter a number of days between 1 and 3,660."),
        ({"maximum_loss_locks": True}, "maximum_loss_locks", "Only a trailing loss can lock at the starting balance."),
        ({"maximum_loss_locks": "yes"}, "maximum_loss_locks", "Enter a valid value."),
        ({"starting_balance": "10000.001"}, "starting_balance", FINER),
        ({"currency": "JPY", "starting_balance": "0.5"}, "starting_balance", FINER),
        ({"starting_balance": None}, "starting_balance", "Enter a value."),
        ({"zone": "Athens"}, "zone", "Enter a time zone such as Europe/Athens."),
        ({"currency": "€"}, "currency", "Enter a currency code such as EUR."),
        ({"lots_max": "1E+99999"}, "lots_max", "Enter a number above zero."),
        ({"news_minutes": 241}, "news_minutes", "Enter between 1 and 240 minutes."),
        ({"dayly_loss": 5}, "dayly_loss", "There is no such rule."),
    ],
)
def test_rules_that_cannot_be_judged_are_refused(values, field, message):
    with pytest.raises(InvalidRules) as refusal:
        Rules.from_json({**BASE, **values})
    assert (field, message) in [(problem.field, str(problem.message)) for problem in refusal.value.problems]


def test_rules_written_and_read_again_are_the_same():
    assert Rules.from_json(EVERYTHING.to_json()) == EVERYTHING


def test_shares_that_are_no_whole_unit_benefit_the_trader():
    """1.3333 % of 1,000.01 EUR are 13.33313333: a loss of 13.34 may be reached, a profit of 13.33 is enough."""
    limits = Limits(
        rules(starting_balance=Decimal("1000.01"), daily_loss=Decimal("1.3333"), profit_target=Decimal("1.3333"))
    )
    assert (limits.daily, limits.target) == (1334, 100_001 + 1333)
    assert Limits(rules(currency="JPY", maximum_loss=Decimal(10))).maximum == 100
