"""Suspected abuse in the demo: planted are trades alone, and the detectors find them, at every hour of every day."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from django.utils import timezone

from clients.choices import Stage
from clients.identifiers import IdentifierKind, learn
from crm.demo import Demo
from risk.abuse.challenge_findings import findings_of
from risk.abuse.models import AbuseEpisode
from risk.demo import find_abuse
from tests.cast import make_client
from tests.prop.judge.running import run_phase
from tests.trading.factories import make_account, make_server, make_type
from trading import demo as trading_demo
from trading.demo import AccountJourney, hedgers
from trading.demo.market import PricePaths
from trading.demo.traders import Ledger


def journey(cast, server, name: str, deposit: int = 100_000) -> AccountJourney:
    since = timezone.now() - dt.timedelta(days=60)
    client = make_client(
        email=f"{name}@x.example",
        brand=cast.brand,
        book=cast.client.book,
        login=False,
        stage=Stage.ACTIVE,
        registered_at=since,
    )
    account = make_account(client, server, account_type=server.account_types.get())
    account.opened_at = since
    return AccountJourney(client, account, Ledger(deposits=[(since, deposit)], balance=deposit))


@pytest.mark.django_db
def test_the_detectors_find_the_pair_that_shares_a_device(cast):
    server = make_server()
    make_type(cast.brand, server)
    now = timezone.now()
    demo = Demo(rng=random.Random(1), now=now, progress=lambda *_: None, brands=[cast.brand])
    poor, alone, one, two = (
        journey(cast, server, name, deposit)
        for name, deposit in (("poor", 500), ("alone", 100_000), ("one", 100_000), ("two", 100_000))
    )
    for linked in (one, two):
        learn(linked.client.pk, IdentifierKind.DEVICE, "their tablet")
    paths = PricePaths(demo.rng, demo.since - dt.timedelta(days=60), now)
    journeys = [poor, alone, one, two]
    assert hedgers.plant(demo, paths, journeys) == [one, two]
    assert not alone.ledger.trades and len(one.ledger.trades) == hedgers.TRADES
    for planted in (one, two):
        assert planted.balance == 100_000 + sum(row.profit + 2 * row.commission for row in planted.ledger.trades) > 0
    trading_demo._write_deals(demo, journeys)
    for planted in (one, two):
        planted.account.last_trade_at = max(row.closed for row in planted.ledger.trades)
        planted.account.save()
    find_abuse(demo)
    # Who shares a device, opened accounts in the same days and trades as one is likely one person, too.
    kinds = set(AbuseEpisode.objects.values_list("kind", flat=True))
    assert kinds == {"hedge", "multi"}
    episode = AbuseEpisode.objects.get(kind="hedge")
    assert (episode.state, episode.facts["matches"]) == ("open", hedgers.TRADES)
    assert episode.accounts == sorted([one.account.pk, two.account.pk])
    # What the worker finds later is the same.
    find_abuse(demo)
    assert AbuseEpisode.objects.count() == 2


@pytest.mark.django_db
def test_the_detectors_find_a_challenge_hedged_with_its_traders_own_account(cast):
    server, now = make_server(), timezone.now()
    row = run_phase(cast, server=server)
    demo = Demo(rng=random.Random(1), now=now, progress=lambda *_: None, brands=[cast.brand])
    own, quiet = (journey(cast, server, name) for name in ("own", "quiet"))
    young = now - dt.timedelta(days=6)
    row.account.client, row.account.is_demo, row.account.opened_at = own.client, True, young
    row.account.save()
    simulated = AccountJourney(own.client, row.account, Ledger(deposits=[(young, 1_000_000)], balance=1_000_000))
    paths = PricePaths(demo.rng, demo.since - dt.timedelta(days=60), now)
    pair = hedgers.plant_on_challenge(demo, paths, [simulated], [own, quiet])
    assert pair == [simulated, own] and not quiet.ledger.trades
    assert abs(simulated.balance - 1_000_000) < 10_000  # less than a hundredth, which the smallest target is
    trading_demo._write_deals(demo, pair)
    for planted in pair:
        planted.account.last_trade_at = max(trade.closed for trade in planted.ledger.trades)
        planted.account.save()
    find_abuse(demo)
    (found,) = findings_of(row)
    assert (found.style, found.is_confirmed) == ("hedge", False)


def test_the_planted_trades_are_over_at_any_hour():
    for hour in range(0, 7 * 24, 5):
        now = dt.datetime(2026, 3, 1, 0, 5, tzinfo=dt.UTC) + dt.timedelta(hours=hour)
        times = list(hedgers._times(random.Random("hedgers"), now))
        assert len(times) == hedgers.TRADES and all(at.weekday() < 5 for at in times)
        assert max(times) + hedgers.HELD + dt.timedelta(seconds=3) < now
        assert min(times) > now - dt.timedelta(days=hedgers.BACK_DAYS)
