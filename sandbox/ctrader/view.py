"""Users, deals and positions of the engine as the Manager API's messages."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from sandbox.ctrader import names
from sandbox.ctrader.proto import ctrader_manager_pb2 as pb
from sandbox.ctrader.state import State
from sandbox.engine.books import BALANCE, BONUS, BUY, CHARGE, CORRECTION, CREDIT, SELL, SO_COMPENSATION
from sandbox.engine.contracts import GROUPS, SYMBOLS, Group, Symbol
from sandbox.engine.deals import IN, REASON_STOP_OUT
from sandbox.engine.store import Position, User

CLOSE_POSITION = 2
MADE_BEFORE_MSC = 40  # a deal is made a moment before it is filled
RIGHT_ENABLED, RIGHT_TRADE_DISABLED, RIGHT_READONLY = 0x1, 0x4, 0x200
# Engine action → type of the balance history for what comes and what goes.
TYPES = {
    BALANCE: (0, 1),
    CORRECTION: (0, 1),
    CREDIT: (19, 20),
    CHARGE: (38, 35),
    SO_COMPENSATION: (39, 39),
    7: (9, 10),
    8: (9, 10),
    9: (9, 10),
    10: (5, 6),
    11: (5, 6),
    12: (21, 22),
    15: (15, 16),
    16: (15, 16),
    18: (5, 6),
}


def access_of(user: User) -> int:
    """FULL_ACCESS 0, CLOSE_ONLY 1, NO_TRADING 2, NO_LOGIN 3."""
    if not user.rights & RIGHT_ENABLED:
        return int(pb.NO_LOGIN)
    if user.rights & RIGHT_TRADE_DISABLED:
        return int(pb.NO_TRADING)
    return int(pb.CLOSE_ONLY if user.rights & RIGHT_READONLY else pb.FULL_ACCESS)


def rights_with(rights: int, access: int) -> int:
    """Set the engine's bits for one of the four access words."""
    plain = (rights | RIGHT_ENABLED) & ~RIGHT_TRADE_DISABLED & ~RIGHT_READONLY
    return {
        pb.FULL_ACCESS: plain,
        pb.CLOSE_ONLY: plain | RIGHT_READONLY,
        pb.NO_TRADING: plain | RIGHT_TRADE_DISABLED,
        pb.NO_LOGIN: (plain | RIGHT_TRADE_DISABLED) & ~RIGHT_ENABLED,
    }[access]  # type: ignore[index]


def registered_msc(user: User) -> int:
    """To the millisecond, which the engine does not keep: no two traders of one second have the same."""
    return user.registration * 1000 + user.login % 1000


def person_of(user: User) -> tuple[str, str]:
    """First and last name."""
    first, _space, last = user.fields.get("Name", "").rpartition(" ")
    return first, last


def trader(state: State, user: User) -> pb.ProtoTrader:
    """Show a trader in full."""
    group, (first, last) = GROUPS[user.group], person_of(user)
    bonus = state.bonus(user.login)
    return pb.ProtoTrader(
        traderId=names.trader_id(user.login),
        login=user.login,
        groupId=names.GROUP_IDS[user.group],
        balance=state.smallest(state.balance(user), user),
        accountType=pb.HEDGED if group.margin_mode else pb.NETTED,
        name=first,
        lastName=last,
        description=user.fields.get("Comment", ""),
        email=user.fields.get("Email", ""),
        registrationTimestamp=registered_msc(user),
        managerBonus=state.smallest(bonus, user),
        ibBonus=0,
        accessRights=access_of(user),
        depositAssetId=names.ASSET_IDS[group.currency],
        swapFree=group.swap_free,
        nonWithdrawableBonus=state.smallest(user.credit - bonus, user),
        leverageInCents=user.leverage * 100,
        version=state.version(user.login),
        moneyDigits=group.digits,
        deleted=False,
    )


def light_trader(user: User) -> pb.ProtoManagerLightTrader:
    """Show a trader as the list of all has them."""
    first, last = person_of(user)
    return pb.ProtoManagerLightTrader(
        traderId=names.trader_id(user.login),
        login=user.login,
        groupId=names.GROUP_IDS[user.group],
        depositAssetId=names.ASSET_IDS[GROUPS[user.group].currency],
        name=first,
        lastName=last,
        registrationTimestamp=registered_msc(user),
    )


def _int(amount: str | Decimal, digits: int) -> int:
    return int(Decimal(amount).scaleb(digits))


def deal(state: State, row: dict[str, Any]) -> pb.ProtoDeal:
    """Show a trade of the engine. One that closed something carries the closing's detail."""
    symbol, digits, at = SYMBOLS[row["Symbol"]], int(row["DigitsCurrency"]), int(row["TimeMsc"])
    filled = names.hundredths(int(row["VolumeExt"]), symbol)
    made = pb.ProtoDeal(
        dealId=int(row["Deal"]),
        orderId=int(row["Order"]),
        positionId=int(row["PositionID"]),
        traderId=names.trader_id(int(row["Login"])),
        volume=filled,
        filledVolume=filled,
        symbolId=names.SYMBOL_IDS[symbol.name],
        createTimestamp=at - MADE_BEFORE_MSC,
        executionTimestamp=at,
        utcLastUpdateTimestamp=at,
        executionPrice=float(row["Price"]),
        tradeSide=pb.BUY if row["Action"] == str(BUY) else pb.SELL,
        dealStatus=pb.FILLED,
        dealType=1,
        commission=_int(row["Commission"], digits),
        comment=row["Comment"],
        lotSize=int(symbol.contract_size * 100),
        moneyDigits=digits,
    )
    if int(row["Entry"]) != IN:
        taken, _waiting = state.commissions(int(row["Login"]), row["PositionID"])
        user = state.books.store.users.get(int(row["Login"]))
        made.closePositionDetail.CopyFrom(
            pb.ProtoClosePositionDetail(
                entryPrice=float(row["PricePosition"]),
                profit=_int(row["Profit"], digits),
                swap=_int(row["Storage"], digits),
                commission=_int(taken[made.dealId], digits),
                closedVolume=names.hundredths(int(row["VolumeClosedExt"]), symbol),
                balance=state.smallest(state.balance(user), user) if user else 0,
                balanceHistoryId=made.dealId,
                moneyDigits=digits,
            )
        )
    return made


def is_trade(row: dict[str, Any]) -> bool:
    """Tell whether a deal bought or sold."""
    return int(row["Action"]) in (BUY, SELL)


def is_bonus(row: dict[str, Any]) -> bool:
    """Tell whether a deal booked a bonus."""
    return int(row["Action"]) == BONUS


def balance_row(state: State, row: dict[str, Any]) -> pb.ProtoDepositWithdraw:
    """Show a row of the balance history: money in and out, and what each closing deal did to the balance."""
    digits, user = int(row["DigitsCurrency"]), state.books.store.users.get(int(row["Login"]))
    amount = Decimal(row["Profit"])
    kind = TYPES.get(int(row["Action"]), (0, 1))[amount < 0]
    if is_trade(row):
        kind = CLOSE_POSITION
        taken, _waiting = state.commissions(int(row["Login"]), row["PositionID"])
        amount += Decimal(row["Storage"]) + taken[int(row["Deal"])]
    reference = state.reference(int(row["Deal"]))
    made = pb.ProtoDepositWithdraw(
        operationType=kind,
        balanceHistoryId=int(row["Deal"]),
        traderId=names.trader_id(int(row["Login"])),
        balance=state.smallest(state.balance(user), user) if user else 0,
        delta=_int(amount, digits),
        changeBalanceTimestamp=int(row["TimeMsc"]),
        comment=row["Comment"],
        externalNote=reference.note,
        source=reference.source,
        moneyDigits=digits,
    )
    if reference.external_id:
        made.externalId = reference.external_id
    return made


def bonus_row(state: State, row: dict[str, Any]) -> pb.ProtoBonusDepositWithdraw:
    """Show a row of the bonus history."""
    digits, amount = int(row["DigitsCurrency"]), Decimal(row["Profit"])
    return pb.ProtoBonusDepositWithdraw(
        operationType=pb.BONUS_WITHDRAW if amount < 0 else pb.BONUS_DEPOSIT,
        bonusHistoryId=int(row["Deal"]),
        traderId=names.trader_id(int(row["Login"])),
        managerBonus=_int(state.bonus(int(row["Login"])), digits),
        managerDelta=_int(abs(amount), digits),
        ibBonus=0,
        ibDelta=0,
        changeBonusTimestamp=int(row["TimeMsc"]),
        comment=row["Comment"],
        externalNote=state.reference(int(row["Deal"])).note,
        moneyDigits=digits,
    )


def position(state: State, held: Position) -> pb.ProtoPosition:
    """Show an open position."""
    symbol, user = SYMBOLS[held.symbol], state.books.store.users[held.login]
    group = GROUPS[user.group]
    _taken, waiting = state.commissions(held.login, str(held.ticket))
    margin = state.books.margin(symbol, group, user.leverage, held.lots, held.price_open)
    return pb.ProtoPosition(
        positionId=held.ticket,
        positionStatus=pb.POSITION_STATUS_OPEN,
        swap=state.smallest(held.storage, user),
        price=float(held.price_open),
        commission=state.smallest(waiting, user),
        usedMargin=state.smallest(margin, user),
        moneyDigits=group.digits,
        marginRate=float(state.books.market.rate(symbol.base, group.currency)),
        tradeData=pb.ProtoTradeData(
            symbolId=names.SYMBOL_IDS[held.symbol],
            volume=names.hundredths(held.volume_ext, symbol),
            tradeSide=pb.BUY if held.action == BUY else pb.SELL,
            traderId=names.trader_id(held.login),
            openTimestamp=held.time_msc,
            comment=held.comment,
            lotSize=int(symbol.contract_size * 100),
        ),
    )


def closed_position(row: dict[str, Any]) -> pb.ProtoPosition:
    """Show what an event has of a position that its deal closed."""
    symbol = SYMBOLS[row["Symbol"]]
    return pb.ProtoPosition(
        positionId=int(row["PositionID"]),
        positionStatus=pb.POSITION_STATUS_CLOSED,
        swap=0,
        price=float(row["PricePosition"]),
        tradeData=pb.ProtoTradeData(
            symbolId=names.SYMBOL_IDS[symbol.name],
            volume=0,
            tradeSide=pb.SELL if row["Action"] == str(BUY) else pb.BUY,
            traderId=names.trader_id(int(row["Login"])),
        ),
    )


def event(state: State, row: dict[str, Any]) -> pb.ProtoExecutionEvent:
    """Show what the server pushes when the engine booked something."""
    if is_bonus(row):
        return pb.ProtoExecutionEvent(
            executionType=pb.BONUS_DEPOSIT_WITHDRAW,
            bonusDepositWithdraw=bonus_row(state, row),
            eventId=int(row["Deal"]),
        )
    if not is_trade(row):
        return pb.ProtoExecutionEvent(
            executionType=pb.DEPOSIT_WITHDRAW, depositWithdraw=balance_row(state, row), eventId=int(row["Deal"])
        )
    held = state.books.store.positions.get(int(row["PositionID"]))
    return pb.ProtoExecutionEvent(
        executionType=pb.ORDER_FILLED,
        deal=deal(state, row),
        eventId=int(row["Deal"]),
        position=position(state, held) if held else closed_position(row),
        isServerEvent=row["Reason"] == str(REASON_STOP_OUT),
    )


def symbol(instrument: Symbol) -> pb.ProtoManagerSymbol:
    """Show a symbol."""
    return pb.ProtoManagerSymbol(
        symbolId=names.SYMBOL_IDS[instrument.name],
        name=instrument.name,
        digits=instrument.digits,
        pipPosition=max(0, instrument.digits - 1),
        enabled=True,
        description=instrument.description,
        lotSize=int(instrument.contract_size * 100),
        baseAssetId=names.ASSET_IDS[instrument.base],
        quoteAssetId=names.ASSET_IDS[instrument.profit],
        defaultSwapLong=float(instrument.swap_long),
        defaultSwapShort=float(instrument.swap_short),
        defaultSwapTime=0,
        defaultSwapPeriod=24,
        defaultVolumeProfileId=names.SYMBOL_IDS[instrument.name],
    )


def volume_profile(instrument: Symbol) -> pb.ProtoVolumeProfile:
    """Show the smallest, largest and step volume of a symbol."""
    lot = int(instrument.contract_size * 100)
    return pb.ProtoVolumeProfile(
        volumeProfileId=names.SYMBOL_IDS[instrument.name],
        name=instrument.name,
        minVolume=lot // 100,
        stepVolume=lot // 100,
        maxVolume=lot * instrument.volume_max_lots,
        minStake=0,
        stepStake=0,
        maxStake=0,
        maxExposure=0,
    )


def light_group(group: Group) -> pb.ProtoLightGroup:
    """Show a group as the list of all has it."""
    return pb.ProtoLightGroup(
        groupId=names.GROUP_IDS[group.name],
        name=names.wire_group(group.name),
        enabled=True,
        swapEnabled=not group.swap_free,
        marginStopout=float(group.stop_out / 100),
        description=group.company,
        deleted=False,
        hasAccess=True,
    )


def row_of(data: str) -> dict[str, Any]:
    """Parse a deal as the store's file keeps it."""
    row: dict[str, Any] = json.loads(data)
    return row
