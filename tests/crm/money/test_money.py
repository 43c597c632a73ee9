from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.money.amounts import EXPONENTS, Money, exponent, from_minor, quantize, to_minor

currencies = st.sampled_from(["EUR", "USD", "JPY", "KWD", "BTC", "USDT", *EXPONENTS])


@given(st.integers(-(10**15), 10**15), currencies)
def test_minor_units_go_there_and_back(minor, currency):
    assert to_minor(from_minor(minor, currency), currency) == minor


@given(st.decimals(-(10**9), 10**9, places=9), currencies)
def test_rounding_moves_an_amount_by_less_than_one_smallest_unit(amount, currency):
    assert abs(quantize(amount, currency) - amount) <= Decimal(1).scaleb(-exponent(currency))


def test_an_amount_finer_than_the_currency_is_refused_not_rounded():
    with pytest.raises(ValueError, match="smallest unit of JPY"):
        to_minor(Decimal("1.5"), "JPY")


def test_two_currencies_never_add_up():
    with pytest.raises(TypeError, match="EUR and USD"):
        Money(Decimal(1), "EUR") + Money(Decimal(1), "USD")


def test_money_of_one_currency_adds_up():
    assert Money(Decimal("1.10"), "EUR") + Money(Decimal("2.25"), "EUR") - Money.of_minor(35, "EUR") == Money(
        Decimal("3.00"), "EUR"
    )
