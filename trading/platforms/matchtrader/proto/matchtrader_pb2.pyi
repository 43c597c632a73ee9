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

class PBAdditionalTypeExternal(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ADDITIONAL_TYPE_LEDGER_NONE: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_NEGATIVE_BALANCE_WITHDRAW: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_CORRECTION: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_REVENUE_SHARE: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_INVOICE_PAYMENT: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_MINIMUM_MONTHLY: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_AGENT_COMMISSION_LEDGER: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_NEGATIVE_BALANCE_CORRECTION: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_SETTLEMENT: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_INACTIVITY_FEE: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_BONUS_IN_OUT: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_STORAGE_FEE: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_M2P: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_BANK: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_CRYPTO: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_DEPOSIT_CORRECTION: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_WITHDRAW_CORRECTION: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_SWAP_CORRECTION: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_COMMISSION_CORRECTION: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_AGENT_FEE_CORRECTION: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_MINIMUM_MONTHLY_FEE_CORRECTION: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_REVENUE_SHARE_CORRECTION: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_CPA: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_DEPOSIT_BONUS: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_CASHBACK: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_IB_COMMISSION: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_INTERNAL_TRANSFER: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_NORIA_PAYMENT: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_UNKNOWN_LEDGER: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_FUNDING_ALLOCATION: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_ACCOUNT_FEE: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_PERFORMANCE_FEE: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_MONTHLY_FEE: _ClassVar[PBAdditionalTypeExternal]
    ADDITIONAL_TYPE_MARGIN_LIMIT: _ClassVar[PBAdditionalTypeExternal]

class PBRequestUpdateTypeExternal(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REQUEST_UPDATE_TYPE_UNSPECIFIED: _ClassVar[PBRequestUpdateTypeExternal]
    REQUEST_UPDATE_TYPE_NEW: _ClassVar[PBRequestUpdateTypeExternal]
    REQUEST_UPDATE_TYPE_UPDATE: _ClassVar[PBRequestUpdateTypeExternal]
    REQUEST_UPDATE_TYPE_CLOSED: _ClassVar[PBRequestUpdateTypeExternal]
    REQUEST_UPDATE_TYPE_PROFIT_CHANGE: _ClassVar[PBRequestUpdateTypeExternal]
    REQUEST_UPDATE_TYPE_PARTIALLY_CLOSED: _ClassVar[PBRequestUpdateTypeExternal]

class PBOrderSideExternal(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ORDER_SIDE_UNSPECIFIED: _ClassVar[PBOrderSideExternal]
    ORDER_SIDE_BUY: _ClassVar[PBOrderSideExternal]
    ORDER_SIDE_SELL: _ClassVar[PBOrderSideExternal]
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
ADDITIONAL_TYPE_LEDGER_NONE: PBAdditionalTypeExternal
ADDITIONAL_TYPE_NEGATIVE_BALANCE_WITHDRAW: PBAdditionalTypeExternal
ADDITIONAL_TYPE_CORRECTION: PBAdditionalTypeExternal
ADDITIONAL_TYPE_REVENUE_SHARE: PBAdditionalTypeExternal
ADDITIONAL_TYPE_INVOICE_PAYMENT: PBAdditionalTypeExternal
ADDITIONAL_TYPE_MINIMUM_MONTHLY: PBAdditionalTypeExternal
ADDITIONAL_TYPE_AGENT_COMMISSION_LEDGER: PBAdditionalTypeExternal
ADDITIONAL_TYPE_NEGATIVE_BALANCE_CORRECTION: PBAdditionalTypeExternal
ADDITIONAL_TYPE_SETTLEMENT: PBAdditionalTypeExternal
ADDITIONAL_TYPE_INACTIVITY_FEE: PBAdditionalTypeExternal
ADDITIONAL_TYPE_BONUS_IN_OUT: PBAdditionalTypeExternal
ADDITIONAL_TYPE_STORAGE_FEE: PBAdditionalTypeExternal
ADDITIONAL_TYPE_M2P: PBAdditionalTypeExternal
ADDITIONAL_TYPE_BANK: PBAdditionalTypeExternal
ADDITIONAL_TYPE_CRYPTO: PBAdditionalTypeExternal
ADDITIONAL_TYPE_DEPOSIT_CORRECTION: PBAdditionalTypeExternal
ADDITIONAL_TYPE_WITHDRAW_CORRECTION: PBAdditionalTypeExternal
ADDITIONAL_TYPE_SWAP_CORRECTION: PBAdditionalTypeExternal
ADDITIONAL_TYPE_COMMISSION_CORRECTION: PBAdditionalTypeExternal
ADDITIONAL_TYPE_AGENT_FEE_CORRECTION: PBAdditionalTypeExternal
ADDITIONAL_TYPE_MINIMUM_MONTHLY_FEE_CORRECTION: PBAdditionalTypeExternal
ADDITIONAL_TYPE_REVENUE_SHARE_CORRECTION: PBAdditionalTypeExternal
ADDITIONAL_TYPE_CPA: PBAdditionalTypeExternal
ADDITIONAL_TYPE_DEPOSIT_BONUS: PBAdditionalTypeExternal
ADDITIONAL_TYPE_CASHBACK: PBAdditionalTypeExternal
ADDITIONAL_TYPE_IB_COMMISSION: PBAdditionalTypeExternal
ADDITIONAL_TYPE_INTERNAL_TRANSFER: PBAdditionalTypeExternal
ADDITIONAL_TYPE_NORIA_PAYMENT: PBAdditionalTypeExternal
ADDITIONAL_TYPE_UNKNOWN_LEDGER: PBAdditionalTypeExternal
ADDITIONAL_TYPE_FUNDING_ALLOCATION: PBAdditionalTypeExternal
ADDITIONAL_TYPE_ACCOUNT_FEE: PBAdditionalTypeExternal
ADDITIONAL_TYPE_PERFORMANCE_FEE: PBAdditionalTypeExternal
ADDITIONAL_TYPE_MONTHLY_FEE: PBAdditionalTypeExternal
ADDITIONAL_TYPE_MARGIN_LIMIT: PBAdditionalTypeExternal
REQUEST_UPDATE_TYPE_UNSPECIFIED: PBRequestUpdateTypeExternal
REQUEST_UPDATE_TYPE_NEW: PBRequestUpdateTypeExternal
REQUEST_UPDATE_TYPE_UPDATE: PBRequestUpdateTypeExternal
REQUEST_UPDATE_TYPE_CLOSED: PBRequestUpdateTypeExternal
REQUEST_UPDATE_TYPE_PROFIT_CHANGE: PBRequestUpdateTypeExternal
REQUEST_UPDATE_TYPE_PARTIALLY_CLOSED: PBRequestUpdateTypeExternal
ORDER_SIDE_UNSPECIFIED: PBOrderSideExternal
ORDER_SIDE_BUY: PBOrderSideExternal
ORDER_SIDE_SELL: PBOrderSideExternal

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
    __slots__ = ("login", "equity", "balance", "credit")
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    EQUITY_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    login: str
    equity: str
    balance: str
    credit: str
    def __init__(self, login: _Optional[str] = ..., equity: _Optional[str] = ..., balance: _Optional[str] = ..., credit: _Optional[str] = ...) -> None: ...

class PBLedgersRequestExternal(_message.Message):
    __slots__ = ("logins", "groups", "historyOperationType", "additionalTypes")
    LOGINS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    HISTORYOPERATIONTYPE_FIELD_NUMBER: _ClassVar[int]
    ADDITIONALTYPES_FIELD_NUMBER: _ClassVar[int]
    logins: _containers.RepeatedScalarFieldContainer[str]
    groups: _containers.RepeatedScalarFieldContainer[str]
    historyOperationType: _containers.RepeatedScalarFieldContainer[PBHistoryOperationTypeExternal]
    additionalTypes: _containers.RepeatedScalarFieldContainer[PBAdditionalTypeExternal]
    def __init__(self, logins: _Optional[_Iterable[str]] = ..., groups: _Optional[_Iterable[str]] = ..., historyOperationType: _Optional[_Iterable[_Union[PBHistoryOperationTypeExternal, str]]] = ..., additionalTypes: _Optional[_Iterable[_Union[PBAdditionalTypeExternal, str]]] = ...) -> None: ...

class PBLedgersStreamResponseExternal(_message.Message):
    __slots__ = ("ledgers", "heartbeat")
    LEDGERS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    ledgers: PBLedgers
    heartbeat: bool
    def __init__(self, ledgers: _Optional[_Union[PBLedgers, _Mapping]] = ..., heartbeat: _Optional[bool] = ...) -> None: ...

class PBLedgers(_message.Message):
    __slots__ = ("ledgers",)
    LEDGERS_FIELD_NUMBER: _ClassVar[int]
    ledgers: _containers.RepeatedCompositeFieldContainer[PBLedger]
    def __init__(self, ledgers: _Optional[_Iterable[_Union[PBLedger, _Mapping]]] = ...) -> None: ...

class PBLedger(_message.Message):
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
    profit: float
    comment: str
    group: str
    login: str
    additionalType: PBAdditionalTypeExternal
    def __init__(self, id: _Optional[str] = ..., historyOperationType: _Optional[_Union[PBHistoryOperationTypeExternal, str]] = ..., time: _Optional[str] = ..., profit: _Optional[float] = ..., comment: _Optional[str] = ..., group: _Optional[str] = ..., login: _Optional[str] = ..., additionalType: _Optional[_Union[PBAdditionalTypeExternal, str]] = ...) -> None: ...

class PBOpenPositionRequestExternal(_message.Message):
    __slots__ = ("groups", "logins")
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOGINS_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedScalarFieldContainer[str]
    logins: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, groups: _Optional[_Iterable[str]] = ..., logins: _Optional[_Iterable[str]] = ...) -> None: ...

class PBOpenPositionsStreamResponseExternal(_message.Message):
    __slots__ = ("positions", "heartbeat")
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    positions: PositionsPerClient
    heartbeat: bool
    def __init__(self, positions: _Optional[_Union[PositionsPerClient, _Mapping]] = ..., heartbeat: _Optional[bool] = ...) -> None: ...

class PositionsPerClient(_message.Message):
    __slots__ = ("positions",)
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    positions: _containers.RepeatedCompositeFieldContainer[PBPositionWithGroup]
    def __init__(self, positions: _Optional[_Iterable[_Union[PBPositionWithGroup, _Mapping]]] = ...) -> None: ...

class PBPositionWithGroup(_message.Message):
    __slots__ = ("login", "group", "id", "symbol", "volume", "side", "openTime", "openPrice", "stopLoss", "takeProfit", "swap", "profit", "netProfit", "currentPrice", "commission", "alias", "requestUpdateType")
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
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
    REQUESTUPDATETYPE_FIELD_NUMBER: _ClassVar[int]
    login: str
    group: str
    id: str
    symbol: str
    volume: float
    side: PBOrderSideExternal
    openTime: str
    openPrice: float
    stopLoss: float
    takeProfit: float
    swap: float
    profit: float
    netProfit: float
    currentPrice: float
    commission: float
    alias: str
    requestUpdateType: PBRequestUpdateTypeExternal
    def __init__(self, login: _Optional[str] = ..., group: _Optional[str] = ..., id: _Optional[str] = ..., symbol: _Optional[str] = ..., volume: _Optional[float] = ..., side: _Optional[_Union[PBOrderSideExternal, str]] = ..., openTime: _Optional[str] = ..., openPrice: _Optional[float] = ..., stopLoss: _Optional[float] = ..., takeProfit: _Optional[float] = ..., swap: _Optional[float] = ..., profit: _Optional[float] = ..., netProfit: _Optional[float] = ..., currentPrice: _Optional[float] = ..., commission: _Optional[float] = ..., alias: _Optional[str] = ..., requestUpdateType: _Optional[_Union[PBRequestUpdateTypeExternal, str]] = ...) -> None: ...

class PBTradingEventsStreamRequestExternal(_message.Message):
    __slots__ = ("logins", "groups", "accessRightsFilter")
    LOGINS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    ACCESSRIGHTSFILTER_FIELD_NUMBER: _ClassVar[int]
    logins: _containers.RepeatedScalarFieldContainer[str]
    groups: _containers.RepeatedScalarFieldContainer[str]
    accessRightsFilter: _containers.RepeatedScalarFieldContainer[PBClientAccessRightsTypeExternal]
    def __init__(self, logins: _Optional[_Iterable[str]] = ..., groups: _Optional[_Iterable[str]] = ..., accessRightsFilter: _Optional[_Iterable[_Union[PBClientAccessRightsTypeExternal, str]]] = ...) -> None: ...

class PBTradingEventsStreamResponseExternal(_message.Message):
    __slots__ = ("tradingEvents", "heartbeat")
    TRADINGEVENTS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    tradingEvents: PBTradingExternalEvents
    heartbeat: bool
    def __init__(self, tradingEvents: _Optional[_Union[PBTradingExternalEvents, _Mapping]] = ..., heartbeat: _Optional[bool] = ...) -> None: ...

class PBTradingExternalEvents(_message.Message):
    __slots__ = ("tradingEvents",)
    TRADINGEVENTS_FIELD_NUMBER: _ClassVar[int]
    tradingEvents: _containers.RepeatedCompositeFieldContainer[PBTradingExternalEvent]
    def __init__(self, tradingEvents: _Optional[_Iterable[_Union[PBTradingExternalEvent, _Mapping]]] = ...) -> None: ...

class PBTradingExternalEvent(_message.Message):
    __slots__ = ("marginCallEvent", "stopOutEvent", "login", "group")
    MARGINCALLEVENT_FIELD_NUMBER: _ClassVar[int]
    STOPOUTEVENT_FIELD_NUMBER: _ClassVar[int]
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    marginCallEvent: PBMarginCallExternalEvent
    stopOutEvent: PBStopOutExternalEvent
    login: str
    group: str
    def __init__(self, marginCallEvent: _Optional[_Union[PBMarginCallExternalEvent, _Mapping]] = ..., stopOutEvent: _Optional[_Union[PBStopOutExternalEvent, _Mapping]] = ..., login: _Optional[str] = ..., group: _Optional[str] = ...) -> None: ...

class PBMarginCallExternalEvent(_message.Message):
    __slots__ = ("marginLevel",)
    MARGINLEVEL_FIELD_NUMBER: _ClassVar[int]
    marginLevel: float
    def __init__(self, marginLevel: _Optional[float] = ...) -> None: ...

class PBStopOutExternalEvent(_message.Message):
    __slots__ = ("orderId", "instrument", "volume")
    ORDERID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    orderId: str
    instrument: str
    volume: float
    def __init__(self, orderId: _Optional[str] = ..., instrument: _Optional[str] = ..., volume: _Optional[float] = ...) -> None: ...

class PBQuotationsWithMarkupStreamRequestExternal(_message.Message):
    __slots__ = ("symbols", "group", "throttlingMs", "smartThrottling")
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    THROTTLINGMS_FIELD_NUMBER: _ClassVar[int]
    SMARTTHROTTLING_FIELD_NUMBER: _ClassVar[int]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    group: str
    throttlingMs: int
    smartThrottling: bool
    def __init__(self, symbols: _Optional[_Iterable[str]] = ..., group: _Optional[str] = ..., throttlingMs: _Optional[int] = ..., smartThrottling: _Optional[bool] = ...) -> None: ...

class PBQuotationSimpleExternal(_message.Message):
    __slots__ = ("quotation", "heartbeat")
    QUOTATION_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    quotation: PBQuotation
    heartbeat: bool
    def __init__(self, quotation: _Optional[_Union[PBQuotation, _Mapping]] = ..., heartbeat: _Optional[bool] = ...) -> None: ...

class PBQuotation(_message.Message):
    __slots__ = ("symbol", "bidPrice", "askPrice", "timestampInMillis")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    BIDPRICE_FIELD_NUMBER: _ClassVar[int]
    ASKPRICE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMPINMILLIS_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    bidPrice: float
    askPrice: float
    timestampInMillis: int
    def __init__(self, symbol: _Optional[str] = ..., bidPrice: _Optional[float] = ..., askPrice: _Optional[float] = ..., timestampInMillis: _Optional[int] = ...) -> None: ...
