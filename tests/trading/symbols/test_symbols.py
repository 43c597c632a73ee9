"""Symbols of servers: mapped by their name, proposed by a rule, decided by a person; deals never wait for them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, OutboxEvent
from tests.cast import Cast
from tests.trading.factories import make_account, make_server
from tests.trading.made_up import made_up
from trading.choices import AliasRule, AliasState, InstrumentClass, IssueKind, Period, SymbolGroup
from trading.models import Deal, PlatformChange, PlatformIssue, Position, SymbolAlias, SymbolInfo, TradingServer
from trading.platforms.base import SymbolData
from trading.risk import dealing
from trading.symbols import mapping
from trading.sync import deals, symbol_rules, symbols

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(db: None) -> TradingServer:
    return make_server()


def listed(name: str, size: str = "100000", *, path: str = "Forex\\x", **fields: Any) -> SymbolData:
    values = {
        "name": name,
        "path": path,
        "description": name,
        "digits": 5,
        "contract_size": Decimal(size),
        "currency_base": "EUR",
        "currency_profit": "USD",
        "currency_margin": "EUR",
        "volume_min_lots": Decimal("0.01"),
        "volume_step_lots": Decimal("0.01"),
        "volume_max_lots": Decimal(100),
        "swap_long": Decimal(0),
        "swap_short": Decimal(0),
        "tick_size": Decimal("0.00001"),
    }
    return SymbolData(**{**values, **fields})


def info_of(server: TradingServer, name: str) -> SymbolInfo:
    return SymbolInfo.objects.get(server=server, name=name)


@pytest.mark.parametrize(
    ("name", "house", "rule", "stripped"),
    [
        ("EURUSD", "EURUSD", AliasRule.EXACT, ""),
        ("EUR/USD", "EURUSD", AliasRule.EXACT, ""),
        ("EURUSD.m", "EURUSD", AliasRule.ENDING, ".m"),
        ("XAUUSDi", "XAUUSD", AliasRule.ENDING, "i"),
        ("EURUSD.pro", "EURUSD", AliasRule.ENDING, ".pro"),
        ("#US500", "US500", AliasRule.PREFIX, "#"),
        ("EURUSD#", "EURUSD", AliasRule.ENDING, "#"),
        ("GOLD", "XAUUSD", AliasRule.OTHER_NAME, "GOLD"),
        ("GER40.cash", "DE40", AliasRule.OTHER_NAME, "GER40.cash"),
    ],
)
def test_a_rule_says_why(name: str, house: str, rule: AliasRule, stripped: str) -> None:
    found = symbol_rules.match(name)
    assert found is not None
    assert (found.house, found.rule, found.stripped) == (house, rule, stripped)


@pytest.mark.parametrize(
    ("name", "group", "instrument_class"),
    [
        ("EURUSD", "fx_majors", "fx_major"),
        ("AUDUSD", "fx_majors", "fx_minor"),
        ("EURGBP", "fx_minors", "fx_major"),
        ("USDTRY", "fx_exotics", "fx_minor"),
        ("XAUUSD", "metals", "gold"),
        ("XAGUSD", "metals", "commodity"),
        ("US500", "indices", "index_major"),
        ("ES35", "indices", "index_other"),
        ("XBRUSD", "energies", "commodity"),
        ("BTCUSD", "crypto", "crypto"),
    ],
)
def test_groups_stand_beside_the_regulators_classes(name: str, group: str, instrument_class: str) -> None:
    found = symbol_rules.match(name)
    assert found is not None
    assert (found.group, found.instrument_class) == (group, instrument_class)


def test_the_same_name_and_size_maps_itself_and_endings_wait_for_a_person(server: TradingServer) -> None:
    symbols.store(server, [listed("EURUSD"), listed("EURUSD.m"), listed("GBPUSD", "1000"), listed("FOO", path="Other")])
    assert info_of(server, "EURUSD").symbol_group == SymbolGroup.FX_MAJORS
    assert info_of(server, "EURUSD").alias.state == AliasState.BY_RULE
    ending = info_of(server, "EURUSD.m")
    assert (ending.symbol_group, ending.alias.state, ending.alias.symbol.name) == ("", AliasState.PROPOSED, "EURUSD")
    assert ending.alias.reason == "Without the suffix “.m”, same contract size (100,000)"
    small = info_of(server, "GBPUSD").alias
    assert (small.state, small.factor) == (AliasState.PROPOSED, Decimal("0.01"))
    assert "1,000, not 100,000" in small.reason
    assert not hasattr(info_of(server, "FOO"), "alias")


def test_an_unmapped_symbol_opens_one_question_and_drops_no_deal(server: TradingServer) -> None:
    old = timezone.now() - dt.timedelta(days=9)
    deals.take_in(server, [made_up(1, symbol="EURUSD.m"), made_up(2, symbol="EURUSD.m", executed_at=old)])
    deals.take_in(server, [made_up(3, symbol="EURUSD.m")])
    assert Deal.objects.filter(server=server).count() == 3
    issue = PlatformIssue.objects.get(kind=IssueKind.UNMAPPED_SYMBOL)
    assert (issue.subject, issue.times) == ("EURUSD.m", 2)
    assert info_of(server, "EURUSD.m").waiting_since == old


def test_confirming_many_maps_those_with_an_equal_size_and_leaves_the_rest(cast: Cast, server: TradingServer) -> None:
    symbols.store(
        server, [listed("EURUSD.m"), listed("GBPUSD.m"), listed("USDJPY.c", "1000"), listed("FOO", path="Other")]
    )
    ids = list(SymbolInfo.objects.values_list("pk", flat=True))
    with pytest.raises(NotAllowed):
        mapping.confirm(info_ids=ids, actor=cast.agent)
    done = mapping.confirm(info_ids=ids, actor=cast.finance)
    assert (done.mapped, done.left) == (2, 2)
    assert info_of(server, "EURUSD.m").canonical == "EURUSD"
    assert info_of(server, "USDJPY.c").symbol_group == ""
    assert AuditEvent.objects.filter(action="trading.symbol_mapped").count() == 2
    assert mapping.confirm(info_ids=ids, actor=cast.finance).mapped == 0  # the same again does nothing


def test_a_person_says_what_no_rule_knows_and_the_question_is_closed(cast: Cast, server: TradingServer) -> None:
    deals.take_in(server, [made_up(1, symbol="WEIRD.x", contract_size=Decimal(10))])
    info = info_of(server, "WEIRD.x")
    values = {"name": "weird", "symbol_group": "other", "instrument_class": "share", "contract_size": Decimal(10)}
    with pytest.raises(NotAllowed):
        mapping.map_symbol(info_id=info.pk, actor=cast.agent, **values)
    alias, job = mapping.map_symbol(info_id=info.pk, actor=cast.finance, note="seen on their site", **values)
    assert (alias.symbol.name, alias.rule, alias.decided_by) == ("WEIRD", AliasRule.BY_HAND, cast.finance)
    assert job is not None
    assert PlatformIssue.objects.get(kind=IssueKind.UNMAPPED_SYMBOL).resolution == "Mapped"
    with pytest.raises(DomainError, match="Use the same values"):
        mapping.map_symbol(info_id=info.pk, actor=cast.finance, **{**values, "contract_size": Decimal(1)})


def test_a_wrong_proposal_is_left_out_with_the_reason(cast: Cast, server: TradingServer) -> None:
    symbols.store(server, [listed("EURUSD.m")])
    info = info_of(server, "EURUSD.m")
    with pytest.raises(DomainError):
        mapping.leave_out(info_id=info.pk, actor=cast.finance, note=" ")
    mapping.leave_out(info_id=info.pk, actor=cast.finance, note="a test instrument")
    symbols.store(server, [listed("EURUSD.m")])  # the next night proposes it no more
    assert SymbolAlias.objects.get(info=info).state == AliasState.REFUSED
    with pytest.raises(WrongState):
        mapping.leave_out(info_id=info.pk, actor=cast.finance, note="again")


def test_exposure_counts_in_lots_of_the_house(cast: Cast, server: TradingServer) -> None:
    symbols.store(server, [listed("XAUUSD", "100"), listed("XAUUSDi", "10")])
    account = make_account(cast.client, server)
    for ticket, (name, size, lots) in enumerate([("XAUUSD", 100, "1"), ("XAUUSDi", 10, "5")], start=1):
        Position.objects.create(
            server=server,
            ticket=ticket,
            account=account,
            symbol=name,
            action=0,
            lots=Decimal(lots),
            contract_size=size,
            price_open=1,
            price_current=1,
            profit=0,
            swap=0,
            opened_at=timezone.now(),
            server_msc=0,
            synced_at=timezone.now(),
        )
    view = dealing.View(cast.finance, cast.brand, None, Period.DAY, timezone.now().date())
    assert {row.symbol for row in dealing.exposure(view)} == {"XAUUSD", "XAUUSDi"}
    mapping.map_symbol(
        info_id=info_of(server, "XAUUSDi").pk,
        actor=cast.finance,
        name="XAUUSD",
        symbol_group="metals",
        instrument_class=InstrumentClass.GOLD,
        contract_size=Decimal(100),
    )
    (row,) = dealing.exposure(view)
    assert (row.symbol, row.long_lots, row.positions) == ("XAUUSD", Decimal("1.5"), 2)


def test_what_changes_on_the_server_is_kept_with_its_history(server: TradingServer) -> None:
    symbols.store(server, [listed("EURUSD"), listed("EURGBP")])
    symbols.store(server, [listed("EURUSD", "10000", swap_long=Decimal("-7.2"))])
    changed, vanished = PlatformChange.objects.order_by("pk")
    assert (changed.before, changed.after) == (
        {"contract_size": "100000", "swap_long": "0"},
        {"contract_size": "10000", "swap_long": "-7.2"},
    )
    assert (vanished.name, vanished.after) == ("EURGBP", {"listed": False})
    assert info_of(server, "EURGBP").gone_at is not None
    # A lot is no longer what the mapping was decided on: a person is asked.
    assert PlatformIssue.objects.get(kind=IssueKind.CONTRACT_CHANGED).subject == "EURUSD"
    symbols.store(server, [listed("EURUSD", "10000", swap_long=Decimal("-7.2")), listed("EURGBP")])
    assert PlatformChange.objects.count() == 3
    assert info_of(server, "EURGBP").gone_at is None


def test_many_symbols_take_few_statements(server: TradingServer, django_assert_max_num_queries: Any) -> None:
    rows = [listed(f"{base}{quote}.{end}") for base in ("EUR", "GBP") for quote in ("USD", "JPY") for end in range(60)]
    with django_assert_max_num_queries(16):
        assert symbols.store(server, rows) == 240
    assert SymbolAlias.objects.filter(state=AliasState.PROPOSED).count() == 240


def test_deals_are_told_a_thousand_at_a_time(server: TradingServer, cast: Cast) -> None:
    make_account(cast.client, server, login="1")
    deals.take_in(server, [made_up(number, symbol="EURUSD.m") for number in range(1, 2301)])
    info = info_of(server, "EURUSD.m")
    mapping.confirm(info_ids=[info.pk], actor=cast.finance)
    assert list(mapping.resolve_deals([info.pk])) == [1000, 2000, 2300]
    told = [event.payload for event in OutboxEvent.objects.filter(name="trading.deals_resolved")]
    assert len({pk for payload in told for pk in payload["deal_ids"]}) == 2300
    assert told[0]["client_ids"] == [cast.client.pk]
    assert info_of(server, "EURUSD.m").waiting_since is None
