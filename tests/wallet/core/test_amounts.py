"""Amounts as people type them become whole minor units, exactly, or words."""

from decimal import Decimal

import pytest

from crm.errors import DomainError
from wallet.core.amounts import minor_of


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("0.01", "EUR", 1), ("1e2", "EUR", 10_000), ("5", "JPY", 5), ("0.00000001", "BTC", 1), ("1.10", "EUR", 110)],
)
def test_what_a_currency_can_hold_is_taken_to_the_unit(amount, currency, minor):
    assert minor_of(Decimal(amount), currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        ("0", "EUR", "above zero"),
        ("-0.01", "EUR", "above zero"),
        ("NaN", "EUR", "above zero"),
        ("Infinity", "EUR", "above zero"),
        ("0.001", "EUR", "decimal places"),
        ("0.5", "JPY", "decimal places"),
        ("0.000000001", "BTC", "decimal places"),
        ("1e20", "EUR", "too large"),
        ("1e999990", "EUR", "too large"),
        ("1e-999990", "EUR", "decimal places"),
        ("100." + "0" * 30 + "1", "EUR", "decimal places"),
        ("10000000000000", "EUR", "too large"),
    ],
)
def test_what_it_can_not_hold_is_refused_in_words(amount, currency, words):
    with pytest.raises(DomainError, match=words):
        minor_of(Decimal(amount), currency)
