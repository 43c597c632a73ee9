"""Asking clamd whether a file is malware, before anything opens it. Nothing is asked where KEELSON_CLAMD is empty.

The protocol is clamd's INSTREAM as its manual page describes it (https://manpages.debian.org/clamd): the command with a leading
`z` and a final NUL, the file in chunks that are preceded by their length (four bytes, big-endian), and an empty chunk. The answer
is one line: `stream: OK`, `stream: <signature> FOUND`, or an error.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from crm.errors import DomainError

CONNECT_SECONDS: Final = 3.0
ANSWER_SECONDS: Final = 60.0
CHUNK_BYTES: Final = 128 * 1024
ANSWER_BYTES_MAX: Final = 4096
PORT: Final = 3310


class FileInfected(DomainError):
    """Malware was found. `signature` is clamd's name for it."""

    code = "infected"

    def __init__(self, signature: str) -> None:
        super().__init__(
            _(
                "Our virus scanner found malware in this file, so we deleted it. Scan your device for viruses, then "
                "take a new picture of the document and send that."
            )
        )
        self.signature = signature


class TooLargeToScan(DomainError):
    """The file is above clamd's StreamMaxLength, so it can't be scanned and isn't taken."""

    code = "too_large_to_scan"


class ScannerAway(DomainError):
    """clamd doesn't answer, or not in its protocol: the file waits, and is never taken unscanned."""

    code = "scanner_away"


def is_configured() -> bool:
    """Check whether files are scanned here."""
    return bool(settings.CLAMD)


def address_of(setting: str) -> tuple[int, str | tuple[str, int]]:
    """Read `unix:/path` or `tcp://host:port` into a socket family and address. Raises: ValueError."""
    parts = urlsplit(setting)
    if parts.scheme == "unix" and parts.path:
        return socket.AF_UNIX, parts.path
    if parts.scheme == "tcp" and parts.hostname:
        family = socket.AF_INET6 if ":" in parts.hostname else socket.AF_INET
        return family, (parts.hostname, parts.port or PORT)
    raise ValueError(f"{setting!r} is neither unix:/path/of/the.socket nor tcp://host:3310")


def scan(content: bytes) -> None:
    """Have clamd scan a file; returns where it is clean, or where no scanner is configured.

    Raises: FileInfected, TooLargeToScan, ScannerAway.
    """
    if not is_configured():
        return
    with _connection(ANSWER_SECONDS) as clamd:
        # Above its limit clamd answers and hangs up while we still send: the answer says why, not the broken pipe.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            clamd.sendall(b"zINSTREAM\0")
            for start in range(0, len(content), CHUNK_BYTES):
                chunk = content[start : start + CHUNK_BYTES]
                clamd.sendall(struct.pack("!L", len(chunk)) + chunk)
            clamd.sendall(struct.pack("!L", 0))
        answer = _answer(clamd)
    if answer == "stream: OK":
        return
    if answer.startswith("stream: ") and answer.endswith(" FOUND"):
        raise FileInfected(answer.removeprefix("stream: ").removesuffix(" FOUND"))
    if "size limit exceeded" in answer:
        raise TooLargeToScan(_("This file is too large to be scanned for viruses. Send a smaller picture or scan."))
    raise ScannerAway(f"clamd answered {answer[:200]!r}")


def version() -> str:
    """Return clamd's version with its signatures' date. Raises: ScannerAway."""
    with _connection(CONNECT_SECONDS) as clamd:
        clamd.sendall(b"zVERSION\0")
        return _answer(clamd)


@contextlib.contextmanager
def _connection(answer_seconds: float) -> Iterator[socket.socket]:
    try:
        family, address = address_of(settings.CLAMD)
        with socket.socket(family, socket.SOCK_STREAM) as clamd:
            clamd.settimeout(CONNECT_SECONDS)
            clamd.connect(address)
            clamd.settimeout(answer_seconds)
            yield clamd
    except (OSError, ValueError) as error:
        raise ScannerAway(f"clamd at {settings.CLAMD} doesn't answer: {error}") from error


def _answer(clamd: socket.socket) -> str:
    """Read the one line that clamd answers, up to its NUL."""
    line = b""
    while not line.endswith(b"\0") and len(line) < ANSWER_BYTES_MAX:
        piece = clamd.recv(ANSWER_BYTES_MAX - len(line))
        if not piece:
            break
        line += piece
    text = line.rstrip(b"\0\n").decode("utf-8", "replace")
    if not text:
        raise ScannerAway(f"clamd at {settings.CLAMD} hung up without an answer")
    return text
