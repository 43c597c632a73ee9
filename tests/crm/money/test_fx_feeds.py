"""Feeds of rates: the ECB's form, read within bounds; nothing unbelievable is kept; whose currency it is."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine

from crm.models import FxFeed, FxRate
from crm.money import bank_days
from crm.rates import feeds

MONDAY = dt.datetime(2026, 11, 23, 10, tzinfo=dt.UTC)
ECB = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<gesmes:subject>Reference rates</gesmes:subject><Cube><Cube time='{day}'>{cubes}</Cube></Cube></gesmes:Envelope>"""


def document(day: str = "2026-11-20", **rates: str) -> bytes:
    cubes = "".join(f"<Cube currency='{code}' rate='{rate}'/>" for code, rate in rates.items())
    return ECB.format(day=day, cubes=cubes).encode()


@pytest.mark.parametrize(
    ("day", "is_one"),
    [
        ("2026-11-23", True),
        ("2026-11-22", False),
        ("2026-04-03", False),
        ("2026-04-06", False),
        ("2026-04-07", True),
        ("2026-05-01", False),
        ("2026-12-25", False),
        ("2026-12-24", True),
        ("2027-01-01", False),
        ("2027-03-26", False),
        ("2024-03-29", False),
        ("2038-04-26", False),
    ],
)
def test_weekends_and_closing_days_of_t2_are_no_bank_days(day, is_one):
    assert bank_days.is_bank_day(dt.date.fromisoformat(day)) is is_one


def test_over_easter_thursday_s_rates_are_one_bank_day_old_on_tuesday():
    assert bank_days.bank_days_after(dt.date(2026, 4, 2), dt.date(2026, 4, 6)) == 0
    assert bank_days.bank_days_after(dt.date(2026, 4, 2), dt.date(2026, 4, 7)) == 1
    assert bank_days.last_published(dt.datetime(2026, 4, 7, 9, tzinfo=dt.UTC)) == dt.date(2026, 4, 2)
    assert bank_days.bank_days_after(dt.date(1999, 1, 4), dt.date(2026, 4, 7)) > 5_000


@time_machine.travel(MONDAY, tick=False)
def test_the_form_of_the_ecb_is_read():
    rows = feeds.parse(document(USD="1.0812", JPY="168.5"))
    assert rows == [
        feeds.Published(dt.date(2026, 11, 20), "USD", Decimal("1.0812")),
        feeds.Published(dt.date(2026, 11, 20), "JPY", Decimal("168.5")),
    ]


BOMB = b"<!DOCTYPE a [<!ENTITY b 'x'><!ENTITY c '&b;&b;&b;'>]><a>&c;</a>"


@time_machine.travel(MONDAY, tick=False)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "can't be read"),
        (document(USD="1.08")[:-30], "can't be read"),
        (BOMB, "can't be read"),
        (document(), "no rates"),
        (b"<html/>", "no rates"),
        (document("2026-11-24", USD="1.08"), "a future day"),
        (document("2026-02-30", USD="1.08"), "can't be read"),
        (document(USD="0"), "no rate"),
        (document(USD="-1"), "no rate"),
        (document(USD="NaN"), "no rate"),
        (document(USD="1e5"), "no rate"),
        (document(USD="9" * 5_000), "no rate"),
        (document(USD="1,08"), "no rate"),
        (document(usd="1.08"), "isn't a currency"),
        (b"<a>" + b" " * feeds.BYTES_MAX, "too large"),
    ],
)
def test_what_is_no_feed_is_refused_in_words(content, words):
    with pytest.raises(feeds.FeedError, match=words):
        feeds.parse(content)


@pytest.fixture
def feed(tmp_path, settings):
    """Write what a file feed holds, and read it in."""

    def write(name: str = "first.xml", day: str = "2026-11-20", **rates: str) -> FxFeed:
        (tmp_path / name).write_bytes(document(day, **rates))
        address = str(tmp_path / name)
        if address not in settings.FX_FEEDS:
            settings.FX_FEEDS = [*settings.FX_FEEDS, address]
        feeds.fetch(address)
        return FxFeed.objects.get(name=name)

    return write


def rates() -> dict[str, Decimal]:
    return {row.currency: row.rate for row in FxRate.objects.order_by("on")}


@pytest.mark.django_db
@time_machine.travel(MONDAY, tick=False)
def test_a_day_s_rate_is_kept_once_and_a_coin_s_price_is_renewed(feed):
    feed(day="2026-11-23", USD="1.08", USDT="1.081")
    feed(day="2026-11-23", USD="1.09", USDT="1.082")
    assert rates() == {"USD": Decimal("1.08"), "USDT": Decimal("1.082")}
    assert FxRate.objects.get(currency="USDT").loaded_at == MONDAY


@pytest.mark.django_db
@time_machine.travel(MONDAY, tick=False)
def test_a_rate_with_a_slipped_comma_is_not_believed(feed):
    feed(USD="1.08", GBP="0.85")
    told = feed(day="2026-11-23", USD="10.8", GBP="0.86")
    assert told.error == "Not believed, too far from the last rate: USD"
    assert rates() == {"USD": Decimal("1.08"), "GBP": Decimal("0.86")}


@pytest.mark.django_db
@time_machine.travel(MONDAY, tick=False)
def test_a_currency_belongs_to_the_feed_that_gave_it_first(feed):
    feed("first.xml", USD="1.08")
    feed("second.xml", day="2026-11-23", USD="1.09", USDT="1.081")
    assert rates() == {"USD": Decimal("1.08"), "USDT": Decimal("1.081")}
    assert FxRate.objects.get(currency="USDT").source == "second.xml"


@pytest.mark.django_db
def test_a_feed_that_is_not_there_is_said_so_and_stops_no_other(settings, tmp_path, feed):
    settings.FX_FEEDS = [str(tmp_path / "none.xml"), "gopher://rates"]
    with time_machine.travel(MONDAY, tick=False):
        feed("first.xml", USD="1.08")
        assert feeds.fetch_all() == 0
    assert "No such file" in FxFeed.objects.get(name="none.xml").error
    assert "supported rate feed" in FxFeed.objects.get(name__startswith="gopher").error
    assert FxFeed.objects.get(name="first.xml").error == ""


@pytest.mark.django_db
def test_the_bundled_file_and_the_feed_of_the_ecb_are_one_source(settings):
    assert feeds.name_of("https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist-90d.xml") == "ECB"
    assert feeds.name_of("https://rates.example.com/feed?key=secret") == "rates.example.com"
