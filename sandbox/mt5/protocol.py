"""The server's side of the MT5 Web API: frames, escaping, hashes, cipher and the JSON dialect.

Written apart from the client that the product ships, so that the two can find each other's mistakes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PREFIX = b"MT5WEBAPI"
HEADER = 9
BODY_MAX = 0xFFFF
PING_FIRST, PING_LAST = 0x4000, 0x7FFF

RETCODE_TEXTS = {
    0: "Done",
    1: "Done",
    2: "Error",
    3: "Invalid parameters",
    4: "Invalid data",
    7: "Network error",
    8: "Not enough permissions",
    9: "Timeout",
    10: "No connection",
    11: "Service is not available",
    12: "Too frequent requests",
    13: "Not found",
    15: "Server shutdown in progress",
    17: "Duplicate data",
    1000: "Invalid client type",
    1001: "Invalid account",
    1010: "Client has old version",
    1018: "Server is busy",
    3004: "Account already exists",
    3006: "Invalid password",
    3008: "Account has open trades",
    3010: "Different currency",
    4005: "Money limit reached",
    10012: "Request timeout",
    10014: "Invalid volume",
    10017: "Trade is disabled",
    10018: "Market closed",
    10019: "No money",
    12000: "Not implemented",
}


@dataclass
class Request:
    name: str
    parameters: dict[str, str]
    body: str

    def get(self, key: str, default: str = "") -> str:
        return self.parameters.get(key, default)

    def integer(self, key: str, default: int | None = None) -> int | None:
        """Read a whole number, or `default` when it is missing or something else."""
        try:
            return int(self.parameters[key])
        except (KeyError, ValueError):
            return default


def frame(body: bytes, number: int, more: bool = False) -> bytes:
    """Write the header in front of a body."""
    return f"{len(body):04x}{number:04x}{int(more)}".encode() + body


def read_header(head: bytes) -> tuple[int, int, bool]:
    """Length, number, more. Raises ValueError."""
    return int(head[:4], 16), int(head[4:8], 16), {b"0": False, b"1": True}[bytes(head[8:9])]


def cut(data: bytes, size: int = BODY_MAX) -> Iterator[tuple[bytes, bool]]:
    """Cut a message into bodies, each with whether more follow."""
    for start in range(0, max(1, len(data)), size):
        yield data[start : start + size], start + size < len(data)


def quote(value: str) -> str:
    """Escape a value of an answer's line."""
    for special in ("\\", "=", "|", "\n"):
        value = value.replace(special, "\\" + special)
    return value


def _next_token(text: str, at: int) -> tuple[str, str, int]:
    """("char" | "bar" | "equals" | "end", character, next position)."""
    char = text[at]
    if char == "\\" and at + 1 < len(text) and text[at + 1] in "\\=|\n":
        return "char", text[at + 1], at + 2
    kinds = {"|": "bar", "=": "equals", "\n": "end"}
    return kinds.get(char, "char"), char, at + 1


def parse(data: bytes) -> Request:
    """Parse a command as real clients send it: any order and case of names, with or without the last bar."""
    text = data.decode("utf-16-le", errors="replace")
    fields: list[list[str]] = [[""]]
    at = 0
    while at < len(text):
        kind, char, at = _next_token(text, at)
        if kind == "end":
            break
        if kind == "bar":
            fields.append([""])
        elif kind == "equals" and len(fields[-1]) == 1 and len(fields) > 1:
            fields[-1].append("")
        else:
            fields[-1][-1] += char
    fields[-1][-1] = fields[-1][-1].removesuffix("\r")
    parameters = {item[0].strip().upper(): item[1] for item in fields[1:] if len(item) == 2}
    if "GROUP" in parameters:
        # A path's separator may come escaped twice (some clients do); a group's name never holds two in a row.
        parameters["GROUP"] = re.sub(r"\\+", r"\\", parameters["GROUP"])
    return Request(name=fields[0][0].strip().upper(), parameters=parameters, body=text[at:].strip("\x00\r\n"))


def answer(name: str, code: int, parameters: Mapping[str, object] | None = None, data: Any = None) -> bytes:
    """Write an answer: its line, then its JSON."""
    text = RETCODE_TEXTS.get(code, "Error")
    line = f"{name}|RETCODE={code} {text}|"
    line += "".join(f"{key}={quote(str(value))}|" for key, value in (parameters or {}).items())
    body = "" if data is None else to_json(data)
    return (line + "\r\n" + body).encode("utf-16-le", errors="replace")


def _string(value: object) -> str:
    out = []
    for char in str(value):
        if char in '"\\':
            out.append("\\" + char)
        elif char < " ":
            out.append(f"\\u{ord(char):04x}")
        else:
            out.append(char)
    return '"' + "".join(out) + '"'


def to_json(data: Any) -> str:
    """Write JSON as the server does: every value is a string, one pair per line, CRLF."""
    if isinstance(data, dict):
        pairs = ",\r\n".join(f'"{key}" : {to_json(value)}' for key, value in data.items())
        return "{\r\n" + pairs + "\r\n}"
    if isinstance(data, list | tuple):
        return "[" + ",\r\n".join(to_json(item) for item in data) + "]"
    return _string(data)


def secret_of(password: str) -> bytes:
    """Derive from a password the secret that the handshake proves."""
    inner = hashlib.md5(password.encode("utf-16-le"), usedforsecurity=False).digest()
    return hashlib.md5(inner + b"WebAPI", usedforsecurity=False).digest()


def proof(secret: bytes, challenge_hex: str) -> str:
    """Prove in hex that one knows the secret."""
    return hashlib.md5(secret + bytes.fromhex(challenge_hex), usedforsecurity=False).hexdigest()


class PacketCipher:
    """One direction: a new block at the start of every packet, the rest of the last one thrown away."""

    def __init__(self, key: bytes, vector: bytes) -> None:
        self.cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 - the platform's own OFB is built on it
        self.vector = vector

    def apply(self, body: bytes) -> bytes:
        encryptor = self.cipher.encryptor()
        stream = bytearray()
        for _block in range(0, len(body), 16):
            self.vector = encryptor.update(self.vector)
            stream += self.vector
        size = len(body)
        mixed = int.from_bytes(body, "big") ^ int.from_bytes(stream[:size], "big")
        return mixed.to_bytes(size, "big")


def session_ciphers(secret: bytes, crypt_rand: bytes) -> tuple[PacketCipher, PacketCipher]:
    """(from the client, to the client)."""
    chain, last = [], secret
    for start in range(0, 256, 16):
        last = hashlib.md5(crypt_rand[start : start + 16] + last, usedforsecurity=False).digest()
        chain.append(last)
    key = chain[0] + chain[1]
    return PacketCipher(key, chain[2]), PacketCipher(key, chain[3])
