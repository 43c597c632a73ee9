"""One account with more deals than are read, and deals with impossible times: judged all the same, and the finding says so."""

import datetime as dt

import pytest
from django.utils import timezone

from risk.abuse import loading, scoring
from risk.abuse.texts import reservations
from tests.risk.abuse.test_episodes import hedged_accounts, round_trips, write_deals

pytestmark = pytest.mark.django_db


def test_only_so_many_deals_of_an_account_are_read(cast, monkeypatch):
    """The newest of an account, by the statement's own limit: a million of them cost no more."""
    first, second = hedged_accounts(cast)
    write_deals(round_trips(first, 0, first=301, count=3, late=3600))
    monkeypatch.setattr(loading, "DEALS_PER_ACCOUNT_MAX", 16)
    live = loading.load(cast.brand, [first.pk, second.pk])
    assert live.capped == {first.pk, second.pk} and len(live.book) <= 16
    assert {name: len(rows) for name, rows in zip("ab", live.book.rows_of, strict=True)}["a"] <= 8
    (episode,) = scoring.score_accounts(cast.brand, [first.pk, second.pk])
    assert episode.facts["newest_deals"] == 16
    assert reservations(episode.facts) == ["Only the newest 16 deals of an account were judged; there are more."]


def test_trades_with_impossible_times_are_left_out_and_named(cast, browse):
    first, second = hedged_accounts(cast)
    now = timezone.now()
    day, minute = dt.timedelta(days=1), dt.timedelta(minutes=1)
    write_deals(
        [
            (first, 801, 801, 0, 0, 1, 1.1, 0, now - day),  # closed before it opened
            (first, 802, 801, 1, 1, 1, 1.1, 900, now - day - minute),
            (first, 803, 803, 0, 0, 1, 1.1, 0, now + day),  # by a clock that is a day ahead
            (second, 804, 804, 0, 0, 1, 1.1, 0, now + dt.timedelta(seconds=90)),  # a clock that is a little ahead
        ]
    )
    live = loading.load(cast.brand, [first.pk, second.pk])
    assert (dict(live.left_out), dict(live.ahead)) == ({first.pk: 1}, {first.pk: 1}) and len(live.book) == 18
    (episode,) = scoring.score_accounts(cast.brand, [first.pk, second.pk])
    assert (episode.facts["left_out"], episode.facts["ahead"], episode.stake) == (1, 1, 400)
    said = reservations(episode.facts)
    assert [text.partition(":")[0] for text in said] == ["1 trade was left out", "1 trade lies in the future"]
    assert said[0] in browse(cast.mlro).get(episode.get_absolute_url()).content.decode()
