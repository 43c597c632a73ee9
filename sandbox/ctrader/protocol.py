"""The Manager API's frames as the server reads and writes them, and which message is which command."""

from __future__ import annotations

import asyncio
from typing import Any

from google.protobuf.message import DecodeError

from sandbox.ctrader.proto import ctrader_manager_pb2 as pb

FRAME_MAX = 1024 * 1024
PING, HEARTBEAT, AUTH = 52, 51, 301
# The command's name, as counts and faults know it, and its message.
REQUESTS: dict[str, type[Any]] = {
    "SERVER_TIME": pb.ProtoServerTimeReq,
    "VERSION": pb.ProtoVersionReq,
    "LIGHT_TRADER_LIST": pb.ProtoManagerLightTraderListReq,
    "TRADER_LIST": pb.ProtoTraderListReq,
    "TRADER_BY_ID": pb.ProtoTraderByIdReq,
    "POSITION_LIST": pb.ProtoPositionListReq,
    "DEAL_LIST": pb.ProtoManagerDealListReq,
    "GET_DEAL": pb.ProtoManagerGetDealReq,
    "BALANCE_HISTORY_LIST": pb.ProtoBalanceHistoryListReq,
    "BONUS_HISTORY_LIST": pb.ProtoBonusHistoryListReq,
    "LIGHT_GROUP_LIST": pb.ProtoLightGroupListReq,
    "SYMBOL_LIST": pb.ProtoManagerSymbolListReq,
    "VOLUME_PROFILE_LIST": pb.ProtoVolumeProfileListReq,
    "ASSET_LIST": pb.ProtoAssetListReq,
    "SUBSCRIBE_SPOTS": pb.ProtoSubscribeSpotQuotesReq,
    "CRUD_TRADER": pb.ProtoCrudTraderReq,
    "CHANGE_PASSWORD": pb.ProtoChangeTraderPasswordReq,
    "CHECK_PASSWORD": pb.ProtoCheckTraderPasswordReq,
    "CHANGE_BALANCE": pb.ProtoChangeBalanceReq,
    "CHANGE_BONUS": pb.ProtoManagerChangeBonusReq,
}
COMMANDS = {kind().payloadType: (name, kind) for name, kind in REQUESTS.items()}


def frame(message: Any, message_id: str = "") -> bytes:
    """Pack a message in its envelope, with its length in front."""
    envelope = pb.ProtoMessage(payloadType=message.payloadType, payload=message.SerializeToString())
    if message_id:
        envelope.clientMsgId = message_id
    data = envelope.SerializeToString()
    return len(data).to_bytes(4, "big") + data


class WrongFrame(Exception):
    """Bytes that are no message: the client is told `code` before the connection ends."""

    def __init__(self, code: str, why: str, message_id: str = "") -> None:
        super().__init__(why)
        self.code, self.why, self.message_id = code, why, message_id


async def read_frame(reader: asyncio.StreamReader, seconds: float) -> pb.ProtoMessage:
    """Read the next envelope. Raises WrongFrame for bytes that are no frame, TimeoutError for a silent client."""
    head = await asyncio.wait_for(reader.readexactly(4), seconds)
    length = int.from_bytes(head, "big")
    if length > FRAME_MAX:
        raise WrongFrame("FRAME_TOO_LONG", f"a frame of {length} bytes is announced; at most {FRAME_MAX} are read")
    data = await asyncio.wait_for(reader.readexactly(length), seconds)
    message: pb.ProtoMessage = parse(pb.ProtoMessage, data)
    return message


def parse(kind: type[Any], data: bytes, message_id: str = "") -> Any:
    """Parse a message of this kind. Raises WrongFrame for anything else, and where a required field is missing."""
    message = kind()
    try:
        message.ParseFromString(data)
    except DecodeError:
        raise WrongFrame("INVALID_REQUEST", f"not a {kind.__name__}", message_id) from None
    if not message.IsInitialized():
        lacking = ", ".join(message.FindInitializationErrors())
        raise WrongFrame("INVALID_REQUEST", f"{kind.__name__} lacks {lacking}", message_id)
    return message


def error(code: str, description: str = "", maintenance_end_msc: int = 0) -> pb.ProtoErrorRes:
    """Make the error answer of a code."""
    refused = pb.ProtoErrorRes(errorCode=code, description=description)
    if maintenance_end_msc:
        refused.maintenanceEndTimestamp = maintenance_end_msc
    return refused
