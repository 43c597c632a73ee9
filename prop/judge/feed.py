"""What trading has of an account, as the judge reads it: its money as a sample, its deals as deals and operations.

Samples carry the time at which the CRM read them, deals the platform's own in UTC. Where the two clocks differ, a deal may come a
moment before or after the sample that shows it: the judge concludes from deals only what the next sample confirms.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal
from zlib import crc32

from crm.money.amounts import quantize, to_minor
from prop.judge.days import to_msc
from prop.judge.inputs import Deal, Input, Operation, OperationKind, Sample, in_order
from prop.judge.rules import LOT_UNITS
from trading.choices import CREDIT_ACTIONS, DealAction, DealEntry
from trading.models import Deal as PlatformDeal
from trading.models import SymbolInfo, TradingAccount

# Money that isn't a result of trading. All other actions (dividends, interest, fees, taxes) are results.
OPERATIONS: dict[int, OperationKind | None] = {
    DealAction.BALANCE: None,
    DealAction.CORRECTION: OperationKind.CORRECTION,
    DealAction.SO_COMPENSATION: OperationKind.CORRECTION,
}


def sample_of(account: TradingAccount) -> Sample | None:
    """Take an account's money as it was last read, without credit; None when it has never been read."""
    if account.synced_at is None:
        return None
    equity = account.equity - account.credit
    return Sample(to_msc(account.synced_at), minor(account.balance, account.currency), minor(equity, account.currency))


def inputs_of(
    deals: Iterable[PlatformDeal],
    *,
    currency: str,
    symbols: dict[str, SymbolInfo],
    payouts: frozenset[int] = frozenset(),
) -> list[Input]:
    """Turn deals of one account into inputs, in their order. `payouts`: tickets of withdrawals that pay a profit out."""
    made: list[Input] = []
    for deal in sorted(deals, key=lambda each: (each.executed_at, each.ticket)):
        made += _read(deal, currency, symbols.get(deal.symbol), payouts)
    return in_order(made)


def _read(deal: PlatformDeal, currency: str, symbol: SymbolInfo | None, payouts: frozenset[int]) -> list[Input]:
    at, net = to_msc(deal.executed_at), net_of(deal, currency)
    if deal.is_trade:
        return _trades(deal, at, net, worth_of(deal, currency, symbol))
    if deal.action in CREDIT_ACTIONS or not net:
        return []
    if deal.ticket in payouts:
        return [Operation(at, net, OperationKind.PAYOUT)]
    kind = OPERATIONS.get(deal.action, OperationKind.RESULT)
    if kind is None:
        kind = OperationKind.DEPOSIT if net > 0 else OperationKind.WITHDRAWAL
    return [Operation(at, net, kind)]


def _trades(deal: PlatformDeal, at: int, net: int, worth: Decimal | None) -> list[Input]:
    """Close and open what the deal did: a reversal closes what was open, with its result, and opens the rest."""
    position = str(deal.position_id)
    closed, opened = _lots(deal.closed_lots), _lots(deal.lots - deal.closed_lots)
    made: list[Input] = []
    if deal.entry != DealEntry.IN:
        closed = closed or _lots(deal.lots)
        made.append(Deal(at, position, deal.symbol, False, closed, net))
        net = 0
    if deal.entry in (DealEntry.IN, DealEntry.INOUT) and opened:
        notional = None if worth is None else int(worth * opened / LOT_UNITS)
        made.append(Deal(at, position, deal.symbol, True, opened, net, notional))
    return made


def worth_of(deal: PlatformDeal, currency: str, symbol: SymbolInfo | None) -> Decimal | None:
    """Value one lot in minor units of the account's currency; None where that takes a rate that the deal doesn't have."""
    if symbol is None:
        return None
    if symbol.currency_base == currency:
        worth = deal.contract_size
    elif symbol.currency_profit == currency:
        worth = deal.contract_size * deal.price
    else:
        return None
    return Decimal(minor(worth, currency))


def mark_of(deal: PlatformDeal, currency: str) -> list[int]:
    """Note how a deal is judged: its time, its net amount, and a checksum of everything else that rules count."""
    parts = (deal.action, deal.entry, deal.symbol, deal.lots, deal.closed_lots, deal.position_id, deal.contract_size)
    return [to_msc(deal.executed_at), net_of(deal, currency), crc32(repr(parts).encode())]


def net_of(deal: PlatformDeal, currency: str) -> int:
    """Return what a deal did to the balance, in minor units."""
    return minor(deal.net, currency)


def _lots(lots: Decimal) -> int:
    return int(lots * LOT_UNITS)


def minor(amount: Decimal, currency: str) -> int:
    """Round what a platform sends finer than the currency's unit in the trader's favour."""
    return to_minor(quantize(amount, currency, ROUND_CEILING), currency)
