"""Money and deals of a platform as the judge reads them."""

import datetime as dt
from decimal import Decimal

import pytest

from prop.judge.days import to_msc
from prop.judge.feed import inputs_of, sample_of
from prop.judge.inputs import Deal, Operation, OperationKind, Sample
from prop.judge.rules import LOT_UNITS
from trading.choices import DealAction, DealEntry
from trading.models import Deal as PlatformDeal
from trading.models import SymbolInfo, TradingAccount

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
AT = to_msc(NOON)
SYMBOLS = {
    "EURUSD": SymbolInfo(name="EURUSD", currency_base="EUR", currency_profit="USD"),
    "AUDUSD": SymbolInfo(name="AUDUSD", currency_base="AUD", currency_profit="USD"),
    "GBPEUR": SymbolInfo(name="GBPEUR", currency_base="GBP", currency_profit="EUR"),
}


def deal(**values):
    row = {
        "ticket": 1,
        "executed_at": NOON,
        "action": DealAction.BUY,
        "entry": DealEntry.IN,
        "symbol": "EURUSD",
        "lots": Decimal("0.5"),
        "closed_lots": Decimal(0),
        "contract_size": Decimal(100_000),
        "price": Decimal("1.2"),
        "profit": Decimal(0),
        "commission": Decimal(0),
        "swap": Decimal(0),
        "fee": Decimal(0),
        "position_id": 7,
        **values,
    }
    return PlatformDeal(**row)


def read(*deals, **more):
    return inputs_of(deals, currency="EUR", symbols=SYMBOLS, **more)


def test_account_is_sampled_without_its_credit():
    money = {"balance": Decimal("1000.001"), "equity": Decimal("1500.00"), "credit": Decimal(600)}
    account = TradingAccount(currency="EUR", **money, synced_at=NOON)
    assert sample_of(account) == Sample(AT, 100_001, 90_000)
    assert sample_of(TradingAccount(currency="EUR")) is None


@pytest.mark.parametrize(
    "symbol, notional", [("EURUSD", 5_000_000), ("GBPEUR", 6_000_000), ("AUDUSD", None), ("XYZ", None)]
)
def test_opening_is_worth_what_it_is_in_the_accounts_currency(symbol, notional):
    (opened,) = read(deal(symbol=symbol, commission=Decimal("-3.5")))
    assert opened == Deal(AT, "7", symbol, True, LOT_UNITS // 2, -350, notional)


def test_reversal_closes_with_its_result_and_opens_the_rest():
    reversal = deal(
        entry=DealEntry.INOUT, lots=Decimal("1.5"), closed_lots=Decimal(1), profit=Decimal(-20), swap=Decimal(-1)
    )
    closed, opened = read(reversal)
    assert closed == Deal(AT, "7", "EURUSD", False, LOT_UNITS, -2100)
    assert opened == Deal(AT, "7", "EURUSD", True, LOT_UNITS // 2, 0, 5_000_000)


@pytest.mark.parametrize(
    "action, profit, kind",
    [
        (DealAction.BALANCE, 100, OperationKind.DEPOSIT),
        (DealAction.BALANCE, -100, OperationKind.WITHDRAWAL),
        (DealAction.CORRECTION, 100, OperationKind.CORRECTION),
        (DealAction.DIVIDEND, 100, OperationKind.RESULT),
        (99, -100, OperationKind.RESULT),
    ],
)
def test_money_without_a_trade_is_an_operation_or_a_result(action, profit, kind):
    assert read(deal(action=action, profit=Decimal(profit))) == [Operation(AT, profit * 100, kind)]


def test_credit_is_left_out_and_a_payout_is_one():
    assert read(deal(action=DealAction.CREDIT, profit=Decimal(100))) == []
    paid = deal(action=DealAction.BALANCE, profit=Decimal(-100), ticket=5)
    assert read(paid, payouts=frozenset({5})) == [Operation(AT, -10_000, OperationKind.PAYOUT)]
