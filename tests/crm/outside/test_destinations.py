"""Where Keelson connects to: in production public addresses over TLS, looked at again for every connection."""

import ipaddress
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from crm.errors import DomainError
from crm.outside import destinations, outbound
from trading.platforms.web import Address, NotSent, WebConnection

BOUNDS = outbound.Bounds(bytes_max=1024, seconds=5, timeout=httpx.Timeout(2))


@pytest.fixture
def production(settings):
    settings.OUTGOING_PRIVATE = []
    return settings


@pytest.fixture
def names(monkeypatch):
    """Names as this test's DNS has them; each look-up takes the next answer, and the last one stays."""
    known: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def look_up(host, port, *args, **options):
        answers = known.get(host)
        if answers is None:
            return real(host, port, *args, **options)
        return real(answers.pop(0) if len(answers) > 1 else answers[0], port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


@pytest.fixture
def inside():
    """A service beside us that nobody outside may reach; what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server.server_address[1], asked
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "fec0::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:db8::1",
    ],
)
def test_what_is_inside_or_nowhere_is_not_public(address):
    assert not destinations.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::808:808"]
)
def test_what_anybody_reaches_is_public(address):
    assert destinations.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://psp.example/", "start with https"),
        ("ftp://psp.example/", "start with https"),
        ("https://127.0.0.1/", "private network"),
        ("https://localhost:8000/", "private network"),
        ("https://169.254.169.254/latest/meta-data/", "private network"),
        ("https://[::1]/", "private network"),
        ("https://[::ffff:10.0.0.1]/", "private network"),
        ("https://2130706433/", "private network"),
        ("https://0x7f.1/", "private network"),
        ("https://metadata.example/", "private network"),
        ("https://half.example/", "private network"),
        ("https://user:secret@1.1.1.1/", "without a user"),
        ("https://1.1.1.1@10.0.0.1/", "without a user"),
        ("https:///path", "without a user"),
        ("https://[::1", "a valid address"),
        ("https://1.1.1.1:99999/", "a valid address"),
        ("https://nobody.invalid/", "was not found"),
    ],
)
def test_an_address_that_leads_inside_is_refused_when_it_is_saved(production, names, url, words):
    names |= {"metadata.example": ["169.254.169.254"], "half.example": ["10.0.0.1"], "psp.example": ["1.1.1.1"]}
    with pytest.raises(DomainError, match=words):
        destinations.require_public_url(url)


def test_public_addresses_and_named_private_ones_are_taken(production, names):
    names |= {"psp.example": ["1.1.1.1"], "bridge.lan": ["10.0.0.7"]}
    destinations.require_public_url("https://psp.example/v1")
    production.OUTGOING_PRIVATE = ["10.0.0.0/24"]
    destinations.require_public_url("https://bridge.lan/")
    production.OUTGOING_PRIVATE = ["bridge.lan"]
    destinations.require_public_url("https://bridge.lan/")
    with pytest.raises(DomainError, match="private network"):
        destinations.require_public_url("https://10.0.1.7/")


def test_a_name_that_moves_inside_later_is_not_followed(production, names, inside):
    """It was public when it was saved; now it leads to a service beside us."""
    port, asked = inside
    names["psp.example"] = ["1.1.1.1", "127.0.0.1"]
    destinations.require_public_url("https://psp.example/")
    for scheme in ("https", "http"):
        with pytest.raises(httpx.ConnectError):
            outbound.request("GET", f"{scheme}://psp.example:{port}/", bounds=BOUNDS)
    with pytest.raises(NotSent, match="private network"):
        WebConnection(Address("psp.example", port, True, "")).exchange("GET", "/", headers={}, wait=2)
    with pytest.raises(ConnectionRefusedError, match="private network"):
        destinations.connect(("psp.example", port), 2)
    assert asked == []


def test_the_connection_goes_to_the_address_that_was_checked(production, names, inside):
    """A name that is asked for twice may answer twice: the second answer is never asked for."""
    port, _asked = inside
    production.OUTGOING_PRIVATE = ["127.0.0.1"]
    names["psp.example"] = ["127.0.0.1", "10.255.255.1"]
    with destinations.connect(("psp.example", port), 2) as sock:
        assert sock.getpeername()[0] == "127.0.0.1"
    assert names["psp.example"] == ["10.255.255.1"], "one look-up"


def test_nothing_is_sent_without_tls_but_to_the_sandbox(production, inside):
    port, asked = inside
    production.OUTGOING_PRIVATE = ["127.0.0.1"]
    with pytest.raises(httpx.ConnectError, match="https"):
        outbound.request("GET", f"http://127.0.0.1:{port}/secret", bounds=BOUNDS)
    production.OUTGOING_PRIVATE, production.SANDBOX_PSP_URL = [], f"http://127.0.0.1:{port}"
    assert outbound.request("GET", f"http://127.0.0.1:{port}/sandbox", bounds=BOUNDS).status_code == 200
    assert asked == ["/sandbox"]
