"""Connections that send half a request hold none of the threads that make pages."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from crm.project import web_worker
from tests.cast import signed_in
from tests.trading.processes import ROOT, _process, _wait, free_port

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ATTACKERS = 60
# A page takes milliseconds; before, it took as long as the attack.
ANSWER_SECONDS_MAX = 10
COOKIE = "csrftoken=" + "a" * 32


@dataclass
class Site:
    port: int

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def get(self, path: str = "/healthz", **cookies: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=ANSWER_SECONDS_MAX, cookies=cookies)

    def attack(self, stack: ExitStack, data: bytes, times: int = ATTACKERS) -> list[socket.socket]:
        connections = []
        for _number in range(times):
            connection = stack.enter_context(self.connect())
            connection.sendall(data)
            connections.append(connection)
        time.sleep(0.5)  # they are read by now
        return connections


@pytest.fixture(scope="module")
def access_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site") / "access.log"


@pytest.fixture(scope="module")
def site(django_db_setup, access_log: Path) -> Iterator[Site]:
    """The web server as the supervisor starts it, and with gunicorn's own access log turned on; one for all tests."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "crm.wsgi:application",
        "--bind",
        f"127.0.0.1:{port}",
        "--worker-class",
        "crm.project.web_worker.BoundedWorker",
        "--workers",
        "2",
        "--threads",
        "8",
        "--timeout",
        "60",
        "--graceful-timeout",
        "2",
        "--keep-alive",
        "15",
        "--log-level",
        "warning",
        "--no-control-socket",
        "--preload",
        "--access-logfile",
        str(access_log),
        "--access-logformat",
        "%(r)s|%(s)s|%(U)s|%(q)s|%(f)s|%({cookie}i)s|%({referer}i)s|%({raw_uri}e)s|%({location}o)s",
    ]
    with _process(command):
        one = Site(port)

        def is_up() -> bool:
            try:
                return one.get().status_code == 200
            except httpx.HTTPError:
                return False

        _wait(is_up, "the web server did not start")
        yield one


def post(path: str, length: int, body: bytes, *more: str) -> bytes:
    head = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        f"Content-Length: {length}",
        "Content-Type: application/x-www-form-urlencoded",
        *more,
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


def test_the_site_answers_beside_sixty_half_sent_requests_of_each_kind(site, cast):
    cookie = signed_in(cast.agent).cookies["sessionid"].value
    with ExitStack() as stack:
        site.attack(stack, post("/accounts/login/", 200, b"login=a", f"Cookie: {COOKIE}"))
        assert site.get().status_code == 200
        site.attack(stack, b"POST /accounts/login/ HTTP/1.1\r\nHost: localho")
        assert site.get().status_code == 200
        site.attack(stack, post("/accounts/login/", 2_000_000, b"login=a", f"Cookie: {COOKIE}"))
        assert site.get().status_code == 200
        # Somebody who is signed in does no better.
        site.attack(stack, post("/profile/", 2_000_000, b"x=", f"Cookie: {COOKIE}; sessionid={cookie}"))
        assert site.get("/clients/", sessionid=cookie).status_code == 200
        site.attack(stack, b"")
        assert site.get("/clients/", sessionid=cookie).status_code == 200


def test_a_half_sent_request_is_ended_at_its_deadline(site):
    with ExitStack() as stack:
        [half] = site.attack(stack, post("/accounts/login/", 200, b"login=a"), times=1)
        half.settimeout(web_worker.REQUEST_SECONDS * 3)
        assert half.recv(1000).startswith(b"HTTP/1.1 408")
        assert half.recv(1000) == b""


def test_a_head_without_end_is_refused(site):
    with site.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * (web_worker.HEAD_BYTES_MAX + 10))
        assert connection.recv(1000).startswith(b"HTTP/1.1 431")


def test_requests_in_pieces_kept_and_pipelined_are_answered(site):
    get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with site.connect() as connection:
        for piece in (get[:10], get[10:40], get[40:]):
            connection.sendall(piece)
            time.sleep(0.05)
        assert answers(connection, 1).startswith(b"HTTP/1.1 200")
        connection.sendall(get + get + get)  # kept open, and three at once
        assert answers(connection, 3).count(b"HTTP/1.1 200") == 3


def test_the_web_servers_access_log_holds_no_search_and_no_token(site, access_log):
    before = len(access_log.read_text().splitlines())
    headers = {"Referer": f"http://127.0.0.1:{site.port}/accounts/password/choose/12:secret-of-a-link/?q=Garbo"}
    for path in (
        "/accounts/password/choose/12:secret-of-a-link/?q=Garbo",
        "/accounts/invitation/secret-of-a-link",
        "/nowhere/at-all/12:a-long-secret-of-a-link/",
        "/l/invitation/secret-of-a-link/?utm_source=Garbo",
    ):
        httpx.get(f"http://127.0.0.1:{site.port}{path}", headers=headers, cookies={"sessionid": "secret-of-a-cookie"})

    def written() -> list[str]:
        return [line for line in access_log.read_text().splitlines()[before:] if "healthz" not in line]

    _wait(
        lambda: len(written()) == 4, "the log does not have four lines"
    )  # each is written once its answer has gone out
    lines = written()
    assert lines[0].startswith("GET /accounts/password/choose/<token>/?q HTTP/1.1|")
    assert f"|/accounts/password/choose/<token>/|q|http://127.0.0.1:{site.port}|-|-|-|-" in lines[0]
    assert lines[1].startswith("GET /accounts/invitation/<token> ")
    assert lines[3].startswith("GET /l/invitation/<token>/?utm_source ")
    assert not [word for word in ("secret", "Garbo") if word in access_log.read_text()]


def answers(connection: socket.socket, count: int) -> bytes:
    told = b""
    while told.count(b"\r\n0\r\n\r\n") < count:
        piece = connection.recv(5000)
        assert piece, f"the connection was closed before the last answer: {told!r}"
        told += piece
    return told


def test_a_large_body_in_pieces_reaches_its_page(site, cast):
    """1.5 MB of fields: more than is collected without a thread, and no more than a page takes."""

    def pieces() -> Iterator[bytes]:
        yield b"csrfmiddlewaretoken=" + b"a" * 32 + b"&language=de&next=/&padding="
        for _number in range(15):
            yield b"x" * 100_000
            time.sleep(0.01)

    length = len(b"csrfmiddlewaretoken=" + b"a" * 32 + b"&language=de&next=/&padding=") + 1_500_000
    cookies = {"sessionid": signed_in(cast.agent).cookies["sessionid"].value, "csrftoken": "a" * 32}
    answer = httpx.post(
        f"http://127.0.0.1:{site.port}/language/",
        content=pieces(),
        cookies=cookies,
        timeout=30,
        headers={"Content-Length": str(length), "Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/"


def test_curl_waits_for_the_word_to_send(site):
    done = subprocess.run(
        [
            "curl",
            "-s",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            "-H",
            "Expect: 100-continue",
            "--data",
            "a=b",
            f"http://127.0.0.1:{site.port}/healthz",
        ],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=ROOT,
    )
    assert done.stdout == "405"
