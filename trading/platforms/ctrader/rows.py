"""cTrader's rows as our values: deals, balance and bonus history, positions, accounts."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from trading.platforms.base import AccountData, AccountMoney, DealData, PositionData, Right
from trading.platforms.ctrader import units
from trading.platforms.ctrader.directory import Symbol, Trader
from trading.platforms.ctrader.proto import ctrader_manager_pb2 as pb

BUY, SELL = 0, 1
IN, OUT, INOUT = 0, 1, 2
BALANCE, CREDIT, CHARGE, CORRECTION, BONUS, INTEREST, DIVIDEND, AGENT, SO_COMPENSATION = 2, 3, 4, 5, 6, 12, 15, 18, 19
CLOSE_POSITION: Final = 2  # a closing deal's own row in the balance history: the deal tells it
DEPOSIT, WITHDRAW, DEPOSIT_CREDIT, WITHDRAW_CREDIT = 0, 1, 19, 20
UNKNOWN_TYPE: Final = 200  # a type that nobody knows yet is told as this and its number
CORRECTION_SOURCE: Final = "Keelson correction"
SOURCE: Final = "Keelson"

# ProtoChangeBalanceType → (our action, whether it takes away).
TYPES: Final[dict[int, tuple[int, bool]]] = {
    0: (BALANCE, False), 1: (BALANCE, True), 3: (CHARGE, False), 4: (CHARGE, True), 5: (AGENT, False), 6: (AGENT, True),
    7: (AGENT, False), 8: (AGENT, False), 9: (AGENT, False), 10: (AGENT, True), 11: (CHARGE, False), 12: (CHARGE, True),
    13: (CORRECTION, True), 14: (AGENT, True), 15: (DIVIDEND, False), 16: (DIVIDEND, True), 17: (CHARGE, True),
    18: (CHARGE, True), 19: (CREDIT, False), 20: (CREDIT, True), 21: (INTEREST, False), 22: (INTEREST, True),
    23: (BALANCE, True), 24: (BALANCE, False), 25: (BALANCE, False), 26: (BALANCE, True), 27: (CHARGE, False),
    28: (CHARGE, True), 29: (CHARGE, False), 30: (BALANCE, True), 31: (BALANCE, False), 32: (BALANCE, True),
    33: (BALANCE, False), 34: (CHARGE, True), 35: (CHARGE, True), 36: (BALANCE, False), 37: (BALANCE, True),
    38: (CORRECTION, False), 39: (SO_COMPENSATION, False),
}  # fmt: skip  # a table of pairs

FULL_ACCESS, CLOSE_ONLY, NO_TRADING, NO_LOGIN = "FULL_ACCESS", "CLOSE_ONLY", "NO_TRADING", "NO_LOGIN"
ACCESS: Final = (FULL_ACCESS, CLOSE_ONLY, NO_TRADING, NO_LOGIN)
ALLOWED: Final = {
    FULL_ACCESS: frozenset({Right.SIGN_IN, Right.TRADE}),
    CLOSE_ONLY: frozenset({Right.SIGN_IN}),
    NO_TRADING: frozenset({Right.SIGN_IN}),
    NO_LOGIN: frozenset[Right](),
}


def access_with(now: str, changes: Mapping[Right, bool]) -> str:
    """Choose one of the platform's four access words for our two rights; "close only" stays where it still fits."""
    allowed = set(ALLOWED.get(now, frozenset()))
    for right, is_given in changes.items():
        (allowed.add if is_given else allowed.discard)(right)
    if Right.SIGN_IN not in allowed:
        return NO_LOGIN
    if Right.TRADE in allowed:
        return FULL_ACCESS
    return CLOSE_ONLY if now == CLOSE_ONLY else NO_TRADING


def deal_from(deal: pb.ProtoDeal, trader: Trader | None, symbol: Symbol) -> DealData | None:
    """Read a filled deal; None for one that filled nothing.

    The balance follows when a position closes: the closing deal carries the commission of its part of the opening, too,
    so that an opening deal costs nothing yet. A commission is always a cost, whatever sign it comes with.
    """
    if not deal.filledVolume:
        return None
    digits = deal.moneyDigits if deal.HasField("moneyDigits") else units.MONEY_DIGITS
    is_closing = deal.HasField("closePositionDetail")
    detail, entry, closed = deal.closePositionDetail, IN, 0
    if is_closing:
        digits = detail.moneyDigits if detail.HasField("moneyDigits") else digits
        closed = detail.closedVolume if detail.HasField("closedVolume") else deal.filledVolume
        entry = INOUT if closed < deal.filledVolume else OUT
    login = trader.login if trader else f"#{deal.traderId}"
    return DealData(
        ticket=deal.dealId,
        login=login,
        server_msc=deal.executionTimestamp,
        executed_at=units.instant(deal.executionTimestamp),
        action=BUY if deal.tradeSide == pb.BUY else SELL,
        entry=entry,
        reason=0,
        symbol=symbol.name,
        lots=units.lots(units.volume(deal.filledVolume), symbol.lot_units),
        closed_lots=units.lots(units.volume(closed), symbol.lot_units),
        contract_size=symbol.lot_units,
        price=units.price(deal.executionPrice),
        price_position=units.price(detail.entryPrice) if is_closing else Decimal(0),
        profit=units.money(detail.profit, digits),
        commission=-abs(units.money(detail.commission, digits)),
        swap=units.money(detail.swap, digits),
        fee=-abs(units.money(detail.pnlConversionFee, digits)),
        position_id=deal.positionId,
        order_id=deal.orderId,
        comment=units.text(deal.comment or deal.label, 64),
        raw=_raw(deal, login),
    )


def _raw(row: Message, login: str) -> dict[str, Any]:
    raw: dict[str, Any] = MessageToDict(row)
    raw.pop("utcLastUpdateTimestamp", None)
    return {**raw, "login": login}


def _money_row(
    ticket: int, row: Any, trader: Trader | None, *, at_msc: int, action: int, amount: Decimal, comment: str
) -> DealData:
    login = trader.login if trader else f"#{row.traderId}"
    zero = Decimal(0)
    return DealData(
        ticket=ticket,
        login=login,
        server_msc=at_msc,
        executed_at=units.instant(at_msc),
        action=action,
        entry=IN,
        reason=0,
        symbol="",
        lots=zero,
        closed_lots=zero,
        contract_size=zero,
        price=zero,
        price_position=zero,
        profit=amount,
        commission=zero,
        swap=zero,
        fee=zero,
        position_id=0,
        order_id=0,
        comment=units.text(comment, 64),
        raw=_raw(row, login),
    )


def balance_from(row: pb.ProtoDepositWithdraw, trader: Trader | None) -> DealData | None:
    """Read a row of the balance history; None for the one that belongs to a closing deal.

    The type decides whether money came or went: a withdrawal counts as one with either sign.
    """
    if row.operationType == CLOSE_POSITION:
        return None
    digits = row.moneyDigits if row.HasField("moneyDigits") else units.MONEY_DIGITS
    amount = units.money(row.delta, digits)
    action = UNKNOWN_TYPE + row.operationType
    if row.operationType in TYPES:
        action, takes_away = TYPES[row.operationType]
        amount = -abs(amount) if takes_away else abs(amount)
    if action == BALANCE and row.source == CORRECTION_SOURCE:
        action = CORRECTION
    return _money_row(
        units.BALANCE_TICKETS + row.balanceHistoryId,
        row,
        trader,
        at_msc=row.changeBalanceTimestamp,
        action=action,
        amount=amount,
        comment=row.externalId or row.comment,
    )


def bonus_from(row: pb.ProtoBonusDepositWithdraw, trader: Trader | None) -> DealData:
    """Read a row of the bonus history, a ledger of its own; it has no field for our reference but the comment."""
    digits = row.moneyDigits if row.HasField("moneyDigits") else units.MONEY_DIGITS
    amount = abs(units.money(row.managerDelta + row.ibDelta, digits))
    return _money_row(
        units.BONUS_TICKETS + row.bonusHistoryId,
        row,
        trader,
        at_msc=row.changeBonusTimestamp,
        action=BONUS,
        amount=-amount if row.operationType == pb.BONUS_WITHDRAW else amount,
        comment=row.comment,
    )


def position_from(row: pb.ProtoPosition, trader: Trader, symbol: Symbol) -> PositionData:
    """Read a position without its current price and its profit, which follow from quotes."""
    data, digits = row.tradeData, row.moneyDigits if row.HasField("moneyDigits") else units.MONEY_DIGITS
    price = units.price(row.price)
    return PositionData(
        ticket=row.positionId,
        login=trader.login,
        symbol=symbol.name,
        action=BUY if data.tradeSide == pb.BUY else SELL,
        lots=units.lots(units.volume(data.volume), symbol.lot_units),
        contract_size=symbol.lot_units,
        price_open=price,
        price_current=price,
        profit=Decimal(0),
        swap=units.money(row.swap, digits),
        server_msc=data.openTimestamp,
        opened_at=units.instant(data.openTimestamp),
        comment=units.text(data.comment or data.label, 64),
    )


# ── WebServices ──────────────────────────────────────────────────────────────────────────────────────────────────────


def account_from(row: Mapping[str, Any]) -> AccountData:
    """Read a trader as the REST interface shows it. Raises: KeyError, ValueError for a row that is none."""
    digits, contact = int(row.get("moneyDigits", units.MONEY_DIGITS)), row.get("contactDetails") or {}
    access = str(row.get("accessRights") or FULL_ACCESS)
    registered = int(row.get("registrationTimestamp") or 0)
    names = (str(row.get(name) or "") for name in ("name", "lastName"))
    return AccountData(
        login=str(int(row["login"])),
        group=units.text(str(row.get("groupName") or "")),
        leverage=int(row.get("leverageInCents") or 0) // 100,
        rights=ACCESS.index(access) if access in ACCESS else len(ACCESS),
        reference=units.text(str(row.get("description") or "")),
        name=units.text(" ".join(filter(None, names)), 128),
        balance=units.money(int(row["balance"]), digits),
        credit=credit_of(row, digits),
        allowed=ALLOWED.get(access, frozenset()),
        email=units.text(str(contact.get("email") or "")),
        phone=units.text(str(contact.get("phone") or "")),
        registered_at=units.instant(registered) if registered else None,
    )


def credit_of(row: Mapping[str, Any], digits: int) -> Decimal:
    """Sum up bonus, and bonus that can't be withdrawn."""
    return units.money(int(row.get("bonus") or 0) + int(row.get("nonWithdrawableBonus") or 0), digits)


def money_from(row: Mapping[str, Any]) -> AccountMoney:
    """Read an account's money. Raises: KeyError, ValueError."""
    digits = int(row.get("moneyDigits", units.MONEY_DIGITS))
    balance, equity, margin, free = (
        units.money(int(row[name]), digits) for name in ("balance", "equity", "usedMargin", "freeMargin")
    )
    credit = credit_of(row, digits)
    level = (equity / margin * 100).quantize(Decimal("0.01")) if margin else Decimal(0)
    return AccountMoney(
        login=str(int(row["login"])),
        balance=balance,
        credit=credit,
        floating=equity - balance - credit,
        equity=equity,
        margin=margin,
        margin_free=free,
        margin_level=level,
    )
