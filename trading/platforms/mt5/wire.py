"""The MT5 Web API's raw text protocol: frames, command lines and answers. No sockets here.

A packet is nine ASCII header characters and a body: four hex digits body length in bytes, four hex digits packet
number, one flag (`1` more follow, `0` last). A body is UTF-16LE text: `CMD|NAME=value|\\r\\n`, then an optional JSON
text. Long messages come as several packets; their (decrypted) bodies are joined as bytes before they are decoded, as a
packet may end in the middle of a character. Packets without a body are pings and may stand anywhere, also between two
parts of one message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from trading.platforms.parsing import read_json

FIRST_PACKET_PREFIX: Final = b"MT5WEBAPI"
HEADER_BYTES: Final = 9
BODY_BYTES_MAX: Final = 0xFFFF
# Our own parts stay even, so that each holds whole UTF-16 units; a reader must not rely on that.
PART_BYTES: Final = 0xFFFE
CLIENT_NUMBER_MAX: Final = 0x3FFF
MESSAGE_BYTES_MAX: Final = 256 * 1024 * 1024

_HEADER = re.compile(rb"[0-9a-fA-F]{8}[01]")
_SPECIAL: Final = frozenset("\\=|\n")


class WireError(Exception):
    """The byte stream is not the protocol. The connection can't be used any more."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One frame as it came in: its number, whether more parts follow, and its body still encrypted."""

    number: int
    more: bool
    body: bytes

    @property
    def is_ping(self) -> bool:
        return not self.body and not self.more


def next_number(number: int) -> int:
    """Count the packet number on: 1 … 0x3FFF, then 1 again. Numbers above belong to the server's pings."""
    return 1 if number >= CLIENT_NUMBER_MAX else number + 1


def header(length: int, number: int, *, more: bool = False) -> bytes:
    """Write the nine header characters in front of a body of `length` bytes."""
    if not 0 <= length <= BODY_BYTES_MAX:
        raise ValueError(f"a packet body has at most {BODY_BYTES_MAX} bytes, not {length}")
    return b"%04x%04x%d" % (length, number, more)


def parts(body: bytes) -> Iterator[tuple[bytes, bool]]:
    """Cut `body` into packet bodies, each with its "more follow" flag. Encrypt each part on its own."""
    for start in range(0, max(len(body), 1), PART_BYTES):
        end = start + PART_BYTES
        yield body[start:end], end < len(body)


class FrameReader:
    """Turns received bytes into packets, wherever TCP happened to cut them."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Packet]:
        """Take what the socket gave and return every packet that is complete by now.

        Raises: WireError when the bytes are not packets.
        """
        self._buffer += data
        packets: list[Packet] = []
        position = 0
        while len(self._buffer) - position >= HEADER_BYTES:
            head = bytes(self._buffer[position : position + HEADER_BYTES])
            if not _HEADER.fullmatch(head):
                raise WireError("the server sent something that is not a packet header")
            length = int(head[:4], 16)
            end = position + HEADER_BYTES + length
            if len(self._buffer) < end:
                break
            body = bytes(self._buffer[position + HEADER_BYTES : end])
            packets.append(Packet(number=int(head[4:8], 16), more=head[8:] == b"1", body=body))
            position = end
        del self._buffer[:position]
        return packets

    @property
    def has_partial_packet(self) -> bool:
        return bool(self._buffer)


def escape(value: str) -> str:
    """Escape a parameter value for the wire: backslash, equals sign, bar and line feed get a backslash in front."""
    return "".join(f"\\{char}" if char in _SPECIAL else char for char in value)


def command_text(name: str, parameters: Mapping[str, object], body: str = "") -> str:
    """Write `NAME|KEY=value|…|\\r\
    ` and the optional JSON body.
    """
    fields = [name, *(f"{key}={escape(str(value))}" for key, value in parameters.items())]
    return "|".join(fields) + "|\r\n" + body


def encode(text: str) -> bytes:
    """Encode in UTF-16LE; half a surrogate pair, which no real text has, becomes a replacement character."""
    return text.encode("utf-16-le", errors="surrogatepass").decode("utf-16-le", errors="replace").encode("utf-16-le")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the server: command name, parameters with upper-case names, and the JSON text after the line."""

    name: str
    parameters: dict[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def retcode(self) -> int:
        """The number in front of `RETCODE=0 Done`. Raises: WireError when there is none."""
        number = self.parameters.get("RETCODE", "").strip().split(" ", 1)[0]
        if not number.isdecimal():
            raise WireError(f"the answer to {self.name or 'a command'} has no retcode")
        return int(number)

    @property
    def retcode_text(self) -> str:
        return self.parameters.get("RETCODE", "").strip().partition(" ")[2]

    def json(self) -> Any:
        """Parse the JSON after the line; None when there is none. Numbers keep every digit (Decimal).

        Raises: WireError when the text is not JSON.
        """
        text = self.body.strip("\x00\r\n\t ﻿")
        if not text:
            return None
        try:
            return read_json(text)
        except ValueError as problem:
            raise WireError(f"the answer to {self.name} carries broken JSON: {problem}") from problem

    def rows(self) -> list[dict[str, Any]]:
        """Read the JSON as a list of objects: an array, one object, or nothing."""
        data = self.json()
        objects = [data] if isinstance(data, dict) else (data or [])
        if not isinstance(objects, list) or not all(isinstance(row, dict) for row in objects):
            raise WireError(f"the answer to {self.name} is not a list of objects")
        return objects

    def row(self) -> dict[str, Any]:
        """Read the JSON as one object. Raises: WireError when it is something else."""
        objects = self.rows()
        if len(objects) != 1:
            raise WireError(f"the answer to {self.name} holds {len(objects)} objects where one was asked for")
        return objects[0]

    def number(self, key: str) -> int:
        """Read a whole-number parameter such as TICKET or TOTAL. Raises: WireError."""
        value = self.parameters.get(key, "").strip()
        if not value.isdecimal():
            raise WireError(f"the answer to {self.name} has no {key}")
        return int(value)


def _first_line(text: str) -> tuple[list[str], str]:
    """Split off the fields of the command line with their escapes still in place, and what comes after the line."""
    fields: list[str] = []
    start = position = 0
    while position < len(text):
        char = text[position]
        if char == "\\" and text[position + 1 : position + 2] in _SPECIAL:
            position += 2
            continue
        if char in "|\n":
            fields.append(text[start:position])
            start = position + 1
        if char == "\n":
            return fields, text[start:]
        position += 1
    return [*fields, text[start:]], ""


def _split_assignment(text: str) -> tuple[str, str]:
    """`NAME` and unescaped value of one field; the value ends where the field ends, further `=` included."""
    name, _, value = text.partition("=")
    return name, unescape(value)


def unescape(value: str) -> str:
    """Undo `escape`. A backslash before any other character is a backslash (`demo\\forex` is a group's name)."""
    return re.sub(r"\\([\\=|\n])", r"\1", value)


def parse(text: str) -> Answer:
    """Read a command or answer line, with or without the final bar, and the JSON after it."""
    fields, body = _first_line(text)
    if fields and fields[-1].strip("\r") == "":
        fields.pop()
    elif fields:
        fields[-1] = fields[-1].removesuffix("\r")
    if not fields or not fields[0]:
        raise WireError("the server sent an empty line")
    parameters = {}
    for name, value in (_split_assignment(item) for item in fields[1:] if item):
        parameters[name.strip().upper()] = value
    return Answer(name=fields[0].strip().upper(), parameters=parameters, body=body)


def decode(data: bytes) -> Answer:
    """Parse joined and decrypted packet bodies; broken characters are replaced, never fatal."""
    return parse(data.decode("utf-16-le", errors="replace"))
