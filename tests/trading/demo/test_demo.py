"""The demo's trading part holds every invariant, and the sandbox server tells the same story to the cent."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count

from clients.facts import FACTS, differences
from clients.models import Client
from crm import demo as house
from crm.models import User
from crm.rates.fx import load_bundled_rates
from launcher.supervisor import sandboxes
from tests.trading.sandbox_process import started
from tests.trading.sandbox_server import running_sandbox
from tests.worlds import undone
from trading import demo
from trading.models import (
    AccountRequest,
    BalanceOperation,
    Deal,
    DealEdit,
    EquityPoint,
    PlatformIssue,
    ReconcileBreak,
    StagedLogin,
    SymbolInfo,
    SyncCursor,
    TradingAccount,
    TradingServer,
)
from trading.platforms import pool
from trading.sync import backfill, deals, money, reconcile

STAGES = ["verified", "funded", "active", "active", "active", "dormant", "registered"]


def user_for(number: int, brand_id: int) -> User:
    return User.objects.create_user(
        username=f"client{number}", email=f"client{number}@example.com", kind="client", brand_id=brand_id
    )


def brokerage() -> house.Demo:
    """A small one with 42 clients in all stages."""
    load_bundled_rates(since=dt.date(2025, 1, 1))
    context = house.Demo(
        rng=random.Random(5), now=dt.datetime.now(dt.UTC).replace(microsecond=0), progress=lambda *_: None, scale=0.02
    )
    house.load_house(context)
    for number in range(42):
        agent = context.agents[number % len(context.agents)]
        registered = context.now - dt.timedelta(days=5 + number * 3)
        Client.objects.create(
            brand_id=agent.brand_id,
            book=context.books[agent.pk],
            owner=agent,
            first_name=f"Client{number}",
            last_name="Müller",
            email=f"client{number}@example.com",
            stage=STAGES[number % len(STAGES)],
            kyc_level=1,
            created_at=registered,
            registered_at=registered,
            user=user_for(number, agent.brand_id),
        )
    demo.load(context)
    return context


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: Any) -> Iterator[house.Demo]:
    """Built once for the module; its transaction ends with it."""
    with undone(django_db_blocker):
        yield brokerage()


@pytest.fixture
def context(built: house.Demo, django_db_blocker: Any) -> Iterator[house.Demo]:
    """What a test does to it is undone at its end."""
    with undone(django_db_blocker):
        yield built


def test_balances_are_the_sum_of_deals(context: house.Demo) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.login, a.balance, coalesce(sum(d.profit + d.commission + d.swap + d.fee), 0) "
            "FROM trading_tradingaccount a LEFT JOIN trading_deal d ON d.account_id = a.id GROUP BY a.id"
        )
        rows = cursor.fetchall()
    assert len(rows) >= 30
    assert [row for row in rows if row[1] != row[2]] == []
    assert all(balance >= 0 for _login, balance, _sum in rows)


def test_stages_facts_and_transfers_agree(context: house.Demo) -> None:
    for name in ("last_trade_at", "equity"):
        assert list(differences(FACTS[name])) == []
    by_stage = {stage: Client.objects.filter(stage=stage) for stage in STAGES}
    assert not by_stage["registered"].filter(trading_accounts__isnull=False).exists()
    assert not by_stage["funded"].filter(last_trade_at__isnull=False).exists()
    assert not by_stage["active"].filter(last_trade_at__isnull=True).exists()
    assert not by_stage["dormant"].filter(last_trade_at__isnull=True).exists()
    long_dormant = by_stage["dormant"].filter(registered_at__lt=context.now - dt.timedelta(days=60))
    assert long_dormant.exists()
    assert not long_dormant.filter(last_trade_at__gt=context.now - dt.timedelta(days=40)).exists()
    transfers = context.extra["trading_transfers"]
    assert len(transfers) == BalanceOperation.objects.count() > 20
    assert [t.at for t in transfers] == sorted(t.at for t in transfers)
    for account in TradingAccount.objects.filter(is_demo=False):
        moved = sum((t.amount for t in transfers if t.account_id == account.pk), Decimal(0))
        booked = Deal.objects.filter(account=account, action=2).values_list("profit", flat=True)
        assert moved == sum(booked, Decimal(0))


def test_nothing_happens_before_its_time(context: house.Demo) -> None:
    assert not Deal.objects.filter(executed_at__gt=context.now).exists()
    for account in TradingAccount.objects.all():
        first = Deal.objects.filter(account=account).order_by("executed_at").first()
        assert first is None or (first.action == 2 and first.executed_at > account.opened_at)
    assert EquityPoint.objects.count() > 100


def test_the_same_seed_makes_the_same_brokerage(context: house.Demo) -> None:
    paths = [
        demo.PricePaths(random.Random(3), context.since, context.now).middle("EURUSD", context.now) for _again in (1, 2)
    ]
    assert paths[0] == paths[1] == pytest.approx(1.086, rel=0.01)


def test_the_sandbox_tells_the_same_story(context: house.Demo, tmp_path, settings) -> None:
    servers = list(TradingServer.objects.filter(kind="mt5").order_by("pk"))
    assert [server.transport for server in servers] == ["raw", "rest"]
    with running_sandbox(tmp_path / "state.sqlite", "--import", str(demo.import_path())) as sandbox:
        settings.SANDBOX_MT5, settings.SANDBOX_MT5_REST = f"127.0.0.1:{sandbox.port}", f"127.0.0.1:{sandbox.rest_port}"
        settings.SANDBOX_MT5_CERTIFICATE = str(tmp_path / "state.sqlite.crt")
        strangers = StagedLogin.objects.filter(account__isnull=True).count()
        listed = TradingAccount.objects.filter(missing_since__isnull=True, server__kind="mt5").count()
        assert sandbox.state()["users"] == listed + strangers
        before = {a.login: (a.balance, a.equity_base) for a in TradingAccount.objects.all()}
        known, asked = Deal.objects.count(), PlatformIssue.objects.count()
        try:
            for server in servers:  # one over each form of the Web API, each with its own groups
                first_day = (context.since - dt.timedelta(days=61)).date()
                span = backfill.start(server_id=server.pk, first_day=first_day, actor=None, system=True)
                list(backfill.work(span.pk))
                reconcile.reconcile(server)
                assert deals.sync_deals(server, overlap=dt.timedelta(hours=26)) is not None
                money.sync_money(server)
        finally:
            pool.close_all()
    assert (Deal.objects.count(), DealEdit.objects.count(), PlatformIssue.objects.count()) == (known, 0, asked)
    # The night heals what the demo left open, and finds nothing of its own.
    assert not ReconcileBreak.objects.filter(state="open").exists()
    assert {a.login: (a.balance, a.equity_base) for a in TradingAccount.objects.all()} == before
    assert list(differences(FACTS["equity"])) == []


def test_every_other_platform_tells_the_same_story(context: house.Demo, tmp_path, settings) -> None:
    """Each server reads what the demo left for it; its adapter brings nothing new, nothing changed and no other sum."""
    known, asked = Deal.objects.count(), PlatformIssue.objects.count()
    before = {a.pk: a.balance for a in TradingAccount.objects.all()}
    settings.SANDBOX_PLATFORMS = dict(settings.SANDBOX_PLATFORMS)
    settings.SANDBOX_CTRADER_CERTIFICATE = str(tmp_path / "ctrader.sqlite.crt")
    others = list(TradingServer.objects.exclude(kind="mt5").order_by("pk"))
    assert [server.kind for server in others] == [server.name for server in sandboxes.SERVERS[1:]]
    with ExitStack() as stack:
        stack.callback(pool.close_all)
        for server, table in zip(others, sandboxes.SERVERS[1:], strict=True):
            flags = [word for listener in table.listeners for word in (listener.flag, "0")]
            imported = ("--import", str(demo.import_path(server.kind)))
            running = stack.enter_context(started(server.kind, tmp_path / f"{server.kind}.sqlite", *flags, *imported))
            for listener in table.listeners:
                short = "port" if listener.flag == "--port" else listener.flag.strip("-").replace("-", "_")
                port = running.ports[f"{server.kind}_port" if short == "port" else short]
                settings.SANDBOX_PLATFORMS[listener.name] = f"127.0.0.1:{port}"
            accounts = server.accounts.count()
            assert running.state()["users"] == accounts >= 2
            platform, told = pool.platform_for(server), 0
            for login in server.accounts.values_list("login", flat=True):
                theirs = list(platform.deals_of(login, from_msc=0, to_msc=2**45))
                told += len(theirs)
                taken = deals.take_in(server, theirs)
                assert not taken.new and not taken.changed, (server.kind, [d for d in theirs if d.ticket in taken.new])
            assert told == Deal.objects.filter(server=server).count() > 5
            assert deals.sync_deals(server) is not None
            assert money.sync_money(server) == accounts
            assert not reconcile.check_balances(server)
            assert not SyncCursor.objects.filter(server=server, failures__gt=0).exists()
    assert (Deal.objects.count(), DealEdit.objects.count(), PlatformIssue.objects.count()) == (known, 0, asked)
    assert not ReconcileBreak.objects.filter(state="open", server__in=others).exists()
    assert {a.pk: a.balance for a in TradingAccount.objects.all()} == before


def test_one_client_has_accounts_on_every_platform(context: house.Demo) -> None:
    by_client = TradingAccount.objects.values("client").annotate(kinds=Count("server__kind", distinct=True))
    (everywhere,) = by_client.filter(kinds=5)
    mine = Deal.objects.filter(account__client=everywhere["client"], action__in=[0, 1])
    assert set(mine.values_list("account__server__kind", flat=True)) == {
        "mt5",
        "mt4",
        "ctrader",
        "matchtrader",
        "sirix",
    }
    for server in TradingServer.objects.exclude(kind="mt5"):
        assert server.accounts.values("client").distinct().count() >= 2
        infos = SymbolInfo.objects.filter(server=server)
        assert not infos.filter(symbol_group="").exists()


def test_wishes_imports_and_a_vanished_account_are_there(context: house.Demo) -> None:
    states = set(AccountRequest.objects.values_list("state", flat=True))
    assert states == {"waiting", "granted", "refused", "withdrawn", "undone"}
    assert TradingAccount.objects.filter(missing_because="gone").count() == 1
    assert TradingAccount.objects.filter(imported_at__isnull=False).count() >= 1
    verdicts = list(StagedLogin.objects.filter(state="waiting").order_by("login").values_list("verdict", flat=True))
    assert verdicts == ["clean", "clean", "perhaps", "no_client", "no_client", "no_type"]
