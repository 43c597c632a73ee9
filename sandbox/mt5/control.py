"""The control side: a state page and switches over plain HTTP, on the loopback address only."""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sandbox.mt5 import importer
from sandbox.mt5.books import BUY, SELL, Refused
from sandbox.mt5.contracts import GROUPS, SYMBOLS
from sandbox.mt5.faults import KINDS
from sandbox.mt5.protocol import RETCODE_TEXTS
from sandbox.mt5.server import Mt5Server
from sandbox.mt5.traders import Traders

HEAD_MAX, BODY_MAX = 16 * 1024, 256 * 1024 * 1024
Reply = tuple[int, str, str]  # status, content type, body

STYLE = (
    "body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1d273b}"
    "table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}th,td{text-align:left;padding:.25rem .75rem;"
    "border-bottom:1px solid #e6e7e9}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}"
    "h1{font-size:1.25rem}h2{font-size:1rem;margin-top:2rem}select,input,button{font:inherit;padding:.25rem .5rem}"
)


class Control:
    """Routes of the control port. Every change is a POST; answers are JSON, except for the page."""

    def __init__(self, server: Mt5Server, traders: Traders, certificate: str = "") -> None:
        self.server, self.books, self.traders, self.certificate = server, server.books, traders, certificate
        self.routes: dict[tuple[str, str], Callable[[dict[str, Any], str], Awaitable[Reply]]] = {
            ("GET", "/"): self.page,
            ("GET", "/control/state"): self.state,
            ("POST", "/control/trade"): self.trade,
            ("POST", "/control/close"): self.close,
            ("POST", "/control/fault"): self.fault,
            ("POST", "/control/faults/clear"): self.clear_faults,
            ("POST", "/control/rhythm"): self.rhythm,
            ("POST", "/control/restart"): self.restart,
            ("POST", "/control/import"): self.load,
            ("POST", "/control/frequency"): self.frequency,
            ("GET", "/certificate.pem"): self.pem,
        }
        self._http: asyncio.Server | None = None

    # -- HTTP

    async def start(self, host: str, port: int) -> int:
        self._http = await asyncio.start_server(self._accept, host, port, limit=HEAD_MAX)
        return int(self._http.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._http:
            self._http.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode("latin-1")
            lines = head.split("\r\n")
            method, target, _version = lines[0].split(" ")
            headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:] if line)}
            length = int(headers.get("content-length", "0"))
            if not 0 <= length <= BODY_MAX:
                raise ValueError("too long")
            body = (await asyncio.wait_for(reader.readexactly(length), 60)).decode()
            status, kind, text = await self.handle(method, target, headers.get("content-type", ""), body)
            data = text.encode()
            more = "Location: /\r\n" if status == 303 else ""
            writer.write(
                f"HTTP/1.1 {status} -\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {len(data)}\r\n{more}"
                "Connection: close\r\n\r\n".encode()
                + data
            )
            await writer.drain()
        except (ValueError, ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # not a request
        finally:
            writer.close()

    async def handle(self, method: str, target: str, content_type: str, body: str) -> Reply:
        route = self.routes.get((method, urlsplit(target).path))
        if route is None:
            return self._json({"error": f"no {method} {target} here"}, 404)
        from_page = content_type.startswith("application/x-www-form-urlencoded")
        try:
            if from_page:
                data: dict[str, Any] = dict(parse_qsl(body))
            elif content_type.startswith("application/json") and body.strip():
                data = json.loads(body, parse_float=Decimal)
            else:
                data = {}
            reply = await route(data, body)
        except Refused as refusal:
            text = RETCODE_TEXTS.get(refusal.code, "Error")
            return self._json({"error": f"the server refuses: {refusal.code} {text}", "retcode": refusal.code}, 409)
        except (ValueError, KeyError, InvalidOperation, TypeError) as problem:
            return self._json({"error": f"bad request: {problem!r}"}, 400)
        return (303, "text/plain", "") if from_page else reply

    @staticmethod
    def _json(data: object, status: int = 200) -> Reply:
        return status, "application/json", json.dumps(data, default=str)

    # -- switches

    async def trade(self, data: dict[str, Any], _body: str) -> Reply:
        """{login, symbol, lots, side?: buy|sell, hold_seconds?}: 0 opens and closes at once; none leaves it open."""
        side = {"buy": BUY, "sell": SELL}[str(data.get("side", "buy")).lower()]
        hold = data.get("hold_seconds")
        close_at = None if hold in (None, "") else self.books.clock.now_msc() + int(float(hold) * 1000)
        deal, position = self.books.open(
            int(data["login"]), str(data["symbol"]), side, Decimal(str(data["lots"])), close_at_msc=close_at
        )
        answer: dict[str, object] = {"deal": deal, "position": position.ticket}
        if hold not in (None, "") and float(hold) <= 0:
            answer["closing_deal"] = self.books.close(position)
        return self._json(answer)

    async def close(self, data: dict[str, Any], _body: str) -> Reply:
        """{position, lots?}: close a position, or a part of it."""
        position = self.books.store.positions.get(int(data["position"]))
        if position is None:
            raise Refused(13)
        lots = data.get("lots")
        volume = int(Decimal(str(lots)) * 100_000_000) if lots else None
        return self._json({"deal": self.books.close(position, volume_ext=volume)})

    async def fault(self, data: dict[str, Any], _body: str) -> Reply:
        """{kind, command?, times?, value?}"""
        fault = self.server.faults.arm(
            str(data["kind"]),
            str(data.get("command") or "*"),
            int(data.get("times") or 1),
            float(data.get("value") or 0),
        )
        return self._json(fault.show())

    async def clear_faults(self, _data: dict[str, Any], _body: str) -> Reply:
        self.server.faults.clear()
        return self._json({"armed": []})

    async def rhythm(self, data: dict[str, Any], _body: str) -> Reply:
        """{per_minute}: how many positions the simulated traders open in a minute."""
        value = float(data["per_minute"])
        if not 0 <= value <= 60_000:
            raise ValueError("per_minute is between 0 and 60000")
        self.traders.rhythm = value
        return self._json({"per_minute": value})

    async def frequency(self, data: dict[str, Any], _body: str) -> Reply:
        """{per_second}: commands in a second, over all connections, before the server answers "too frequent"; 0: any."""
        value = int(data["per_second"])
        if value < 0:
            raise ValueError("per_second is 0 or more")
        self.server.per_second_max = value
        return self._json({"per_second": value})

    async def pem(self, _data: dict[str, Any], _body: str) -> Reply:
        """The certificate of the REST port, to be believed by clients."""
        return 200, "application/x-pem-file", self.certificate

    async def restart(self, _data: dict[str, Any], _body: str) -> Reply:
        """As if the server restarted: every connection ends, idle accounts are forgotten until they trade again."""
        self.server.restart()
        return self._json({"restarted": True})

    async def load(self, _data: dict[str, Any], body: str) -> Reply:
        """Body: JSON lines as `importer` describes them."""
        return self._json(importer.load(self.books, body))

    # -- state

    def _state(self) -> dict[str, object]:
        books = self.books
        prices = {}
        for name, symbol in SYMBOLS.items():
            bid, ask = books.market.quote(symbol)
            prices[name] = {"bid": str(bid), "ask": str(ask)}
        (deals,) = books.store.db.execute("SELECT count(*) FROM deals").fetchone()
        return {
            "users": len(books.store.users),
            "funded": sum(1 for user in books.store.users.values() if user.balance > 0),
            "deals": deals,
            "positions": len(books.store.positions),
            "opened_by_traders": self.traders.opened,
            "rhythm_per_minute": self.traders.rhythm,
            "sessions": len(self.server.sessions),
            "commands": dict(sorted(self.server.counts.items())),
            "faults": [fault.show() for fault in self.server.faults.armed],
            "server_time": books.clock.now(),
            "zone": books.clock.zone.key,
            "groups": list(GROUPS),
            "prices": prices,
        }

    async def state(self, _data: dict[str, Any], _body: str) -> Reply:
        return self._json(self._state())

    async def page(self, _data: dict[str, Any], _body: str) -> Reply:
        state = self._state()
        esc = html.escape

        def table(head: list[str], rows: list[list[object]]) -> str:
            cells = "".join(f'<th class="{"n" if i else ""}">{esc(name)}</th>' for i, name in enumerate(head))
            lines = "".join(
                "<tr>"
                + "".join(f'<td class="{"n" if i else ""}">{esc(str(v))}</td>' for i, v in enumerate(row))
                + "</tr>"
                for row in rows
            )
            return f"<table><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table>"

        prices: Any = state["prices"]
        faults: Any = state["faults"]
        commands: Any = state["commands"]
        shown = ("users", "funded", "deals", "positions", "opened_by_traders", "rhythm_per_minute", "sessions", "zone")
        counters = [[key.replace("_", " "), state[key]] for key in shown]
        armed = [[fault["kind"], fault["command"], fault["times"], fault["hits"]] for fault in faults]
        accounts = []
        for user in list(self.books.store.users.values())[-30:]:
            view = self.books.account(user.login)
            accounts.append([user.login, user.group, user.balance, view.equity, view.margin,
                             len(self.books.store.positions_of(user.login))])  # fmt: skip
        options = "".join(f'<option value="{k}">{esc(k)}: {esc(v)}</option>' for k, v in KINDS.items())
        return 200, "text/html", (
            '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>Sandbox MT5 server</title><style>{STYLE}</style><h1>Sandbox MT5 server</h1>"
            f"{table(['State', ''], counters)}"
            '<h2>Switch on a fault</h2><form method="post" action="/control/fault">'
            f'<select name="kind">{options}</select> <input name="command" placeholder="TRADE_BALANCE or *"> '
            '<input name="times" value="1" size="3"> <input name="value" placeholder="value" size="6"> '
            "<button>Arm</button></form>"
            '<form method="post" action="/control/faults/clear"><button>Clear all</button></form>'
            f"{table(['Armed', 'command', 'times left', 'hits'], armed)}"
            f"<h2>Newest accounts</h2>{table(['Login', 'group', 'balance', 'equity', 'margin', 'positions'], accounts)}"
            f"<h2>Market</h2>{table(['Symbol', 'bid', 'ask'], [[n, p['bid'], p['ask']] for n, p in prices.items()])}"
            f"<h2>Commands since the start</h2>{table(['Command', 'count'], [list(item) for item in commands.items()])}"
            "</html>"
        )  # fmt: skip
