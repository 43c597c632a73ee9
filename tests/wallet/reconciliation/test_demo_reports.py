"""The demo's settlement reports: on any day, with enough payments, every story is in them, and each report proves itself."""

import datetime as dt
import io

import pytest

from wallet.demo.psps import OFFER
from wallet.demo.reports import months_until, report, weeks_of
from wallet.demo.rows import Row
from wallet.demo.seeded_breaks import BANK, CARDS, plant
from wallet.psp.settlement_csv import PlainReader

STORIES = {
    "timing",
    "stranger",
    "test",
    "waiting",
    "taken-back",
    "duplicate",
    "missing-there",
    "currency",
    "chargeback",
    "other-reference",
    "wrong-client",
    "fee",
    "long-missing",
    "explained",
}
# A Sunday, the first of a month and of a year, the end of a year, a leap day and the days beside it, a month of 28 days.
DAYS = ["2026-11-22", "2026-12-01", "2027-01-01", "2026-12-31", "2028-02-29", "2028-02-28", "2028-03-01", "2027-03-01"]


def history(today: dt.date) -> list[Row]:
    """Six payments and a payout a day at each PSP, for three months."""
    rows = []
    for back in range(92):
        day = today - dt.timedelta(days=back)
        for psp in (CARDS, BANK):
            for number in range(7):
                minor = 10_000 + 100 * number + back
                minor = -minor if number == 6 else minor
                at = dt.datetime.combine(day, dt.time(3 + 3 * number, number), tzinfo=dt.UTC)
                rows.append(
                    Row(
                        psp,
                        "payment" if minor > 0 else "payout",
                        f"p_{psp}_{day:%Y%m%d}_{number}00",
                        f"D-{psp}{back}-{number}",
                        minor,
                        OFFER[psp].fee(minor) if minor > 0 else OFFER[psp].payout_minor,
                        "EUR",
                        at,
                        client_id=1 + number,
                    )
                )
    return rows


@pytest.mark.parametrize("day", DAYS)
def test_every_story_is_told_on_any_day_and_no_payment_is_in_two(day):
    today = dt.date.fromisoformat(day)
    rows = history(today)
    planted = plant(rows, today)
    assert set(planted.stories) == STORIES
    assert not planted.dropped & planted.replaced.keys()
    told = planted.changed(rows)
    assert len(told) == len(rows) - len(planted.dropped) + len(planted.added)
    assert all(row.at.date() < today for row in planted.added)


@pytest.mark.parametrize("day", DAYS)
def test_reports_follow_each_other_without_gaps_and_prove_themselves(day):
    today = dt.date.fromisoformat(day)
    rows = history(today)
    told = [row for row in plant(rows, today).changed(rows) if row.psp == CARDS]
    yesterday = today - dt.timedelta(days=1)
    spans = weeks_of(months_until(yesterday))
    assert spans[-1][1] == yesterday
    assert [first for first, _last in spans[1:]] == [last + dt.timedelta(days=1) for _first, last in spans[:-1]]
    count = 0
    for first, last in spans:
        reader = PlainReader(io.BytesIO(report(told, CARDS, first, last)))
        count += len(list(reader.rows()))
        assert first <= reader.first_day <= reader.last_day <= last
    assert count == len([row for row in told if spans[0][0] <= row.at.date() <= yesterday])


def test_a_week_in_which_nothing_moved_has_a_report_with_its_balances_only():
    row = Row(CARDS, "payment", "p1", "D-1", 10_000, 215, "EUR", dt.datetime(2026, 9, 3, 12, tzinfo=dt.UTC))
    reader = PlainReader(io.BytesIO(report([row], CARDS, dt.date(2026, 11, 1), dt.date(2026, 11, 7))))
    assert list(reader.rows()) == []
    assert (reader.first_day, reader.last_day) == (dt.date(2026, 11, 1), dt.date(2026, 11, 7))
    assert reader.opening == reader.closing == {"EUR": 9_785}


def test_a_demo_without_payments_has_no_report():
    assert report([], CARDS, *months_until(dt.date(2026, 11, 21))[0]) == b""
    assert set(plant([], dt.date(2026, 11, 22)).stories) == {"stranger", "test"}
