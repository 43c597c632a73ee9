"""Frames of the Manager API: four bytes of length, most significant first, and a `ProtoMessage`. No sockets here."""

from __future__ import annotations

from typing import Any, Final, Protocol

from google.protobuf.message import DecodeError

from trading.platforms.ctrader.proto import ctrader_manager_pb2 as pb

HEAD_BYTES: Final = 4
FRAME_BYTES_MAX: Final = 64 * 1024 * 1024


class FrameError(Exception):
    """Bytes that are no frame, or a message that can't be read: the connection is worth nothing any more."""


class Outgoing(Protocol):
    """A message with its number."""

    @property
    def payloadType(self) -> int: ...

    def SerializeToString(self) -> bytes: ...


def encode(message: Outgoing, message_id: str = "") -> bytes:
    """Pack a message in its envelope and frame. Its number is in the envelope only: as a default it is not sent inside."""
    envelope = pb.ProtoMessage(payloadType=message.payloadType, payload=message.SerializeToString())
    if message_id:
        envelope.clientMsgId = message_id
    body = envelope.SerializeToString()
    return len(body).to_bytes(HEAD_BYTES, "big") + body


def read(message: Any, payload: bytes, name: str) -> None:
    """Fill `message` from bytes. Raises: FrameError."""
    try:
        message.ParseFromString(payload)
    except DecodeError as problem:
        raise FrameError(f"{name} can't be read ({problem})") from problem
    if not message.IsInitialized():  # the parser takes a message for good that lacks what it must have
        raise FrameError(f"{name} lacks {', '.join(message.FindInitializationErrors())}")


class FrameReader:
    """Bytes in any pieces → envelopes."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[pb.ProtoMessage]:
        """Take in bytes and hand out the envelopes that are complete now. Raises: FrameError."""
        self._rest += data
        envelopes = []
        while len(self._rest) >= HEAD_BYTES:
            length = int.from_bytes(self._rest[:HEAD_BYTES], "big")
            if length > FRAME_BYTES_MAX:
                raise FrameError(f"a frame of {length} bytes is announced")
            if len(self._rest) < HEAD_BYTES + length:
                break
            envelope = pb.ProtoMessage()
            read(envelope, bytes(self._rest[HEAD_BYTES : HEAD_BYTES + length]), "a frame")
            del self._rest[: HEAD_BYTES + length]
            envelopes.append(envelope)
        return envelopes
