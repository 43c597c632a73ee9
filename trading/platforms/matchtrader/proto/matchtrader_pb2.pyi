from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PBClientAccessRightsTypeExternal(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CLIENT_ACCESS_RIGHTS_TYPE_UNSPECIFIED: _ClassVar[PBClientAccessRightsTypeExternal]
    CLIENT_ACCESS_RIGHTS_TYPE_FULL: _ClassVar[PBClientAccessRightsTypeExternal]
    CLIENT_ACCESS_RIGHTS_TYPE_CLOSE_ONLY: _ClassVar[PBClientAccessRightsTypeExternal]
    CLIENT_ACCESS_RIGHTS_TYPE_TRADING_DISABLED: _ClassVar[PBClientAccessRightsTypeExternal]
    CLIENT_ACCESS_RIGHTS_TYPE_TRADING_AND_LOGIN_DISABLED: _ClassVar[PBClientAccessRightsTypeExternal]
    CLIENT_ACCESS_RIGHTS_TYPE_LOCKED_CLOSE_ONLY: _ClassVar[PBClientAccessRightsTypeExternal]

class PBHistoryOperationTypeExternal(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HISTORY_OPERATION_TYPE_UNSPECIFIED: _ClassVar[PBHistoryOperationTypeExternal]
    HISTORY_OPERATION_TYPE_DEPOSIT: _ClassVar[PBHistoryOperationTypeExternal]
    HISTORY_OPERATION_TYPE_WITHDRAWAL: _ClassVar[PBHistoryOperationTypeExternal]
    HISTORY_OPERATION_TYPE_CREDIT_IN: _ClassVar[PBHistoryOperationTypeExternal]
    HISTORY_OPERATION_TYPE_CREDIT_OUT: _ClassVar[PBHistoryOperationTypeExternal]
    HISTORY_OPERATION_TYPE_AGENT_COMMISSION: _ClassVar[PBHistoryOperationTypeExternal]
    HISTORY_OPERATION_TYPE_COMMISSIONS: _ClassVar[PBHistoryOperationTypeExternal]
    HISTORY_OPERATION_TYPE_SWAPS: _ClassVar[PBHistoryOperationTypeExternal]
    HISTORY_OPERATION_TYPE_OTHER: _ClassVar[PBHistoryOperationTypeExternal]
    HISTORY_OPERATION_TYPE_CLOSED_POSITION: _ClassVar[PBHistoryOperationTypeExternal]

class PBRequestUpdateTypeExternal(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NEW: _ClassVar[PBRequestUpdateTypeExternal]
    UPDATE: _ClassVar[PBRequestUpdateTypeExternal]
    CLOSED: _ClassVar[PBRequestUpdateTypeExternal]
    PROFIT_CHANGE: _ClassVar[PBRequestUpdateTypeExternal]
    PARTIALLY_CLOSED: _ClassVar[PBRequestUpdateTypeExternal]

class PBOrderSideExternal(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BUY: _ClassVar[PBOrderSideExternal]
    SELL: _ClassVar[PBOrderSideExternal]
CLIENT_ACCESS_RIGHTS_TYPE_UNSPECIFIED: PBClientAccessRightsTypeExternal
CLIENT_ACCESS_RIGHTS_TYPE_FULL: PBClientAccessRightsTypeExternal
CLIENT_ACCESS_RIGHTS_TYPE_CLOSE_ONLY: PBClientAccessRightsTypeExternal
CLIENT_ACCESS_RIGHTS_TYPE_TRADING_DISABLED: PBClientAccessRightsTypeExternal
CLIENT_ACCESS_RIGHTS_TYPE_TRADING_AND_LOGIN_DISABLED: PBClientAccessRightsTypeExternal
CLIENT_ACCESS_RIGHTS_TYPE_LOCKED_CLOSE_ONLY: PBClientAccessRightsTypeExternal
HISTORY_OPERATION_TYPE_UNSPECIFIED: PBHistoryOperationTypeExternal
HISTORY_OPERATION_TYPE_DEPOSIT: PBHistoryOperationTypeExternal
HISTORY_OPERATION_TYPE_WITHDRAWAL: PBHistoryOperationTypeExternal
HISTORY_OPERATION_TYPE_CREDIT_IN: PBHistoryOperationTypeExternal
HISTORY_OPERATION_TYPE_CREDIT_OUT: PBHistoryOperationTypeExternal
HISTORY_OPERATION_TYPE_AGENT_COMMISSION: PBHistoryOperationTypeExternal
HISTORY_OPERATION_TYPE_COMMISSIONS: PBHistoryOperationTypeExternal
HISTORY_OPERATION_TYPE_SWAPS: PBHistoryOperationTypeExternal
HISTORY_OPERATION_TYPE_OTHER: PBHistoryOperationTypeExternal
HISTORY_OPERATION_TYPE_CLOSED_POSITION: PBHistoryOperationTypeExternal
NEW: PBRequestUpdateTypeExternal
UPDATE: PBRequestUpdateTypeExternal
CLOSED: PBRequestUpdateTypeExternal
PROFIT_CHANGE: PBRequestUpdateTypeExternal
PARTIALLY_CLOSED: PBRequestUpdateTypeExternal
BUY: PBOrderSideExternal
SELL: PBOrderSideExternal

class PBEquityRequestExternal(_message.Message):
    __slots__ = ("groups", "logins", "accessRightsFilter", "includeStateHistory")
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOGINS_FIELD_NUMBER: _ClassVar[int]
    ACCESSRIGHTSFILTER_FIELD_NUMBER: _ClassVar[int]
    INCLUDESTATEHISTORY_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedScalarFieldContainer[str]
    logins: _containers.RepeatedScalarFieldContainer[str]
    accessRightsFilter: _containers.RepeatedScalarFieldContainer[PBClientAccessRightsTypeExternal]
    includeStateHistory: bool
    def __init__(self, groups: _Optional[_Iterable[str]] = ..., logins: _Optional[_Iterable[str]] = ..., accessRightsFilter: _Optional[_Iterable[_Union[PBClientAccessRightsTypeExternal, str]]] = ..., includeStateHistory: _Optional[bool] = ...) -> None: ...

class PBEquityStreamResponseExternal(_message.Message):
    __slots__ = ("equity", "heartbeat")
    EQUITY_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    equity: PBEquityResponseExternal
    heartbeat: bool
    def __init__(self, equity: _Optional[_Union[PBEquityResponseExternal, _Mapping]] = ..., heartbeat: _Optional[bool] = ...) -> None: ...

class PBEquityResponseExternal(_message.Message):
    __slots__ = ("login", "equity", "balance", "credit", "margin", "freeMargin", "marginLevel")
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    EQUITY_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    MARGIN_FIELD_NUMBER: _ClassVar[int]
    FREEMARGIN_FIELD_NUMBER: _ClassVar[int]
    MARGINLEVEL_FIELD_NUMBER: _ClassVar[int]
    login: str
    equity: str
    balance: str
    credit: str
    margin: str
    freeMargin: str
    marginLevel: str
    def __init__(self, login: _Optional[str] = ..., equity: _Optional[str] = ..., balance: _Optional[str] = ..., credit: _Optional[str] = ..., margin: _Optional[str] = ..., freeMargin: _Optional[str] = ..., marginLevel: _Optional[str] = ...) -> None: ...

class PBLedgersRequestExternal(_message.Message):
    __slots__ = ("logins", "groups", "historyOperationType", "additionalTypes")
    LOGINS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    HISTORYOPERATIONTYPE_FIELD_NUMBER: _ClassVar[int]
    ADDITIONALTYPES_FIELD_NUMBER: _ClassVar[int]
    logins: _containers.RepeatedScalarFieldContainer[str]
    groups: _containers.RepeatedScalarFieldContainer[str]
    historyOperationType: _containers.RepeatedScalarFieldContainer[PBHistoryOperationTypeExternal]
    additionalTypes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, logins: _Optional[_Iterable[str]] = ..., groups: _Optional[_Iterable[str]] = ..., historyOperationType: _Optional[_Iterable[_Union[PBHistoryOperationTypeExternal, str]]] = ..., additionalTypes: _Optional[_Iterable[str]] = ...) -> None: ...

class PBLedgersStreamResponseExternal(_message.Message):
    __slots__ = ("ledgers", "heartbeat")
    LEDGERS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    ledgers: PBLedgersExternal
    heartbeat: bool
    def __init__(self, ledgers: _Optional[_Union[PBLedgersExternal, _Mapping]] = ..., heartbeat: _Optional[bool] = ...) -> None: ...

class PBLedgersExternal(_message.Message):
    __slots__ = ("entries",)
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[PBLedgerExternal]
    def __init__(self, entries: _Optional[_Iterable[_Union[PBLedgerExternal, _Mapping]]] = ...) -> None: ...

class PBLedgerExternal(_message.Message):
    __slots__ = ("id", "historyOperationType", "time", "profit", "comment", "group", "login", "additionalType")
    ID_FIELD_NUMBER: _ClassVar[int]
    HISTORYOPERATIONTYPE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    PROFIT_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    ADDITIONALTYPE_FIELD_NUMBER: _ClassVar[int]
    id: str
    historyOperationType: PBHistoryOperationTypeExternal
    time: str
    profit: str
    comment: str
    group: str
    login: str
    additionalType: str
    def __init__(self, id: _Optional[str] = ..., historyOperationType: _Optional[_Union[PBHistoryOperationTypeExternal, str]] = ..., time: _Optional[str] = ..., profit: _Optional[str] = ..., comment: _Optional[str] = ..., group: _Optional[str] = ..., login: _Optional[str] = ..., additionalType: _Optional[str] = ...) -> None: ...

class PBOpenPositionsRequestExternal(_message.Message):
    __slots__ = ("logins", "groups")
    LOGINS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    logins: _containers.RepeatedScalarFieldContainer[str]
    groups: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, logins: _Optional[_Iterable[str]] = ..., groups: _Optional[_Iterable[str]] = ...) -> None: ...

class PBOpenPositionsStreamResponseExternal(_message.Message):
    __slots__ = ("positions", "heartbeat")
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    positions: PBOpenPositionsExternal
    heartbeat: bool
    def __init__(self, positions: _Optional[_Union[PBOpenPositionsExternal, _Mapping]] = ..., heartbeat: _Optional[bool] = ...) -> None: ...

class PBOpenPositionsExternal(_message.Message):
    __slots__ = ("login", "group", "positions")
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    login: str
    group: str
    positions: _containers.RepeatedCompositeFieldContainer[PBPositionStateExternal]
    def __init__(self, login: _Optional[str] = ..., group: _Optional[str] = ..., positions: _Optional[_Iterable[_Union[PBPositionStateExternal, _Mapping]]] = ...) -> None: ...

class PBPositionStateExternal(_message.Message):
    __slots__ = ("requestUpdateType", "position")
    REQUESTUPDATETYPE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    requestUpdateType: PBRequestUpdateTypeExternal
    position: PBPositionExternal
    def __init__(self, requestUpdateType: _Optional[_Union[PBRequestUpdateTypeExternal, str]] = ..., position: _Optional[_Union[PBPositionExternal, _Mapping]] = ...) -> None: ...

class PBPositionExternal(_message.Message):
    __slots__ = ("id", "symbol", "volume", "side", "openTime", "openPrice", "stopLoss", "takeProfit", "swap", "profit", "netProfit", "currentPrice", "commission", "alias")
    ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    OPENTIME_FIELD_NUMBER: _ClassVar[int]
    OPENPRICE_FIELD_NUMBER: _ClassVar[int]
    STOPLOSS_FIELD_NUMBER: _ClassVar[int]
    TAKEPROFIT_FIELD_NUMBER: _ClassVar[int]
    SWAP_FIELD_NUMBER: _ClassVar[int]
    PROFIT_FIELD_NUMBER: _ClassVar[int]
    NETPROFIT_FIELD_NUMBER: _ClassVar[int]
    CURRENTPRICE_FIELD_NUMBER: _ClassVar[int]
    COMMISSION_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    id: str
    symbol: str
    volume: str
    side: PBOrderSideExternal
    openTime: str
    openPrice: str
    stopLoss: str
    takeProfit: str
    swap: str
    profit: str
    netProfit: str
    currentPrice: str
    commission: str
    alias: str
    def __init__(self, id: _Optional[str] = ..., symbol: _Optional[str] = ..., volume: _Optional[str] = ..., side: _Optional[_Union[PBOrderSideExternal, str]] = ..., openTime: _Optional[str] = ..., openPrice: _Optional[str] = ..., stopLoss: _Optional[str] = ..., takeProfit: _Optional[str] = ..., swap: _Optional[str] = ..., profit: _Optional[str] = ..., netProfit: _Optional[str] = ..., currentPrice: _Optional[str] = ..., commission: _Optional[str] = ..., alias: _Optional[str] = ...) -> None: ...

class PBTradingEventsRequestExternal(_message.Message):
    __slots__ = ("logins", "groups")
    LOGINS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    logins: _containers.RepeatedScalarFieldContainer[str]
    groups: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, logins: _Optional[_Iterable[str]] = ..., groups: _Optional[_Iterable[str]] = ...) -> None: ...

class PBTradingEventsStreamResponseExternal(_message.Message):
    __slots__ = ("tradingEvent", "heartbeat")
    TRADINGEVENT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    tradingEvent: PBTradingEventExternal
    heartbeat: bool
    def __init__(self, tradingEvent: _Optional[_Union[PBTradingEventExternal, _Mapping]] = ..., heartbeat: _Optional[bool] = ...) -> None: ...

class PBTradingEventExternal(_message.Message):
    __slots__ = ("marginCallEvent", "stopOutEvent", "login", "group")
    MARGINCALLEVENT_FIELD_NUMBER: _ClassVar[int]
    STOPOUTEVENT_FIELD_NUMBER: _ClassVar[int]
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    marginCallEvent: PBMarginCallEventExternal
    stopOutEvent: PBStopOutEventExternal
    login: str
    group: str
    def __init__(self, marginCallEvent: _Optional[_Union[PBMarginCallEventExternal, _Mapping]] = ..., stopOutEvent: _Optional[_Union[PBStopOutEventExternal, _Mapping]] = ..., login: _Optional[str] = ..., group: _Optional[str] = ...) -> None: ...

class PBMarginCallEventExternal(_message.Message):
    __slots__ = ("login", "marginLevel")
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    MARGINLEVEL_FIELD_NUMBER: _ClassVar[int]
    login: str
    marginLevel: str
    def __init__(self, login: _Optional[str] = ..., marginLevel: _Optional[str] = ...) -> None: ...

class PBStopOutEventExternal(_message.Message):
    __slots__ = ("login", "orderId", "instrument", "volume")
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    ORDERID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    login: str
    orderId: str
    instrument: str
    volume: str
    def __init__(self, login: _Optional[str] = ..., orderId: _Optional[str] = ..., instrument: _Optional[str] = ..., volume: _Optional[str] = ...) -> None: ...
