"""A platform's server that sends without end, or what no honest one sends: over real sockets, for each wire."""

from __future__ import annotations

import socket
import time
from decimal import Decimal

import pytest

from tests.hostile import answer, drip, drip_headers, endless, hostile, nested
from trading.platforms import web
from trading.platforms.ctrader import units as ctrader_units
from trading.platforms.errors import NotStarted
from trading.platforms.matchtrader import rest as matchtrader
from trading.platforms.matchtrader import rows as matchtrader_rows
from trading.platforms.matchtrader.streams import CHANNEL, MESSAGE_BYTES_MAX
from trading.platforms.mt4 import client as mt4
from trading.platforms.mt4 import units as mt4_units
from trading.platforms.mt5 import rest as mt5_rest
from trading.platforms.mt5 import units as mt5_units
from trading.platforms.mt5 import wire
from trading.platforms.mt5.client import PINGS_PIECES_MAX, Mt5Client, Mt5Config, _Link
from trading.platforms.parsing import read_json
from trading.platforms.sirix import client as sirix
from trading.platforms.sirix import units as sirix_units

NESTED = b"[" * 200_000 + b"]" * 200_000


def exchange(port: int, *, wait: float = 20) -> web.Reply:
    connection = web.WebConnection(web.Address("127.0.0.1", port, is_tls=False))
    try:
        return connection.exchange("GET", "/", headers={}, wait=wait)
    finally:
        connection.close()


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "ANSWER_BYTES_MAX", 4 * 2**20)
    with hostile(endless) as server, pytest.raises(web.AnswerLost, match="lost before the answer"):
        exchange(server.port)


@pytest.mark.parametrize("speak", [drip, drip_headers])
def test_a_server_that_drips_holds_nobody_for_long(speak) -> None:
    with hostile(speak) as server:
        begun = time.monotonic()
        with pytest.raises(web.AnswerLost):
            exchange(server.port, wait=1)
        assert time.monotonic() - begun < 15


def test_compressed_answers_are_not_unpacked_and_redirects_not_followed() -> None:
    with hostile(answer(b"{}")) as elsewhere:
        to = b"Location: " + elsewhere.url.encode()
        with hostile(answer(b"\x1f\x8b", to, b"Content-Encoding: gzip", status=b"302 Found")) as server:
            reply = exchange(server.port)
        assert (reply.status, reply.content, elsewhere.asked) == (302, b"\x1f\x8b", [])


def test_lists_in_lists_without_end_are_no_json_on_any_wire() -> None:
    with hostile(nested) as server:
        content = exchange(server.port).content
    assert len(content) == len(NESTED)
    with pytest.raises(ValueError, match="nested"):
        read_json(content)
    assert mt4._object(content) is None
    assert sirix.decode(content) is None
    assert matchtrader._platform_words(content) is None
    with pytest.raises(wire.WireError):
        mt5_rest.parse("USER_GET", content)
    with pytest.raises(wire.WireError):
        wire.Answer("USER_GET", {"RETCODE": "0 Done"}, content.decode()).json()


@pytest.mark.parametrize(
    "decimal",
    [mt4_units.decimal, mt5_units.decimal, ctrader_units.decimal, sirix_units.decimal, matchtrader_rows.decimal],
)
def test_a_number_that_can_t_be_written_out_is_no_amount(decimal) -> None:
    for text in ("1E+99999999", "-1E+31", "Infinity", "NaN"):
        with pytest.raises(ValueError, match="number"):
            decimal(text)
    assert decimal("123456789.5") == Decimal("123456789.5")


def test_pings_without_end_are_no_quiet_connection() -> None:
    """They would be read away for ever, under the client's lock."""
    ping = wire.header(0, 0x4000)

    def pings(sock: socket.socket) -> None:
        while True:
            sock.sendall(ping * 50_000)

    with hostile(pings, waits_for=b"") as server, socket.create_connection(("127.0.0.1", server.port)) as sock:
        link, begun = _Link(sock=sock, used_at=time.monotonic()), time.monotonic()
        while Mt5Client._is_quiet(link):  # it was read away quicker than it came
            assert time.monotonic() - begun < 60
    assert PINGS_PIECES_MAX < 1000


def test_a_log_in_that_is_answered_with_bytes_without_end_is_given_up() -> None:
    def part(sock: socket.socket) -> None:
        while True:
            sock.sendall(wire.header(wire.BODY_BYTES_MAX, 1, more=True) + bytes(wire.BODY_BYTES_MAX))

    with hostile(part, waits_for=b"A") as server:
        client = Mt5Client(Mt5Config("127.0.0.1", server.port, 1000, "Sandbox-1000!", connect_seconds=2))
        begun = time.monotonic()
        with pytest.raises(NotStarted):
            client.connect()
        assert time.monotonic() - begun < 30


def test_cookies_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    cookies = [b"Set-Cookie: c%d=%s" % (number, b"v" * 900) for number in range(40)]
    with hostile(answer(b'{"retcode": "0 Done"}', *cookies)) as server:
        connection = mt5_rest.http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        connection.connect()
        sock = connection.sock = web.TimedSocket(connection.sock)
        session = mt5_rest._Session(connection, sock)  # type: ignore[arg-type]
        with pytest.raises(mt5_rest.Lost, match="cookies"):
            mt5_rest.Mt5RestClient._exchange(session, "GET", "/", b"", 5)
        connection.close()


def test_messages_of_streams_are_bounded_after_decompression() -> None:
    assert dict(CHANNEL)["grpc.max_receive_message_length"] == MESSAGE_BYTES_MAX == 4 * 2**20
