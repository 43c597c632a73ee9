"""The control side: a state page and switches over plain HTTP, on the loopback address only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sandbox.engine import importer, page
from sandbox.engine.books import BALANCE, BONUS, BUY, CORRECTION, CREDIT, SELL, MarketOrder, Refused
from sandbox.engine.contracts import GROUPS, SYMBOLS
from sandbox.engine.desk import Desk
from sandbox.engine.gateway import Gateway
from sandbox.engine.orders import KINDS, Orders
from sandbox.engine.traders import Traders

HEAD_MAX, BODY_MAX = 16 * 1024, 256 * 1024 * 1024
Reply = tuple[int, str, str]  # status, content type, body


class Control:
    """Routes of the control port. Every change is a POST; answers are JSON, except for the page."""

    def __init__(self, server: Gateway, traders: Traders) -> None:
        self.server, self.books, self.traders = server, server.books, traders
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
            ("POST", "/control/rights"): self.rights,
            ("POST", "/control/close_by"): self.close_by,
            ("POST", "/control/trades"): self.trades,
            ("POST", "/control/calendar"): self.calendar,
            ("POST", "/control/clock"): self.clock,
            ("POST", "/control/order"): self.order,
            ("POST", "/control/order/cancel"): self.cancel_order,
            ("POST", "/control/news"): self.news,
            ("POST", "/control/price"): self.price,
            ("POST", "/control/rollover"): self.rollover,
            ("POST", "/control/stop_out"): self.stop_out,
            ("POST", "/control/habit"): self.habit,
            ("POST", "/control/deal/edit"): self.edit_deal,
            ("POST", "/control/deal/delete"): self.delete_deal,
            ("POST", "/control/archive"): self.archive,
            ("POST", "/control/restore"): self.restore,
            ("POST", "/control/look"): self.look,
            ("POST", "/control/balance"): self.balance,
            ("POST", "/control/margins"): self.margins,
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
            text = self.server.refusals.get(refusal.code, "Error")
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
            MarketOrder(int(data["login"]), str(data["symbol"]), side, Decimal(str(data["lots"])), close_at)
        )
        answer: dict[str, object] = {"deal": deal, "position": position.ticket if position else None}
        if position and hold not in (None, "") and float(hold) <= 0:
            answer["closing_deal"] = self.books.close(position)
        return self._json(answer)

    async def trades(self, data: dict[str, Any], _body: str) -> Reply:
        """{logins: [], symbol, lots}: each buys and sells at once, two deals each. For load."""
        lots, tickets = Decimal(str(data["lots"])), []
        for login in data["logins"]:
            deal, position = self.books.open(MarketOrder(int(login), str(data["symbol"]), BUY, lots))
            tickets.append(deal)
            if position:
                tickets.append(self.books.close(position))
        return self._json({"deals": tickets})

    async def close(self, data: dict[str, Any], _body: str) -> Reply:
        """{position, lots?}: close a position, or a part of it."""
        position = self.books.store.positions.get(int(data["position"]))
        if position is None:
            raise Refused(13)
        lots = data.get("lots")
        volume = int(Decimal(str(lots)) * 100_000_000) if lots else None
        return self._json({"deal": self.books.close(position, volume_ext=volume)})

    async def order(self, data: dict[str, Any], _body: str) -> Reply:
        """{login, symbol, kind: buy_limit|sell_limit|buy_stop|sell_stop, lots, price}: a pending order."""
        ticket = Orders(self.books).place(
            int(data["login"]),
            str(data["symbol"]),
            KINDS[str(data["kind"])],
            Decimal(str(data["lots"])),
            Decimal(str(data["price"])),
        )
        return self._json({"order": ticket})

    async def cancel_order(self, data: dict[str, Any], _body: str) -> Reply:
        """{order}"""
        Orders(self.books).cancel(int(data["order"]))
        return self._json({"cancelled": int(data["order"])})

    async def close_by(self, data: dict[str, Any], _body: str) -> Reply:
        """{position, by}: close two opposite positions against each other."""
        positions = self.books.store.positions
        first, second = positions.get(int(data["position"])), positions.get(int(data["by"]))
        if first is None or second is None:
            raise Refused(13)
        return self._json({"deals": self.books.close_by(first, second)})

    async def calendar(self, data: dict[str, Any], _body: str) -> Reply:
        """{calendar: always|real|closed}: when markets other than crypto are open."""
        if data["calendar"] not in ("always", "real", "closed"):
            raise ValueError("calendar is always, real or closed")
        self.books.market.calendar = data["calendar"]
        return self._json({"calendar": data["calendar"]})

    async def clock(self, data: dict[str, Any], _body: str) -> Reply:
        """{at: an ISO instant} moves the whole server to that instant; {shift_hours} moves its clock against its zone.

        `at` a second before a change of summer time is how a DST day is played; without both the clock is right again.
        """
        clock = self.books.clock
        clock.travel, clock.shift = 0.0, int(float(data.get("shift_hours") or 0) * 3600)
        if data.get("at"):
            clock.go_to(datetime.fromisoformat(str(data["at"]).replace("Z", "+00:00")))
        return self._json({"server_time": clock.now(), "offset_seconds": clock.offset().total_seconds()})

    async def news(self, data: dict[str, Any], _body: str) -> Reply:
        """{currency, seconds?}"""
        return self._json({"restless": self.books.market.news(str(data["currency"]), float(data.get("seconds") or 30))})

    async def price(self, data: dict[str, Any], _body: str) -> Reply:
        """{symbol, level}: a jump."""
        self.books.market.restore({str(data["symbol"]): float(data["level"])})
        return self._json({"symbol": data["symbol"], "level": data["level"]})

    async def rollover(self, data: dict[str, Any], _body: str) -> Reply:
        """{nights?}: charge swaps now."""
        self.books.rollover(int(data.get("nights") or 1))
        return self._json({"positions": len(self.books.store.positions)})

    async def margins(self, data: dict[str, Any], _body: str) -> Reply:
        """{symbol, initial}: a fixed margin of a lot, 0 for none. {group, profile}: a floating-margin profile, "" for none."""
        if "symbol" in data:
            initial = Decimal(str(data["initial"]))
            SYMBOLS[data["symbol"]] = replace(SYMBOLS[data["symbol"]], margin_initial=initial)
        if "group" in data:
            GROUPS[data["group"]] = replace(GROUPS[data["group"]], margin_profile=str(data["profile"]))
        return self._json({"ok": True})

    async def stop_out(self, data: dict[str, Any], _body: str) -> Reply:
        """{login}: look at the margin level now; the tickets of what had to be closed."""
        return self._json({"deals": self.books.stop_out(int(data["login"]))})

    async def habit(self, data: dict[str, Any], _body: str) -> Reply:
        """{login, habit, trade?}: give an account a habit; with `trade` it trades at once."""
        self.traders.assign({int(data["login"]): str(data["habit"])})
        if data.get("trade"):
            self.traders.trade(int(data["login"]))
        return self._json({"login": data["login"], "habit": data["habit"]})

    async def edit_deal(self, data: dict[str, Any], _body: str) -> Reply:
        """{ticket, Profit?, Price?, Comment?, TimeMsc?, …}: a dealer's correction. From the page: {ticket, field, value}."""
        changes = {key: str(value) for key, value in data.items() if key not in ("ticket", "field", "value")}
        if data.get("field"):
            changes[str(data["field"])] = str(data.get("value") or "")
        return self._json(Desk(self.books).edit_deal(int(data["ticket"]), changes))

    async def delete_deal(self, data: dict[str, Any], _body: str) -> Reply:
        Desk(self.books).delete_deal(int(data["ticket"]))
        return self._json({"deleted": int(data["ticket"])})

    async def archive(self, data: dict[str, Any], _body: str) -> Reply:
        Desk(self.books).archive(int(data["login"]))
        return self._json({"archived": self.books.store.archived()})

    async def restore(self, data: dict[str, Any], _body: str) -> Reply:
        Desk(self.books).restore(int(data["login"]))
        return self._json({"archived": self.books.store.archived()})

    async def look(self, data: dict[str, Any], _body: str) -> Reply:
        """{login}: an account as the books have it, whatever the wire makes of it: its money, deals and positions."""
        login = int(data["login"])
        view, positions = self.books.account(login), []
        for held in self.books.store.positions_of(login):
            shown = {"lots": held.lots, "price_open": held.price_open, "storage": held.storage}
            positions.append({"position": held.ticket, "symbol": held.symbol, "action": held.action, **shown})
        return self._json(
            {
                "login": login,
                "group": view.group.name,
                "leverage": view.user.leverage,
                "rights": view.user.rights,
                "balance": view.user.balance,
                "credit": view.user.credit,
                "equity": view.equity,
                "margin": view.margin,
                "deals": [deal for _owner, deal in self.books.store.deals_between(0, 2**62, login)],
                "positions": positions,
            }
        )

    async def balance(self, data: dict[str, Any], _body: str) -> Reply:
        """{login, amount, kind?: balance|credit|correction|bonus, comment?}: what a dealer books by hand."""
        kind = {"balance": BALANCE, "credit": CREDIT, "correction": CORRECTION, "bonus": BONUS}[
            str(data.get("kind") or "balance")
        ]
        comment, amount = str(data.get("comment") or ""), Decimal(str(data["amount"]))
        return self._json({"deal": self.books.balance_operation(int(data["login"]), kind, amount, comment, True)})

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

    async def rights(self, data: dict[str, Any], _body: str) -> Reply:
        """{take: a right} or {give: a right} of the manager; without either all are given."""
        held, known = self.server.rights, self.server.all_rights
        for name in (data.get("take"), data.get("give")):
            if name and name not in known:
                raise ValueError(f"rights are: {', '.join(known)}")
        if data.get("take"):
            held.discard(data["take"])
        else:
            held.update([data["give"]] if data.get("give") else known)
        return self._json({"rights": sorted(held)})

    async def pem(self, _data: dict[str, Any], _body: str) -> Reply:
        """Send the certificate of the TLS port, for clients to trust."""
        return 200, "application/x-pem-file", self.server.certificate

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
            "pending_orders": len(books.store.open_orders()),
            "opened_by_traders": self.traders.opened,
            "rhythm_per_minute": self.traders.rhythm,
            "sessions": len(self.server.sessions),
            "commands": dict(sorted(self.server.counts.items())),
            "faults": [fault.show() for fault in self.server.faults.armed],
            "server_time": books.clock.now(),
            "zone": books.clock.zone.key,
            "calendar": books.market.calendar,
            "restless": sorted(books.market.news_left),
            "archived": len(books.store.archived()),
            "manager_lacks": sorted(set(self.server.all_rights) - self.server.rights),
            "per_second_max": self.server.per_second_max,
            "groups": list(GROUPS),
            "prices": prices,
        }

    async def state(self, _data: dict[str, Any], _body: str) -> Reply:
        return self._json(self._state())

    async def page(self, _data: dict[str, Any], _body: str) -> Reply:
        return 200, "text/html", page.render(self.server, self._state())
