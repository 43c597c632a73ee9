"""Live updates: each page hears its own user's messages at once, and nobody else's."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time

import environ
import httpx
import pytest
from django.conf import settings
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper

from crm.notices.kinds import CrmNotice
from crm.notices.notify import notify, push_live
from crm.web import live
from tests.cast import signed_in
from tests.trading.processes import free_port, live_server_process

pytestmark = pytest.mark.django_db(transaction=True)


def cookie_of(user) -> str:
    return signed_in(user).cookies[settings.SESSION_COOKIE_NAME].value


class Page:
    """An open page: speaks ASGI with `live.live` in the running loop."""

    def __init__(self, cookie: str = "", origin: str = settings.BASE_URL, method: str = "GET") -> None:
        headers = [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode())] if cookie else []
        headers += [(b"origin", origin.encode())] if origin else []
        self.scope = {"type": "http", "method": method, "path": "/live/", "headers": headers}
        self.closed = asyncio.Event()
        self.sent: asyncio.Queue = asyncio.Queue()
        self.task = asyncio.create_task(live.live(self.scope, self.receive, self.sent.put))

    async def receive(self):
        await self.closed.wait()
        return {"type": "http.disconnect"}

    async def start(self) -> tuple[int, dict]:
        message = await asyncio.wait_for(self.sent.get(), 10)
        return message["status"], {k.decode(): v.decode() for k, v in message["headers"]}

    async def next(self, seconds: float = 10) -> str:
        return (await asyncio.wait_for(self.sent.get(), seconds))["body"].decode()

    async def close(self) -> None:
        self.closed.set()
        await asyncio.wait_for(self.task, 10)


async def pushed(*args, **kwargs) -> None:
    await asyncio.to_thread(_push, *args, **kwargs)


def _push(user_id: int, **kwargs) -> None:
    try:
        push_live(user_id, **kwargs)
    finally:
        connection.close()


def test_a_page_hears_its_users_messages_and_no_others(cast):
    alice, bruno = cookie_of(cast.agent), cookie_of(cast.other_agent)

    async def scenario():
        mine, his = Page(alice), Page(bruno)
        assert (await mine.start())[0] == 200 and (await his.start())[0] == 200
        assert "listening" in await mine.next() and "listening" in await his.next()
        started = time.perf_counter()
        await pushed(cast.agent.pk, event="lead", data={"id": 7})
        said = json.loads((await mine.next()).removeprefix("data: "))
        assert time.perf_counter() - started < 1
        await mine.close()
        assert his.sent.empty()
        await his.close()
        assert live.hub().queues == {}
        return said

    assert asyncio.run(scenario()) == {"user": cast.agent.pk, "event": "lead", "data": {"id": 7}}


def test_only_those_who_are_signed_in_with_their_second_factor_may_listen(cast):
    browser = signed_in(cast.agent)
    session = browser.session
    del session["second_factor_of"]
    session.save()
    half = browser.cookies[settings.SESSION_COOKIE_NAME].value
    cast.other_agent.is_active = False
    cast.other_agent.save()
    cookies = {"": 401, "nonsense": 401, half: 401, cookie_of(cast.other_agent): 401, cookie_of(cast.client_user): 200}

    async def status(cookie: str) -> int:
        page = Page(cookie)
        found = (await page.start())[0]
        await page.close()
        return found

    for cookie, expected in cookies.items():
        assert asyncio.run(status(cookie)) == expected


def test_only_our_own_site_may_ask_across_origins(cast):
    cookie = cookie_of(cast.agent)

    async def answer(**kwargs):
        page = Page(cookie, **kwargs)
        found = await page.start()
        await page.close()
        return found

    status, headers = asyncio.run(answer())
    assert status == 200 and headers["access-control-allow-origin"] == settings.BASE_URL
    assert headers["access-control-allow-credentials"] == "true" and headers["content-type"] == "text/event-stream"
    assert asyncio.run(answer(origin="https://evil.example"))[0] == 403
    status, headers = asyncio.run(answer(origin=""))
    assert status == 200 and "access-control-allow-origin" not in headers
    assert asyncio.run(answer(method="POST"))[0] == 405


def test_a_quiet_stream_is_kept_alive_and_ends_with_its_session(cast, monkeypatch):
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(live, "SESSION_CHECK_SECONDS", 0.3)
    browser = signed_in(cast.agent)
    cookie = browser.cookies[settings.SESSION_COOKIE_NAME].value

    async def scenario():
        page = Page(cookie)
        await page.start()
        await page.next()
        assert await page.next() == ": still here\n\n"
        await asyncio.to_thread(_flush, browser)
        while (said := await page.next()).startswith(": still"):
            pass
        assert said.startswith("event: bye")
        await asyncio.wait_for(page.task, 10)

    asyncio.run(scenario())


def _flush(browser) -> None:
    try:
        browser.session.flush()
    finally:
        connection.close()


def test_when_the_database_drops_the_listener_pages_are_told_and_go_on(cast):
    cookie = cookie_of(cast.agent)

    def drop() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'keelson-live' AND datname = current_database()"
                )
        finally:
            connection.close()

    async def scenario():
        page = Page(cookie)
        await page.start()
        await page.next()
        await asyncio.to_thread(drop)
        assert json.loads((await page.next()).removeprefix("data: "))["event"] == "resync"
        await pushed(cast.agent.pk, event="lead", data={})
        assert json.loads((await page.next()).removeprefix("data: "))["event"] == "lead"
        await page.close()

    asyncio.run(scenario())


def test_one_person_can_not_open_streams_without_end(cast, monkeypatch):
    monkeypatch.setattr(live, "STREAMS_PER_USER_MAX", 2)
    cookie = cookie_of(cast.agent)

    async def scenario():
        pages = [Page(cookie) for _ in range(3)]
        statuses = [(await page.start())[0] for page in pages]
        for page in pages:
            await page.close()
        return statuses

    assert sorted(asyncio.run(scenario())) == [200, 200, 429]


def test_a_page_that_reads_nothing_costs_no_memory_without_end():
    async def scenario():
        hub = live.Hub()
        queue: asyncio.Queue = asyncio.Queue(live.QUEUE_MAX)
        hub.queues[1] = {queue}
        for n in range(live.QUEUE_MAX + 50):
            hub.deliver(json.dumps({"user": 1, "event": "e", "data": {"n": n}}))
        hub.deliver("not json")
        hub.deliver("{}")
        return queue.qsize(), json.loads(queue.get_nowait())["data"]["n"]

    assert asyncio.run(scenario()) == (live.QUEUE_MAX, 50)


@pytest.fixture(scope="module")
def live_port() -> int:
    return free_port()


def answer_of(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        return connection.recv(5000)


def test_the_live_port_answers_nothing_but_live_updates_and_reads_no_body(live_port):
    """What a stranger sends to it went to a temporary file, whatever its size: the web server's limits stand elsewhere."""
    with live_server_process(port=live_port, base_url=settings.BASE_URL) as address:
        for path in (
            "/",
            "/accounts/login/",
            "/webhooks/psp/northpay/",
            "/static/css/keelson.css",
            "/live",
            "/live/x/",
        ):
            assert httpx.get(f"{address}{path}", timeout=20).status_code == 404, path
        half = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 299000000\r\n\r\nlogin=a"
        for path, status in ((b"/accounts/login/", b"404"), (b"/healthz", b"404"), (b"/live/", b"405")):
            assert answer_of(live_port, half % path).startswith(b"HTTP/1.1 " + status), path
        assert httpx.get(f"{address}/healthz", timeout=20).status_code == 200
        assert httpx.get(f"{address}/live/", timeout=20).status_code == 401


def test_a_notification_reaches_an_open_browser_through_the_real_server_within_a_second(cast):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "uvicorn",
            "crm.asgi:application",
            "--port",
            str(port),
            "--log-level",
            "warning",
            "--lifespan",
            "off",
        ],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "crm.settings.test"},
    )
    try:
        cookies = {settings.SESSION_COOKIE_NAME: cookie_of(cast.agent)}
        address = f"http://127.0.0.1:{port}/live/"
        for _ in range(100):
            try:
                httpx.get(address)
                break
            except httpx.ConnectError:
                time.sleep(0.2)
        with httpx.stream("GET", address, cookies=cookies, timeout=15) as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith("retry:")
            next(line for line in lines if "listening" in line)
            started = time.perf_counter()
            notify([cast.agent], kind=CrmNotice.MAIL_FAILED, title="New lead: Clara", url="/leads/1/")
            said = json.loads(next(line for line in lines if line.startswith("data: ")).removeprefix("data: "))
            assert time.perf_counter() - started < 1
        assert said["event"] == "notification" and said["data"]["title"] == "New lead: Clara"
    finally:
        server.terminate()
        assert server.wait(15) is not None


def test_listening_for_live_updates_keeps_every_word_about_where():
    """A database of two hosts: only `target_session_attrs` finds the one that takes LISTEN."""
    url = "postgresql://app:p%40ss@db1:5432,db2:5433/keelson?target_session_attrs=read-write&connect_timeout=3"
    known = environ.Env.db_url_config(url)
    wanted = dict(known["OPTIONS"]) | {"dbname": "keelson", "host": "db1,db2", "port": "5432,5433", "password": "p@ss"}
    two_hosts = DatabaseWrapper({**connection.settings_dict, **known})
    assert wanted.items() <= live.connect_arguments(two_hosts).items()
