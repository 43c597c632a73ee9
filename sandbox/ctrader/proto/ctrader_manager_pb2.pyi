from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ProtoCrudOperation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROTO_CREATE: _ClassVar[ProtoCrudOperation]
    PROTO_UPDATE: _ClassVar[ProtoCrudOperation]
    PROTO_DELETE: _ClassVar[ProtoCrudOperation]
    PROTO_UPDATE_DIFF: _ClassVar[ProtoCrudOperation]

class ProtoTradeSide(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BUY: _ClassVar[ProtoTradeSide]
    SELL: _ClassVar[ProtoTradeSide]

class ProtoAccountType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HEDGED: _ClassVar[ProtoAccountType]
    NETTED: _ClassVar[ProtoAccountType]
    SPREAD_BETTING: _ClassVar[ProtoAccountType]

class ProtoAccessRights(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FULL_ACCESS: _ClassVar[ProtoAccessRights]
    CLOSE_ONLY: _ClassVar[ProtoAccessRights]
    NO_TRADING: _ClassVar[ProtoAccessRights]
    NO_LOGIN: _ClassVar[ProtoAccessRights]

class ProtoDealStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FILLED: _ClassVar[ProtoDealStatus]
    PARTIALLY_FILLED: _ClassVar[ProtoDealStatus]
    REJECTED: _ClassVar[ProtoDealStatus]
    INTERNALLY_REJECTED: _ClassVar[ProtoDealStatus]
    ERROR: _ClassVar[ProtoDealStatus]
    MISSED: _ClassVar[ProtoDealStatus]

class ProtoPositionStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    POSITION_STATUS_OPEN: _ClassVar[ProtoPositionStatus]
    POSITION_STATUS_CLOSED: _ClassVar[ProtoPositionStatus]
    POSITION_STATUS_CREATED: _ClassVar[ProtoPositionStatus]
    POSITION_STATUS_ERROR: _ClassVar[ProtoPositionStatus]

class ProtoExecutionType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ORDER_ACCEPTED: _ClassVar[ProtoExecutionType]
    ORDER_FILLED: _ClassVar[ProtoExecutionType]
    ORDER_REPLACED: _ClassVar[ProtoExecutionType]
    ORDER_CANCELLED: _ClassVar[ProtoExecutionType]
    ORDER_EXPIRED: _ClassVar[ProtoExecutionType]
    ORDER_REJECTED: _ClassVar[ProtoExecutionType]
    ORDER_CANCEL_REJECTED: _ClassVar[ProtoExecutionType]
    SWAP: _ClassVar[ProtoExecutionType]
    DEPOSIT_WITHDRAW: _ClassVar[ProtoExecutionType]
    ORDER_PARTIAL_FILL: _ClassVar[ProtoExecutionType]
    BONUS_DEPOSIT_WITHDRAW: _ClassVar[ProtoExecutionType]

class ProtoChangeBonusType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BONUS_DEPOSIT: _ClassVar[ProtoChangeBonusType]
    BONUS_WITHDRAW: _ClassVar[ProtoChangeBonusType]
PROTO_CREATE: ProtoCrudOperation
PROTO_UPDATE: ProtoCrudOperation
PROTO_DELETE: ProtoCrudOperation
PROTO_UPDATE_DIFF: ProtoCrudOperation
BUY: ProtoTradeSide
SELL: ProtoTradeSide
HEDGED: ProtoAccountType
NETTED: ProtoAccountType
SPREAD_BETTING: ProtoAccountType
FULL_ACCESS: ProtoAccessRights
CLOSE_ONLY: ProtoAccessRights
NO_TRADING: ProtoAccessRights
NO_LOGIN: ProtoAccessRights
FILLED: ProtoDealStatus
PARTIALLY_FILLED: ProtoDealStatus
REJECTED: ProtoDealStatus
INTERNALLY_REJECTED: ProtoDealStatus
ERROR: ProtoDealStatus
MISSED: ProtoDealStatus
POSITION_STATUS_OPEN: ProtoPositionStatus
POSITION_STATUS_CLOSED: ProtoPositionStatus
POSITION_STATUS_CREATED: ProtoPositionStatus
POSITION_STATUS_ERROR: ProtoPositionStatus
ORDER_ACCEPTED: ProtoExecutionType
ORDER_FILLED: ProtoExecutionType
ORDER_REPLACED: ProtoExecutionType
ORDER_CANCELLED: ProtoExecutionType
ORDER_EXPIRED: ProtoExecutionType
ORDER_REJECTED: ProtoExecutionType
ORDER_CANCEL_REJECTED: ProtoExecutionType
SWAP: ProtoExecutionType
DEPOSIT_WITHDRAW: ProtoExecutionType
ORDER_PARTIAL_FILL: ProtoExecutionType
BONUS_DEPOSIT_WITHDRAW: ProtoExecutionType
BONUS_DEPOSIT: ProtoChangeBonusType
BONUS_WITHDRAW: ProtoChangeBonusType

class ProtoMessage(_message.Message):
    __slots__ = ("payloadType", "payload", "clientMsgId")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    CLIENTMSGID_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    payload: bytes
    clientMsgId: str
    def __init__(self, payloadType: _Optional[int] = ..., payload: _Optional[bytes] = ..., clientMsgId: _Optional[str] = ...) -> None: ...

class ProtoErrorRes(_message.Message):
    __slots__ = ("payloadType", "errorCode", "description", "maintenanceEndTimestamp")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    ERRORCODE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    MAINTENANCEENDTIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    errorCode: str
    description: str
    maintenanceEndTimestamp: int
    def __init__(self, payloadType: _Optional[int] = ..., errorCode: _Optional[str] = ..., description: _Optional[str] = ..., maintenanceEndTimestamp: _Optional[int] = ...) -> None: ...

class ProtoHeartbeatEvent(_message.Message):
    __slots__ = ("payloadType",)
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    def __init__(self, payloadType: _Optional[int] = ...) -> None: ...

class ProtoPingReq(_message.Message):
    __slots__ = ("payloadType", "timestamp")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    timestamp: int
    def __init__(self, payloadType: _Optional[int] = ..., timestamp: _Optional[int] = ...) -> None: ...

class ProtoPingRes(_message.Message):
    __slots__ = ("payloadType", "timestamp")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    timestamp: int
    def __init__(self, payloadType: _Optional[int] = ..., timestamp: _Optional[int] = ...) -> None: ...

class ProtoHelloEvent(_message.Message):
    __slots__ = ("payloadType",)
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    def __init__(self, payloadType: _Optional[int] = ...) -> None: ...

class ProtoManagerAuthReq(_message.Message):
    __slots__ = ("payloadType", "plantId", "environmentName", "login", "passwordHash")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    PLANTID_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENTNAME_FIELD_NUMBER: _ClassVar[int]
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    PASSWORDHASH_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    plantId: str
    environmentName: str
    login: int
    passwordHash: str
    def __init__(self, payloadType: _Optional[int] = ..., plantId: _Optional[str] = ..., environmentName: _Optional[str] = ..., login: _Optional[int] = ..., passwordHash: _Optional[str] = ...) -> None: ...

class ProtoManagerAuthRes(_message.Message):
    __slots__ = ("payloadType", "permission")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    PERMISSION_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    permission: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, payloadType: _Optional[int] = ..., permission: _Optional[_Iterable[int]] = ...) -> None: ...

class ProtoServerTimeReq(_message.Message):
    __slots__ = ("payloadType",)
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    def __init__(self, payloadType: _Optional[int] = ...) -> None: ...

class ProtoServerTimeRes(_message.Message):
    __slots__ = ("payloadType", "timeInMillis")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TIMEINMILLIS_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    timeInMillis: int
    def __init__(self, payloadType: _Optional[int] = ..., timeInMillis: _Optional[int] = ...) -> None: ...

class ProtoVersionReq(_message.Message):
    __slots__ = ("payloadType",)
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    def __init__(self, payloadType: _Optional[int] = ...) -> None: ...

class ProtoVersionRes(_message.Message):
    __slots__ = ("payloadType", "version")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    version: str
    def __init__(self, payloadType: _Optional[int] = ..., version: _Optional[str] = ...) -> None: ...

class ProtoTrader(_message.Message):
    __slots__ = ("traderId", "login", "groupId", "balance", "accountType", "name", "passwordHash", "description", "countryId", "phone", "email", "registrationTimestamp", "utcLastUpdateTimestamp", "deleted", "balanceVersion", "managerBonus", "ibBonus", "lastName", "accessRights", "depositAssetId", "swapFree", "nonWithdrawableBonus", "leverageInCents", "brokerName", "version", "moneyDigits")
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    GROUPID_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTTYPE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PASSWORDHASH_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    COUNTRYID_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    REGISTRATIONTIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    UTCLASTUPDATETIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    BALANCEVERSION_FIELD_NUMBER: _ClassVar[int]
    MANAGERBONUS_FIELD_NUMBER: _ClassVar[int]
    IBBONUS_FIELD_NUMBER: _ClassVar[int]
    LASTNAME_FIELD_NUMBER: _ClassVar[int]
    ACCESSRIGHTS_FIELD_NUMBER: _ClassVar[int]
    DEPOSITASSETID_FIELD_NUMBER: _ClassVar[int]
    SWAPFREE_FIELD_NUMBER: _ClassVar[int]
    NONWITHDRAWABLEBONUS_FIELD_NUMBER: _ClassVar[int]
    LEVERAGEINCENTS_FIELD_NUMBER: _ClassVar[int]
    BROKERNAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MONEYDIGITS_FIELD_NUMBER: _ClassVar[int]
    traderId: int
    login: int
    groupId: int
    balance: int
    accountType: int
    name: str
    passwordHash: str
    description: str
    countryId: int
    phone: str
    email: str
    registrationTimestamp: int
    utcLastUpdateTimestamp: int
    deleted: bool
    balanceVersion: int
    managerBonus: int
    ibBonus: int
    lastName: str
    accessRights: int
    depositAssetId: int
    swapFree: bool
    nonWithdrawableBonus: int
    leverageInCents: int
    brokerName: str
    version: int
    moneyDigits: int
    def __init__(self, traderId: _Optional[int] = ..., login: _Optional[int] = ..., groupId: _Optional[int] = ..., balance: _Optional[int] = ..., accountType: _Optional[int] = ..., name: _Optional[str] = ..., passwordHash: _Optional[str] = ..., description: _Optional[str] = ..., countryId: _Optional[int] = ..., phone: _Optional[str] = ..., email: _Optional[str] = ..., registrationTimestamp: _Optional[int] = ..., utcLastUpdateTimestamp: _Optional[int] = ..., deleted: _Optional[bool] = ..., balanceVersion: _Optional[int] = ..., managerBonus: _Optional[int] = ..., ibBonus: _Optional[int] = ..., lastName: _Optional[str] = ..., accessRights: _Optional[int] = ..., depositAssetId: _Optional[int] = ..., swapFree: _Optional[bool] = ..., nonWithdrawableBonus: _Optional[int] = ..., leverageInCents: _Optional[int] = ..., brokerName: _Optional[str] = ..., version: _Optional[int] = ..., moneyDigits: _Optional[int] = ...) -> None: ...

class ProtoManagerLightTrader(_message.Message):
    __slots__ = ("traderId", "login", "groupId", "depositAssetId", "name", "lastName", "registrationTimestamp")
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    GROUPID_FIELD_NUMBER: _ClassVar[int]
    DEPOSITASSETID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    LASTNAME_FIELD_NUMBER: _ClassVar[int]
    REGISTRATIONTIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    traderId: int
    login: int
    groupId: int
    depositAssetId: int
    name: str
    lastName: str
    registrationTimestamp: int
    def __init__(self, traderId: _Optional[int] = ..., login: _Optional[int] = ..., groupId: _Optional[int] = ..., depositAssetId: _Optional[int] = ..., name: _Optional[str] = ..., lastName: _Optional[str] = ..., registrationTimestamp: _Optional[int] = ...) -> None: ...

class ProtoLightGroup(_message.Message):
    __slots__ = ("groupId", "name", "enabled", "swapEnabled", "marginStopout", "description", "deleted", "hasAccess")
    GROUPID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    SWAPENABLED_FIELD_NUMBER: _ClassVar[int]
    MARGINSTOPOUT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    HASACCESS_FIELD_NUMBER: _ClassVar[int]
    groupId: int
    name: str
    enabled: bool
    swapEnabled: bool
    marginStopout: float
    description: str
    deleted: bool
    hasAccess: bool
    def __init__(self, groupId: _Optional[int] = ..., name: _Optional[str] = ..., enabled: _Optional[bool] = ..., swapEnabled: _Optional[bool] = ..., marginStopout: _Optional[float] = ..., description: _Optional[str] = ..., deleted: _Optional[bool] = ..., hasAccess: _Optional[bool] = ...) -> None: ...

class ProtoManagerSymbol(_message.Message):
    __slots__ = ("symbolId", "name", "digits", "pipPosition", "enabled", "defaultSwapLong", "defaultSwapShort", "description", "lotSize", "symbolCategoryId", "baseAssetId", "quoteAssetId", "defaultVolumeProfileId", "defaultSwapTime", "defaultSwapPeriod")
    SYMBOLID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DIGITS_FIELD_NUMBER: _ClassVar[int]
    PIPPOSITION_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    DEFAULTSWAPLONG_FIELD_NUMBER: _ClassVar[int]
    DEFAULTSWAPSHORT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    LOTSIZE_FIELD_NUMBER: _ClassVar[int]
    SYMBOLCATEGORYID_FIELD_NUMBER: _ClassVar[int]
    BASEASSETID_FIELD_NUMBER: _ClassVar[int]
    QUOTEASSETID_FIELD_NUMBER: _ClassVar[int]
    DEFAULTVOLUMEPROFILEID_FIELD_NUMBER: _ClassVar[int]
    DEFAULTSWAPTIME_FIELD_NUMBER: _ClassVar[int]
    DEFAULTSWAPPERIOD_FIELD_NUMBER: _ClassVar[int]
    symbolId: int
    name: str
    digits: int
    pipPosition: int
    enabled: bool
    defaultSwapLong: float
    defaultSwapShort: float
    description: str
    lotSize: int
    symbolCategoryId: int
    baseAssetId: int
    quoteAssetId: int
    defaultVolumeProfileId: int
    defaultSwapTime: int
    defaultSwapPeriod: int
    def __init__(self, symbolId: _Optional[int] = ..., name: _Optional[str] = ..., digits: _Optional[int] = ..., pipPosition: _Optional[int] = ..., enabled: _Optional[bool] = ..., defaultSwapLong: _Optional[float] = ..., defaultSwapShort: _Optional[float] = ..., description: _Optional[str] = ..., lotSize: _Optional[int] = ..., symbolCategoryId: _Optional[int] = ..., baseAssetId: _Optional[int] = ..., quoteAssetId: _Optional[int] = ..., defaultVolumeProfileId: _Optional[int] = ..., defaultSwapTime: _Optional[int] = ..., defaultSwapPeriod: _Optional[int] = ...) -> None: ...

class ProtoVolumeProfile(_message.Message):
    __slots__ = ("volumeProfileId", "name", "minVolume", "stepVolume", "maxVolume", "minStake", "stepStake", "maxStake", "maxExposure")
    VOLUMEPROFILEID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MINVOLUME_FIELD_NUMBER: _ClassVar[int]
    STEPVOLUME_FIELD_NUMBER: _ClassVar[int]
    MAXVOLUME_FIELD_NUMBER: _ClassVar[int]
    MINSTAKE_FIELD_NUMBER: _ClassVar[int]
    STEPSTAKE_FIELD_NUMBER: _ClassVar[int]
    MAXSTAKE_FIELD_NUMBER: _ClassVar[int]
    MAXEXPOSURE_FIELD_NUMBER: _ClassVar[int]
    volumeProfileId: int
    name: str
    minVolume: int
    stepVolume: int
    maxVolume: int
    minStake: int
    stepStake: int
    maxStake: int
    maxExposure: int
    def __init__(self, volumeProfileId: _Optional[int] = ..., name: _Optional[str] = ..., minVolume: _Optional[int] = ..., stepVolume: _Optional[int] = ..., maxVolume: _Optional[int] = ..., minStake: _Optional[int] = ..., stepStake: _Optional[int] = ..., maxStake: _Optional[int] = ..., maxExposure: _Optional[int] = ...) -> None: ...

class ProtoAsset(_message.Message):
    __slots__ = ("assetId", "name", "description", "type", "depositAsset", "depositable", "digits")
    ASSETID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    DEPOSITASSET_FIELD_NUMBER: _ClassVar[int]
    DEPOSITABLE_FIELD_NUMBER: _ClassVar[int]
    DIGITS_FIELD_NUMBER: _ClassVar[int]
    assetId: int
    name: str
    description: str
    type: int
    depositAsset: bool
    depositable: bool
    digits: int
    def __init__(self, assetId: _Optional[int] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., type: _Optional[int] = ..., depositAsset: _Optional[bool] = ..., depositable: _Optional[bool] = ..., digits: _Optional[int] = ...) -> None: ...

class ProtoTradeData(_message.Message):
    __slots__ = ("symbolId", "volume", "tradeSide", "traderId", "openTimestamp", "closeTimestamp", "label", "comment", "lotSize")
    SYMBOLID_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    TRADESIDE_FIELD_NUMBER: _ClassVar[int]
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    OPENTIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CLOSETIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    LOTSIZE_FIELD_NUMBER: _ClassVar[int]
    symbolId: int
    volume: int
    tradeSide: ProtoTradeSide
    traderId: int
    openTimestamp: int
    closeTimestamp: int
    label: str
    comment: str
    lotSize: int
    def __init__(self, symbolId: _Optional[int] = ..., volume: _Optional[int] = ..., tradeSide: _Optional[_Union[ProtoTradeSide, str]] = ..., traderId: _Optional[int] = ..., openTimestamp: _Optional[int] = ..., closeTimestamp: _Optional[int] = ..., label: _Optional[str] = ..., comment: _Optional[str] = ..., lotSize: _Optional[int] = ...) -> None: ...

class ProtoPosition(_message.Message):
    __slots__ = ("positionId", "tradeData", "positionStatus", "swap", "price", "utcLastUpdateTimestamp", "commission", "marginRate", "usedMargin", "moneyDigits")
    POSITIONID_FIELD_NUMBER: _ClassVar[int]
    TRADEDATA_FIELD_NUMBER: _ClassVar[int]
    POSITIONSTATUS_FIELD_NUMBER: _ClassVar[int]
    SWAP_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    UTCLASTUPDATETIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    COMMISSION_FIELD_NUMBER: _ClassVar[int]
    MARGINRATE_FIELD_NUMBER: _ClassVar[int]
    USEDMARGIN_FIELD_NUMBER: _ClassVar[int]
    MONEYDIGITS_FIELD_NUMBER: _ClassVar[int]
    positionId: int
    tradeData: ProtoTradeData
    positionStatus: int
    swap: int
    price: float
    utcLastUpdateTimestamp: int
    commission: int
    marginRate: float
    usedMargin: int
    moneyDigits: int
    def __init__(self, positionId: _Optional[int] = ..., tradeData: _Optional[_Union[ProtoTradeData, _Mapping]] = ..., positionStatus: _Optional[int] = ..., swap: _Optional[int] = ..., price: _Optional[float] = ..., utcLastUpdateTimestamp: _Optional[int] = ..., commission: _Optional[int] = ..., marginRate: _Optional[float] = ..., usedMargin: _Optional[int] = ..., moneyDigits: _Optional[int] = ...) -> None: ...

class ProtoClosePositionDetail(_message.Message):
    __slots__ = ("entryPrice", "swap", "commission", "profit", "balance", "closedVolume", "balanceVersion", "balanceHistoryId", "moneyDigits", "pnlConversionFee")
    ENTRYPRICE_FIELD_NUMBER: _ClassVar[int]
    SWAP_FIELD_NUMBER: _ClassVar[int]
    COMMISSION_FIELD_NUMBER: _ClassVar[int]
    PROFIT_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    CLOSEDVOLUME_FIELD_NUMBER: _ClassVar[int]
    BALANCEVERSION_FIELD_NUMBER: _ClassVar[int]
    BALANCEHISTORYID_FIELD_NUMBER: _ClassVar[int]
    MONEYDIGITS_FIELD_NUMBER: _ClassVar[int]
    PNLCONVERSIONFEE_FIELD_NUMBER: _ClassVar[int]
    entryPrice: float
    swap: int
    commission: int
    profit: int
    balance: int
    closedVolume: int
    balanceVersion: int
    balanceHistoryId: int
    moneyDigits: int
    pnlConversionFee: int
    def __init__(self, entryPrice: _Optional[float] = ..., swap: _Optional[int] = ..., commission: _Optional[int] = ..., profit: _Optional[int] = ..., balance: _Optional[int] = ..., closedVolume: _Optional[int] = ..., balanceVersion: _Optional[int] = ..., balanceHistoryId: _Optional[int] = ..., moneyDigits: _Optional[int] = ..., pnlConversionFee: _Optional[int] = ...) -> None: ...

class ProtoDeal(_message.Message):
    __slots__ = ("dealId", "orderId", "positionId", "traderId", "volume", "filledVolume", "symbolId", "createTimestamp", "executionTimestamp", "utcLastUpdateTimestamp", "executionPrice", "tradeSide", "dealStatus", "dealType", "commission", "label", "channel", "comment", "closePositionDetail", "lotSize", "moneyDigits")
    DEALID_FIELD_NUMBER: _ClassVar[int]
    ORDERID_FIELD_NUMBER: _ClassVar[int]
    POSITIONID_FIELD_NUMBER: _ClassVar[int]
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    FILLEDVOLUME_FIELD_NUMBER: _ClassVar[int]
    SYMBOLID_FIELD_NUMBER: _ClassVar[int]
    CREATETIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    EXECUTIONTIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    UTCLASTUPDATETIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    EXECUTIONPRICE_FIELD_NUMBER: _ClassVar[int]
    TRADESIDE_FIELD_NUMBER: _ClassVar[int]
    DEALSTATUS_FIELD_NUMBER: _ClassVar[int]
    DEALTYPE_FIELD_NUMBER: _ClassVar[int]
    COMMISSION_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    CLOSEPOSITIONDETAIL_FIELD_NUMBER: _ClassVar[int]
    LOTSIZE_FIELD_NUMBER: _ClassVar[int]
    MONEYDIGITS_FIELD_NUMBER: _ClassVar[int]
    dealId: int
    orderId: int
    positionId: int
    traderId: int
    volume: int
    filledVolume: int
    symbolId: int
    createTimestamp: int
    executionTimestamp: int
    utcLastUpdateTimestamp: int
    executionPrice: float
    tradeSide: ProtoTradeSide
    dealStatus: int
    dealType: int
    commission: int
    label: str
    channel: str
    comment: str
    closePositionDetail: ProtoClosePositionDetail
    lotSize: int
    moneyDigits: int
    def __init__(self, dealId: _Optional[int] = ..., orderId: _Optional[int] = ..., positionId: _Optional[int] = ..., traderId: _Optional[int] = ..., volume: _Optional[int] = ..., filledVolume: _Optional[int] = ..., symbolId: _Optional[int] = ..., createTimestamp: _Optional[int] = ..., executionTimestamp: _Optional[int] = ..., utcLastUpdateTimestamp: _Optional[int] = ..., executionPrice: _Optional[float] = ..., tradeSide: _Optional[_Union[ProtoTradeSide, str]] = ..., dealStatus: _Optional[int] = ..., dealType: _Optional[int] = ..., commission: _Optional[int] = ..., label: _Optional[str] = ..., channel: _Optional[str] = ..., comment: _Optional[str] = ..., closePositionDetail: _Optional[_Union[ProtoClosePositionDetail, _Mapping]] = ..., lotSize: _Optional[int] = ..., moneyDigits: _Optional[int] = ...) -> None: ...

class ProtoDepositWithdraw(_message.Message):
    __slots__ = ("operationType", "balanceHistoryId", "traderId", "balance", "delta", "changeBalanceTimestamp", "comment", "externalNote", "balanceVersion", "source", "externalId", "moneyDigits")
    OPERATIONTYPE_FIELD_NUMBER: _ClassVar[int]
    BALANCEHISTORYID_FIELD_NUMBER: _ClassVar[int]
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    CHANGEBALANCETIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    EXTERNALNOTE_FIELD_NUMBER: _ClassVar[int]
    BALANCEVERSION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    EXTERNALID_FIELD_NUMBER: _ClassVar[int]
    MONEYDIGITS_FIELD_NUMBER: _ClassVar[int]
    operationType: int
    balanceHistoryId: int
    traderId: int
    balance: int
    delta: int
    changeBalanceTimestamp: int
    comment: str
    externalNote: str
    balanceVersion: int
    source: str
    externalId: str
    moneyDigits: int
    def __init__(self, operationType: _Optional[int] = ..., balanceHistoryId: _Optional[int] = ..., traderId: _Optional[int] = ..., balance: _Optional[int] = ..., delta: _Optional[int] = ..., changeBalanceTimestamp: _Optional[int] = ..., comment: _Optional[str] = ..., externalNote: _Optional[str] = ..., balanceVersion: _Optional[int] = ..., source: _Optional[str] = ..., externalId: _Optional[str] = ..., moneyDigits: _Optional[int] = ...) -> None: ...

class ProtoBonusDepositWithdraw(_message.Message):
    __slots__ = ("operationType", "bonusHistoryId", "traderId", "managerBonus", "managerDelta", "ibBonus", "ibDelta", "changeBonusTimestamp", "comment", "externalNote", "moneyDigits")
    OPERATIONTYPE_FIELD_NUMBER: _ClassVar[int]
    BONUSHISTORYID_FIELD_NUMBER: _ClassVar[int]
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    MANAGERBONUS_FIELD_NUMBER: _ClassVar[int]
    MANAGERDELTA_FIELD_NUMBER: _ClassVar[int]
    IBBONUS_FIELD_NUMBER: _ClassVar[int]
    IBDELTA_FIELD_NUMBER: _ClassVar[int]
    CHANGEBONUSTIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    EXTERNALNOTE_FIELD_NUMBER: _ClassVar[int]
    MONEYDIGITS_FIELD_NUMBER: _ClassVar[int]
    operationType: int
    bonusHistoryId: int
    traderId: int
    managerBonus: int
    managerDelta: int
    ibBonus: int
    ibDelta: int
    changeBonusTimestamp: int
    comment: str
    externalNote: str
    moneyDigits: int
    def __init__(self, operationType: _Optional[int] = ..., bonusHistoryId: _Optional[int] = ..., traderId: _Optional[int] = ..., managerBonus: _Optional[int] = ..., managerDelta: _Optional[int] = ..., ibBonus: _Optional[int] = ..., ibDelta: _Optional[int] = ..., changeBonusTimestamp: _Optional[int] = ..., comment: _Optional[str] = ..., externalNote: _Optional[str] = ..., moneyDigits: _Optional[int] = ...) -> None: ...

class ProtoExecutionEvent(_message.Message):
    __slots__ = ("payloadType", "executionType", "position", "errorCode", "depositWithdraw", "deal", "eventId", "bonusDepositWithdraw", "isServerEvent")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    EXECUTIONTYPE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    ERRORCODE_FIELD_NUMBER: _ClassVar[int]
    DEPOSITWITHDRAW_FIELD_NUMBER: _ClassVar[int]
    DEAL_FIELD_NUMBER: _ClassVar[int]
    EVENTID_FIELD_NUMBER: _ClassVar[int]
    BONUSDEPOSITWITHDRAW_FIELD_NUMBER: _ClassVar[int]
    ISSERVEREVENT_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    executionType: int
    position: ProtoPosition
    errorCode: str
    depositWithdraw: ProtoDepositWithdraw
    deal: ProtoDeal
    eventId: int
    bonusDepositWithdraw: ProtoBonusDepositWithdraw
    isServerEvent: bool
    def __init__(self, payloadType: _Optional[int] = ..., executionType: _Optional[int] = ..., position: _Optional[_Union[ProtoPosition, _Mapping]] = ..., errorCode: _Optional[str] = ..., depositWithdraw: _Optional[_Union[ProtoDepositWithdraw, _Mapping]] = ..., deal: _Optional[_Union[ProtoDeal, _Mapping]] = ..., eventId: _Optional[int] = ..., bonusDepositWithdraw: _Optional[_Union[ProtoBonusDepositWithdraw, _Mapping]] = ..., isServerEvent: _Optional[bool] = ...) -> None: ...

class ProtoTraderChangedEvent(_message.Message):
    __slots__ = ("payloadType", "trader", "operation")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TRADER_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    trader: ProtoTrader
    operation: int
    def __init__(self, payloadType: _Optional[int] = ..., trader: _Optional[_Union[ProtoTrader, _Mapping]] = ..., operation: _Optional[int] = ...) -> None: ...

class ProtoSpotEvent(_message.Message):
    __slots__ = ("payloadType", "symbolId", "bid", "ask")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    SYMBOLID_FIELD_NUMBER: _ClassVar[int]
    BID_FIELD_NUMBER: _ClassVar[int]
    ASK_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    symbolId: int
    bid: int
    ask: int
    def __init__(self, payloadType: _Optional[int] = ..., symbolId: _Optional[int] = ..., bid: _Optional[int] = ..., ask: _Optional[int] = ...) -> None: ...

class ProtoManagerLightTraderListReq(_message.Message):
    __slots__ = ("payloadType", "fromTimestamp", "toTimestamp", "groupId")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    FROMTIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    TOTIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    GROUPID_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    fromTimestamp: int
    toTimestamp: int
    groupId: int
    def __init__(self, payloadType: _Optional[int] = ..., fromTimestamp: _Optional[int] = ..., toTimestamp: _Optional[int] = ..., groupId: _Optional[int] = ...) -> None: ...

class ProtoManagerLightTraderListRes(_message.Message):
    __slots__ = ("payloadType", "trader", "hasMore")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TRADER_FIELD_NUMBER: _ClassVar[int]
    HASMORE_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    trader: _containers.RepeatedCompositeFieldContainer[ProtoManagerLightTrader]
    hasMore: bool
    def __init__(self, payloadType: _Optional[int] = ..., trader: _Optional[_Iterable[_Union[ProtoManagerLightTrader, _Mapping]]] = ..., hasMore: _Optional[bool] = ...) -> None: ...

class ProtoTraderListReq(_message.Message):
    __slots__ = ("payloadType", "fromTimestamp", "toTimestamp", "groupId")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    FROMTIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    TOTIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    GROUPID_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    fromTimestamp: int
    toTimestamp: int
    groupId: int
    def __init__(self, payloadType: _Optional[int] = ..., fromTimestamp: _Optional[int] = ..., toTimestamp: _Optional[int] = ..., groupId: _Optional[int] = ...) -> None: ...

class ProtoTraderListRes(_message.Message):
    __slots__ = ("payloadType", "trader", "hasMore")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TRADER_FIELD_NUMBER: _ClassVar[int]
    HASMORE_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    trader: _containers.RepeatedCompositeFieldContainer[ProtoTrader]
    hasMore: bool
    def __init__(self, payloadType: _Optional[int] = ..., trader: _Optional[_Iterable[_Union[ProtoTrader, _Mapping]]] = ..., hasMore: _Optional[bool] = ...) -> None: ...

class ProtoTraderByIdReq(_message.Message):
    __slots__ = ("payloadType", "traderId")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    traderId: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, payloadType: _Optional[int] = ..., traderId: _Optional[_Iterable[int]] = ...) -> None: ...

class ProtoTraderByIdRes(_message.Message):
    __slots__ = ("payloadType", "trader")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TRADER_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    trader: _containers.RepeatedCompositeFieldContainer[ProtoTrader]
    def __init__(self, payloadType: _Optional[int] = ..., trader: _Optional[_Iterable[_Union[ProtoTrader, _Mapping]]] = ...) -> None: ...

class ProtoPositionListReq(_message.Message):
    __slots__ = ("payloadType", "traderId", "fromTimestamp", "toTimestamp")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    FROMTIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    TOTIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    traderId: int
    fromTimestamp: int
    toTimestamp: int
    def __init__(self, payloadType: _Optional[int] = ..., traderId: _Optional[int] = ..., fromTimestamp: _Optional[int] = ..., toTimestamp: _Optional[int] = ...) -> None: ...

class ProtoPositionListRes(_message.Message):
    __slots__ = ("payloadType", "traderId", "position", "hasMore")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    HASMORE_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    traderId: int
    position: _containers.RepeatedCompositeFieldContainer[ProtoPosition]
    hasMore: bool
    def __init__(self, payloadType: _Optional[int] = ..., traderId: _Optional[int] = ..., position: _Optional[_Iterable[_Union[ProtoPosition, _Mapping]]] = ..., hasMore: _Optional[bool] = ...) -> None: ...

class ProtoManagerDealListReq(_message.Message):
    __slots__ = ("payloadType", "traderId", "fromTimestamp", "toTimestamp", "maxRows", "withFilledVolumeOnly", "groupId")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    FROMTIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    TOTIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    MAXROWS_FIELD_NUMBER: _ClassVar[int]
    WITHFILLEDVOLUMEONLY_FIELD_NUMBER: _ClassVar[int]
    GROUPID_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    traderId: _containers.RepeatedScalarFieldContainer[int]
    fromTimestamp: int
    toTimestamp: int
    maxRows: int
    withFilledVolumeOnly: bool
    groupId: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, payloadType: _Optional[int] = ..., traderId: _Optional[_Iterable[int]] = ..., fromTimestamp: _Optional[int] = ..., toTimestamp: _Optional[int] = ..., maxRows: _Optional[int] = ..., withFilledVolumeOnly: _Optional[bool] = ..., groupId: _Optional[_Iterable[int]] = ...) -> None: ...

class ProtoManagerDealListRes(_message.Message):
    __slots__ = ("payloadType", "deal", "hasMore")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    DEAL_FIELD_NUMBER: _ClassVar[int]
    HASMORE_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    deal: _containers.RepeatedCompositeFieldContainer[ProtoDeal]
    hasMore: bool
    def __init__(self, payloadType: _Optional[int] = ..., deal: _Optional[_Iterable[_Union[ProtoDeal, _Mapping]]] = ..., hasMore: _Optional[bool] = ...) -> None: ...

class ProtoManagerGetDealReq(_message.Message):
    __slots__ = ("payloadType", "dealId")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    DEALID_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    dealId: int
    def __init__(self, payloadType: _Optional[int] = ..., dealId: _Optional[int] = ...) -> None: ...

class ProtoManagerGetDealRes(_message.Message):
    __slots__ = ("payloadType", "deal")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    DEAL_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    deal: ProtoDeal
    def __init__(self, payloadType: _Optional[int] = ..., deal: _Optional[_Union[ProtoDeal, _Mapping]] = ...) -> None: ...

class ProtoBalanceHistoryListReq(_message.Message):
    __slots__ = ("payloadType", "traderId", "fromTimestamp", "toTimestamp")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    FROMTIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    TOTIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    traderId: int
    fromTimestamp: int
    toTimestamp: int
    def __init__(self, payloadType: _Optional[int] = ..., traderId: _Optional[int] = ..., fromTimestamp: _Optional[int] = ..., toTimestamp: _Optional[int] = ...) -> None: ...

class ProtoBalanceHistoryListRes(_message.Message):
    __slots__ = ("payloadType", "traderId", "depositWithdraw", "hasMore")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    DEPOSITWITHDRAW_FIELD_NUMBER: _ClassVar[int]
    HASMORE_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    traderId: int
    depositWithdraw: _containers.RepeatedCompositeFieldContainer[ProtoDepositWithdraw]
    hasMore: bool
    def __init__(self, payloadType: _Optional[int] = ..., traderId: _Optional[int] = ..., depositWithdraw: _Optional[_Iterable[_Union[ProtoDepositWithdraw, _Mapping]]] = ..., hasMore: _Optional[bool] = ...) -> None: ...

class ProtoBonusHistoryListReq(_message.Message):
    __slots__ = ("payloadType", "traderId", "fromTimestamp", "toTimestamp")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    FROMTIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    TOTIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    traderId: int
    fromTimestamp: int
    toTimestamp: int
    def __init__(self, payloadType: _Optional[int] = ..., traderId: _Optional[int] = ..., fromTimestamp: _Optional[int] = ..., toTimestamp: _Optional[int] = ...) -> None: ...

class ProtoBonusHistoryListRes(_message.Message):
    __slots__ = ("payloadType", "traderId", "bonusDepositWithdraw", "hasMore")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    BONUSDEPOSITWITHDRAW_FIELD_NUMBER: _ClassVar[int]
    HASMORE_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    traderId: int
    bonusDepositWithdraw: _containers.RepeatedCompositeFieldContainer[ProtoBonusDepositWithdraw]
    hasMore: bool
    def __init__(self, payloadType: _Optional[int] = ..., traderId: _Optional[int] = ..., bonusDepositWithdraw: _Optional[_Iterable[_Union[ProtoBonusDepositWithdraw, _Mapping]]] = ..., hasMore: _Optional[bool] = ...) -> None: ...

class ProtoLightGroupListReq(_message.Message):
    __slots__ = ("payloadType",)
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    def __init__(self, payloadType: _Optional[int] = ...) -> None: ...

class ProtoLightGroupListRes(_message.Message):
    __slots__ = ("payloadType", "lightGroup")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    LIGHTGROUP_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    lightGroup: _containers.RepeatedCompositeFieldContainer[ProtoLightGroup]
    def __init__(self, payloadType: _Optional[int] = ..., lightGroup: _Optional[_Iterable[_Union[ProtoLightGroup, _Mapping]]] = ...) -> None: ...

class ProtoManagerSymbolListReq(_message.Message):
    __slots__ = ("payloadType",)
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    def __init__(self, payloadType: _Optional[int] = ...) -> None: ...

class ProtoManagerSymbolListRes(_message.Message):
    __slots__ = ("payloadType", "symbol")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    symbol: _containers.RepeatedCompositeFieldContainer[ProtoManagerSymbol]
    def __init__(self, payloadType: _Optional[int] = ..., symbol: _Optional[_Iterable[_Union[ProtoManagerSymbol, _Mapping]]] = ...) -> None: ...

class ProtoVolumeProfileListReq(_message.Message):
    __slots__ = ("payloadType",)
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    def __init__(self, payloadType: _Optional[int] = ...) -> None: ...

class ProtoVolumeProfileListRes(_message.Message):
    __slots__ = ("payloadType", "volumeProfile")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    VOLUMEPROFILE_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    volumeProfile: _containers.RepeatedCompositeFieldContainer[ProtoVolumeProfile]
    def __init__(self, payloadType: _Optional[int] = ..., volumeProfile: _Optional[_Iterable[_Union[ProtoVolumeProfile, _Mapping]]] = ...) -> None: ...

class ProtoAssetListReq(_message.Message):
    __slots__ = ("payloadType",)
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    def __init__(self, payloadType: _Optional[int] = ...) -> None: ...

class ProtoAssetListRes(_message.Message):
    __slots__ = ("payloadType", "asset")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    ASSET_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    asset: _containers.RepeatedCompositeFieldContainer[ProtoAsset]
    def __init__(self, payloadType: _Optional[int] = ..., asset: _Optional[_Iterable[_Union[ProtoAsset, _Mapping]]] = ...) -> None: ...

class ProtoSubscribeSpotQuotesReq(_message.Message):
    __slots__ = ("payloadType", "symbolId")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    SYMBOLID_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    symbolId: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, payloadType: _Optional[int] = ..., symbolId: _Optional[_Iterable[int]] = ...) -> None: ...

class ProtoSubscribeSpotQuotesRes(_message.Message):
    __slots__ = ("payloadType",)
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    def __init__(self, payloadType: _Optional[int] = ...) -> None: ...

class ProtoCrudTraderReq(_message.Message):
    __slots__ = ("payloadType", "operation", "trader", "validateVersion")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    TRADER_FIELD_NUMBER: _ClassVar[int]
    VALIDATEVERSION_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    operation: ProtoCrudOperation
    trader: ProtoTrader
    validateVersion: bool
    def __init__(self, payloadType: _Optional[int] = ..., operation: _Optional[_Union[ProtoCrudOperation, str]] = ..., trader: _Optional[_Union[ProtoTrader, _Mapping]] = ..., validateVersion: _Optional[bool] = ...) -> None: ...

class ProtoCrudTraderRes(_message.Message):
    __slots__ = ("payloadType", "operation", "traderId")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    operation: int
    traderId: int
    def __init__(self, payloadType: _Optional[int] = ..., operation: _Optional[int] = ..., traderId: _Optional[int] = ...) -> None: ...

class ProtoChangeTraderPasswordReq(_message.Message):
    __slots__ = ("payloadType", "traderId", "passwordHash")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    PASSWORDHASH_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    traderId: int
    passwordHash: str
    def __init__(self, payloadType: _Optional[int] = ..., traderId: _Optional[int] = ..., passwordHash: _Optional[str] = ...) -> None: ...

class ProtoChangeTraderPasswordRes(_message.Message):
    __slots__ = ("payloadType", "traderId")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    traderId: int
    def __init__(self, payloadType: _Optional[int] = ..., traderId: _Optional[int] = ...) -> None: ...

class ProtoCheckTraderPasswordReq(_message.Message):
    __slots__ = ("payloadType", "traderId", "passwordHash", "login")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    PASSWORDHASH_FIELD_NUMBER: _ClassVar[int]
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    traderId: int
    passwordHash: str
    login: int
    def __init__(self, payloadType: _Optional[int] = ..., traderId: _Optional[int] = ..., passwordHash: _Optional[str] = ..., login: _Optional[int] = ...) -> None: ...

class ProtoCheckTraderPasswordRes(_message.Message):
    __slots__ = ("payloadType", "traderId")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    traderId: int
    def __init__(self, payloadType: _Optional[int] = ..., traderId: _Optional[int] = ...) -> None: ...

class ProtoChangeBalanceReq(_message.Message):
    __slots__ = ("payloadType", "traderId", "amount", "comment", "type", "externalNote", "source", "externalId", "newWay")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    EXTERNALNOTE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    EXTERNALID_FIELD_NUMBER: _ClassVar[int]
    NEWWAY_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    traderId: int
    amount: int
    comment: str
    type: int
    externalNote: str
    source: str
    externalId: str
    newWay: bool
    def __init__(self, payloadType: _Optional[int] = ..., traderId: _Optional[int] = ..., amount: _Optional[int] = ..., comment: _Optional[str] = ..., type: _Optional[int] = ..., externalNote: _Optional[str] = ..., source: _Optional[str] = ..., externalId: _Optional[str] = ..., newWay: _Optional[bool] = ...) -> None: ...

class ProtoChangeBalanceRes(_message.Message):
    __slots__ = ("payloadType", "traderId", "balanceHistoryId")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    BALANCEHISTORYID_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    traderId: int
    balanceHistoryId: int
    def __init__(self, payloadType: _Optional[int] = ..., traderId: _Optional[int] = ..., balanceHistoryId: _Optional[int] = ...) -> None: ...

class ProtoManagerChangeBonusReq(_message.Message):
    __slots__ = ("payloadType", "traderId", "amount", "comment", "type", "externalNote", "newWay")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    EXTERNALNOTE_FIELD_NUMBER: _ClassVar[int]
    NEWWAY_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    traderId: int
    amount: int
    comment: str
    type: ProtoChangeBonusType
    externalNote: str
    newWay: bool
    def __init__(self, payloadType: _Optional[int] = ..., traderId: _Optional[int] = ..., amount: _Optional[int] = ..., comment: _Optional[str] = ..., type: _Optional[_Union[ProtoChangeBonusType, str]] = ..., externalNote: _Optional[str] = ..., newWay: _Optional[bool] = ...) -> None: ...

class ProtoManagerChangeBonusRes(_message.Message):
    __slots__ = ("payloadType", "traderId", "bonusHistoryId")
    PAYLOADTYPE_FIELD_NUMBER: _ClassVar[int]
    TRADERID_FIELD_NUMBER: _ClassVar[int]
    BONUSHISTORYID_FIELD_NUMBER: _ClassVar[int]
    payloadType: int
    traderId: int
    bonusHistoryId: int
    def __init__(self, payloadType: _Optional[int] = ..., traderId: _Optional[int] = ..., bonusHistoryId: _Optional[int] = ...) -> None: ...
