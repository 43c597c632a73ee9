"""One client with an account on every platform sees one portfolio; one partner earns from the trades on all of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import pytest
from django.test import RequestFactory
from django.utils import timezone

from clients.facts import fact_of
from crm.i18n import formats
from ib import engine, explain, plans
from ib.models import Accrual
from tests.cast import Cast
from tests.ib import factories
from tests.trading.contract.arena import Arena, arenas
from tests.trading.factories import make_account
from tests.trading.sandbox_process import SandboxProcess
from trading.accounts.views.accounts import trading_tab
from trading.models import Deal, Position, SymbolInfo, TradingAccount
from trading.platforms import pool
from trading.symbols import mapping
from trading.sync import deals, money, positions
from wallet.documents import statement

pytestmark = pytest.mark.django_db
PLATFORMS = {"mt5", "mt4", "ctrader", "matchtrader", "sirix"}
LOTS = {"mt5": "0.10", "mt4": "0.20", "ctrader": "0.30", "matchtrader": "0.40", "sirix": "0.50"}


@pytest.fixture
def everywhere(
    cast: Cast, running: Callable[[type[Arena]], SandboxProcess], settings: Any
) -> Iterator[dict[str, TradingAccount]]:
    """The client's account on each platform, with money, a trade that is over and a position; all of it read."""
    settings.TRADING_READ_SECONDS = 8.0
    factories.load_rates(timezone.now().date())
    found = {}
    with ExitStack() as stack:
        for arena_class in {arena.kind: arena for arena in reversed(arenas())}.values():
            arena = arena_class(running(arena_class))
            stack.enter_context(arena.process.awake())
            arena.process.post("faults/clear")
            server = arena.row(name=f"Server {arena.kind}")
            server.save()
            login = arena.account(money="10000.00")
            account = make_account(cast.client, server, login=login, group=arena.group("real\\standard-EUR"))
            arena.close(arena.trade(login, "EURUSD", LOTS[arena.kind]))
            arena.trade(login, "XAUUSD", "0.10", side="sell")
            deals.sync_deals(server)
            positions.sync_positions(server)
            money.sync_money(server)
            account.refresh_from_db()
            found[arena.kind] = account
        proposed = SymbolInfo.objects.filter(alias__state="proposed").values_list("pk", flat=True)
        mapping.confirm(info_ids=list(proposed), actor=cast.finance)
        yield found
        pool.close_all()


def test_one_client_one_portfolio_whatever_the_platforms(
    cast: Cast, everywhere: dict[str, TradingAccount], browse: Any
) -> None:
    assert everywhere.keys() == PLATFORMS
    equity = sum((account.equity_base for account in everywhere.values()), Decimal(0))
    cast.client.refresh_from_db()
    assert fact_of(cast.client, "equity") == equity and 49_000 < equity < 51_000
    request = RequestFactory().get(f"/clients/{cast.client.pk}/?tab=trading")
    request.user, request.htmx = cast.agent, False
    tab = trading_tab(request, cast.client).content.decode()
    assert formats.money(equity, "EUR") in tab  # in one currency
    held = Position.objects.filter(account__in=everywhere.values())
    assert held.count() == 5 and {one.lots for one in held} == {Decimal("0.10")}
    for account in everywhere.values():
        assert account.login in tab
        trades = Deal.objects.filter(account=account, action__in=[0, 1])
        assert trades.filter(entry=1).get().closed_lots == Decimal(LOTS[account.server.kind])
    for symbol in set(held.values_list("symbol", flat=True)):
        assert symbol in tab
    room = browse(cast.client_user).get("/portal/accounts/").content.decode()
    assert all(account.login in room for account in everywhere.values())
    today = timezone.now().date()
    told = statement.gather(cast.client, today - dt.timedelta(days=2), today + dt.timedelta(days=1))
    assert {part.login for part in told.trading} == {account.login for account in everywhere.values()}


def test_one_partner_earns_from_every_platform_explained_to_the_trade(
    cast: Cast, everywhere: dict[str, TradingAccount]
) -> None:
    partner = factories.make_partner(cast.brand)
    version = factories.make_version(
        cast.brand,
        cast.ib_manager,
        cast.finance,
        min_hold_seconds=0,
        rate_card=factories.card(rates={"fx_majors": "10"}, shares={1: "1"}),
    )
    plans.assign_plan(partner_id=partner.pk, plan_id=version.plan_id, actor=None, at=factories.LONG_AGO)
    factories.refer(cast.client, partner)
    closings = Deal.objects.filter(account__in=everywhere.values(), entry=1)
    engine.run_for_deals(deal_ids=list(closings.values_list("pk", flat=True)))
    for kind, account in everywhere.items():
        accrual = Accrual.objects.get(partner=partner, deal_id=closings.get(account=account).pk)
        assert accrual.amount == 10 * Decimal(LOTS[kind]), (kind, accrual.reason)
        told = " | ".join(f"{step.text} {step.figure}" for step in explain.explain(accrual, for_staff=True))
        assert LOTS[kind].rstrip("0") in told, told
