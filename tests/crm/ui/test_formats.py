"""Numbers, money, dates and masks as people read them."""

import datetime as dt
from decimal import Decimal

import pytest
from babel.numbers import format_decimal
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from crm.i18n import formats
from crm.money.amounts import Money
from crm.templatetags import keelson

NOW = dt.datetime(2026, 3, 29, 12, 30, 5, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("language", "amount", "currency", "shown"),
    [
        ("en", "1234567.5", "EUR", "€1,234,567.50"),
        ("de", "1234567.5", "EUR", "1.234.567,50\xa0€"),
        ("en", "-3", "USD", "−$3.00"),
        ("de", "-3", "USD", "−3,00\xa0$"),
        ("en", "12", "JPY", "¥12"),
        ("en", "0.123", "USD", "$0.123"),
        ("en", "1.5", "KWD", "KWD1.500"),
        ("de", "1234.00000001", "BTC", "1.234,00000001\xa0BTC"),
        ("en", "7.5", "USDT", "7.500000\xa0USDT"),
        ("en", "5", "XYZ", "XYZ\xa05.00"),
        ("hi", "1234567.5", "INR", "₹12,34,567.50"),
    ],
)
def test_money_is_written_as_the_locale_writes_it_with_the_currencys_digits(language, amount, currency, shown):
    with translation.override(language):
        assert formats.money(Decimal(amount), currency).replace("KWD\xa0", "KWD") == shown


@pytest.mark.parametrize(("language", "shown"), [("en", "€1,234.50"), ("de", "1.234,50\xa0€")])
def test_money_with_its_currency_is_written_the_same_way_and_for_machines_in_one_way_only(language, shown):
    money = Money(Decimal("1234.5"), "EUR")
    with translation.override(language):
        assert formats.money(money) == formats.money(money.amount, money.currency) == shown
        assert str(money) == "1234.50 EUR"


@pytest.mark.parametrize(
    ("language", "currency", "shown"),
    [
        ("en", "EUR", "€1,235"),
        ("de", "EUR", "1.235 €"),
        ("en", "JPY", "¥1,235"),
        ("en", "KWD", "KWD 1,235"),
        ("de", "BTC", "1.235 BTC"),
    ],
)
def test_a_figure_read_at_a_glance_has_no_cents(language, currency, shown):
    with translation.override(language):
        assert formats.money(Decimal("1234.56"), currency, is_whole=True).replace("\xa0", " ") == shown


def test_money_shows_signs_and_dashes():
    assert formats.money(Decimal(5), "EUR", sign=True) == "+€5.00"
    assert formats.money(Decimal(0), "EUR", sign=True) == "€0.00"
    assert formats.money(None, "EUR") == "–"
    assert keelson.money(Money(Decimal("-2"), "EUR")) == '<span class="money neg">−€2.00</span>'
    assert keelson.gain(Decimal(2), "EUR") == '<span class="money pos">+€2.00</span>'
    assert keelson.money("not a number", "EUR") == '<span class="money">–</span>'


@given(
    value=st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=6)
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9)
    | st.integers(min_value=-(10**15), max_value=10**15),
    digits=st.none() | st.integers(min_value=0, max_value=5),
    language=st.sampled_from(["en", "de", "fr", "de-ch", "hi", "ru"]),
)
def test_a_number_is_written_as_babel_writes_it_but_for_the_minus(value, digits, language):
    pattern = None if digits is None else "#,##0" + ("." + "0" * digits if digits else "")
    with translation.override(language):
        expected = format_decimal(value, pattern, locale=formats.locale())
        shown = formats.number(value, digits)
    assert "-" not in shown
    is_nothing = not any(figure in expected for figure in "123456789")
    assert shown == (expected.lstrip("-") if is_nothing else expected.replace("-", "\u2212", 1))


def test_numbers_that_are_none_are_written_all_the_same():
    assert formats.number(None) == "–"
    assert formats.number(Decimal("Infinity")) == "∞"


def test_an_instant_is_shown_in_the_readers_zone_and_language():
    with timezone.override("Europe/Berlin"):
        assert formats.moment(NOW) == "Mar 29, 2026, 14:30", "summer time began that morning"
        assert formats.moment(NOW, seconds=True).endswith("14:30:05")
        with translation.override("de"):
            assert formats.moment(NOW) == "29.03.2026, 14:30"
    with timezone.override("Pacific/Auckland"):
        assert formats.day(NOW) == "Mar 30, 2026", "the day of an instant is the reader's"
    assert formats.day(dt.date(2026, 3, 29)) == "Mar 29, 2026"
    assert formats.day(None) == formats.moment(None) == "–"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-10, "just now"),
        (-300, "5 minutes ago"),
        (-3 * 3600, "3 hours ago"),
        (-2 * 86400, "2 days ago"),
        (3 * 3600, "in 3 hours"),
        (-40 * 86400, "Feb 17, 2026"),
    ],
)
def test_ago_speaks_plainly_and_becomes_a_date(seconds, shown):
    assert formats.ago(NOW + dt.timedelta(seconds=seconds), NOW) == shown


def test_ago_of_nothing_is_never():
    assert formats.ago(None) == "never"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("+4915112345678", "+49 ••••••••• 78"),
        ("0151 1234 567", "••••••••• 67"),
        ("12345", "•••••"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_masked_phone_keeps_the_country_and_two_digits(value, shown):
    assert formats.mask_phone(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("clara.weber@example.com", "c•••••@e•••••.com"),
        ("x@y", "x•••••@•••••"),
        ("no address", "•••••"),
        ("@x.de", "•••••"),
        ("", ""),
        (None, ""),
        ("a@mail.example.co.uk", "a•••••@m•••••.uk"),
    ],
)
def test_a_masked_email_says_nothing_about_its_length(value, shown):
    assert formats.mask_email(value) == shown


def test_estimates_have_two_digits():
    assert [formats.approximate(n) for n in (7, 99, 101, 1234, 1_234_567)] == ["7", "99", "100", "1,200", "1,200,000"]


def test_small_things():
    assert [formats.initials(n) for n in ("Clara Weber", "Óscar", "x@y.example", "", "李 伟")] == [
        "CW",
        "ÓS",
        "XE",
        "?",
        "李伟",
    ]
    took = [formats.duration(n).replace("\u00a0", " ") for n in (0, 5, 247, 3723, 40020, 90061, -61, None)]
    assert took == ["0 s", "5 s", "4 min 7 s", "1 h 2 min", "11 h 7 min", "1 d 1 h", "−1 min 1 s", "–"]
    assert formats.duration(dt.timedelta(minutes=3)) == "3\u00a0min"
    assert [formats.duration(n, to_minute=True) for n in (42, 119)] == ["42\u00a0s", "1\u00a0min"]
    assert formats.file_size(900) == "900\xa0B" and formats.file_size(15 * 1024 * 1024) == "15\xa0MB"
    assert formats.number(Decimal("-1234.5")) == "−1,234.5" and formats.number(Decimal("2"), 2) == "2.00"
    assert keelson.hue("Clara") == keelson.hue("Clara") and keelson.at({"a": 1}, "a") == 1 and keelson.at({}, "a") == ""
