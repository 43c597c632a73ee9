"""From a platform's deal to our table, the event stream and an open page, by real processes; the bench says how soon."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from crm.models import OutboxEvent
from tests.cast import Cast, signed_in
from tests.trading.factories import make_account
from tests.trading.processes import free_port, live_server_process, readers
from tests.trading.sandbox_server import Sandbox
from trading.models import Deal, TradingServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
TRADES = 5


@contextlib.contextmanager
def listening(address: str, cookie: str) -> Iterator[queue.Queue[tuple[float, dict[str, object]]]]:
    """An open page: what it hears, with the time at which it heard it."""
    heard: queue.Queue[tuple[float, dict[str, object]]] = queue.Queue()
    is_open = threading.Event()

    def listen() -> None:
        cookies = {settings.SESSION_COOKIE_NAME: cookie}
        # The server's heartbeat comes every fifteen seconds. Its end, with the process, is the end of the stream.
        with (
            contextlib.suppress(httpx.HTTPError),
            httpx.stream("GET", f"{address}/live/", cookies=cookies, timeout=30) as stream,
        ):
            for line in stream.iter_lines():
                if "listening" in line:
                    is_open.set()
                if line.startswith("data: "):
                    heard.put((time.monotonic(), json.loads(line.removeprefix("data: "))))

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert is_open.wait(20)
    yield heard


def test_a_new_deal_is_in_the_table_the_event_stream_and_on_the_open_page(
    cast: Cast, server: TradingServer, sandbox: Sandbox, tmp_path: Path
) -> None:
    account = make_account(cast.client, server, login=sandbox.new_account("real\\pro-EUR"), group="real\\pro-EUR")
    with sandbox.client() as client:
        client.write("TRADE_BALANCE", {"LOGIN": account.login, "TYPE": 2, "BALANCE": "9000.00", "COMMENT": "x"})
    cookie = signed_in(cast.agent).cookies[settings.SESSION_COOKIE_NAME].value
    with (
        live_server_process(port=free_port(), base_url=settings.BASE_URL) as address,
        readers(server, tmp_path),
        listening(address, cookie) as heard,
    ):
        time.sleep(2)  # the deposit's own message is over
        for number in range(TRADES):
            while not heard.empty():
                heard.get_nowait()
            ticket = sandbox.post("trade", login=int(account.login), symbol="EURUSD", lots="0.01")["deal"]
            while True:
                _at, said = heard.get(timeout=15)
                deal = Deal.objects.filter(server=server, ticket=ticket).first()
                if said["event"] == "deals" and deal is not None:
                    break
            # The page hears it at the commit: table and event stream have it by then.
            told = OutboxEvent.objects.filter(name="trading.deals_synced").latest("pk").payload
            assert deal.pk in told["deal_ids"]
            assert said["data"] == {"id": cast.client.pk}
            time.sleep(0.13 * number)  # at another point between two reads each time
