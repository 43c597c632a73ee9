"""A trade on the platform shows up on a client's open page without a reload; `manage.py bench trading` says how soon."""

import copy
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.people import enter
from tests.cast import Cast
from tests.trading.conftest import sandbox, server, shared_sandbox  # noqa: F401 (fixtures)
from tests.trading.factories import make_account
from tests.trading.processes import free_port, live_server_process, readers
from tests.trading.sandbox_server import Sandbox
from trading.models import TradingServer

TRADES = 3


def test_a_new_deal_appears_on_the_open_profile_without_a_reload(
    cast: Cast, open_page: Any, live_server: Any, settings: Any, server: TradingServer, sandbox: Sandbox, tmp_path: Path
) -> None:
    account = make_account(cast.client, server, login=sandbox.new_account("real\\pro-EUR"), group="real\\pro-EUR")
    with sandbox.client() as client:
        client.write("TRADE_BALANCE", {"LOGIN": account.login, "TYPE": 2, "BALANCE": "9000.00", "COMMENT": "x"})
    port = free_port()
    settings.LIVE_URL = f"http://localhost:{port}"
    policy = copy.deepcopy(settings.CONTENT_SECURITY_POLICY)
    policy["DIRECTIVES"]["connect-src"] = ["'self'", f"http://localhost:{port}", f"http://127.0.0.1:{port}"]
    settings.CONTENT_SECURITY_POLICY = policy
    with live_server_process(port=port, base_url=live_server.url), readers(server, tmp_path):
        page: Page = open_page()
        enter(page, cast.agent)
        with page.expect_response(f"**:{port}/live/"):
            page.goto(f"{cast.client.get_absolute_url()}?tab=trading")
        expect(page.locator("#trading-tab")).to_contain_text(account.login)
        page.evaluate("window.stayed = true")
        for number in range(TRADES):
            ticket = sandbox.post("trade", login=int(account.login), symbol="EURUSD", lots="0.01")["deal"]
            expect(page.locator("#trading-tab")).to_contain_text(str(ticket), timeout=15_000)
            time.sleep(0.2 * number)
        assert page.evaluate("window.stayed") is True  # the page was never loaded again
