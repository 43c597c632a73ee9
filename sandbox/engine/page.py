"""The state page: what the server holds, and every switch as a form. Plain HTML, no script."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

from sandbox.engine.desk import EDITABLE
from sandbox.engine.gateway import Gateway
from sandbox.engine.orders import KINDS as ORDERS
from sandbox.engine.traders import HABITS

SHOWN = (
    "users",
    "funded",
    "archived",
    "deals",
    "positions",
    "pending_orders",
    "opened_by_traders",
    "rhythm_per_minute",
    "sessions",
    "per_second_max",
    "manager_lacks",
    "calendar",
    "restless",
    "zone",
)
ACCOUNTS, DEALS = 30, 15
STYLE = (
    ":root{color-scheme:light dark;--ink:#1d273b;--line:#dce1e7;--back:#fff;--quiet:#626976;--act:#206bc4}"
    "@media(prefers-color-scheme:dark){:root{--ink:#dce1e7;--line:#25384f;--back:#151f2c;--quiet:#8a97ab;--act:#4299e1}}"
    "body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:var(--ink);"
    "background:var(--back)}main{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:0 2.5rem}"
    "table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}th,td{text-align:start;padding:.25rem .75rem .25rem 0;"
    "border-bottom:1px solid var(--line)}th{font-weight:500;color:var(--quiet)}td.n,th.n{text-align:end;"
    "font-variant-numeric:tabular-nums}h1{font-size:1.25rem}h2{font-size:1rem;margin:1.5rem 0 .5rem}.wide{overflow-x:auto}"
    "main>*{min-width:0}"
    "form{display:flex;flex-wrap:wrap;gap:.5rem;margin:.4rem 0;align-items:center}label{color:var(--quiet);min-width:7rem}"
    "select{max-width:min(100%,22rem)}"
    "select,input,button{font:inherit;padding:.2rem .5rem;color:inherit;background:transparent;border:1px solid var(--line);"
    "border-radius:4px}option{background:var(--back)}button{border-color:var(--act);color:var(--act);cursor:pointer}"
)
esc = html.escape


def table(head: Sequence[str], rows: Iterable[Sequence[object]], *, text: int = 1) -> str:
    """Write a table; the first `text` columns are text, the rest numbers."""
    cells = "".join(f'<th class="{"n" if i >= text else ""}">{esc(name)}</th>' for i, name in enumerate(head))
    lines = "".join(
        "<tr>"
        + "".join(f'<td class="{"n" if i >= text else ""}">{esc(str(v))}</td>' for i, v in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table></div>'


def form(label: str, action: str, *fields: str, button: str = "Do it") -> str:
    """Write a form that posts to one switch."""
    inside = f"<label>{esc(label)}</label>" + " ".join(fields)
    return f'<form method="post" action="/control/{action}">{inside}<button>{esc(button)}</button></form>'


def field(name: str, hint: str, size: int = 9, value: str = "") -> str:
    """Write a text field with its hint."""
    return (
        f'<input name="{name}" placeholder="{esc(hint)}" aria-label="{esc(hint)}" size="{size}" value="{esc(value)}">'
    )


def choice(name: str, options: Iterable[tuple[str, str]]) -> str:
    """Write a select of (value, label)."""
    inside = "".join(f'<option value="{esc(key)}">{esc(label)}</option>' for key, label in options)
    return f'<select name="{name}" aria-label="{name}">{inside}</select>'


def switches(server: Gateway) -> str:
    """Write all switches as forms."""
    sides = choice("side", [("buy", "buy"), ("sell", "sell")])
    return "".join(
        (
            form(
                "Fault",
                "fault",
                choice("kind", [(k, f"{k}: {v}") for k, v in server.faults.kinds.items()]),
                field("command", "command or *", 16),
                field("times", "times", 3, "1"),
                field("value", "value", 6),
                button="Arm",
            ),
            form("All faults", "faults/clear", button="Clear"),
            form("Restart", "restart", button="End every session"),
            form(
                "Manager", "rights", choice("take", [(x, f"takes: {x}") for x in server.all_rights]), button="Take away"
            ),
            form("All rights", "rights", button="Give back"),
            form("Too frequent", "frequency", field("per_second", "commands a second, 0: any", 18)),
            form("Market hours", "calendar", choice("calendar", [(x, x) for x in ("always", "real", "closed")])),
            form("News", "news", field("currency", "USD", 5), field("seconds", "seconds", 6)),
            form("Price", "price", field("symbol", "EURUSD", 8), field("level", "level", 8)),
            form(
                "Clock", "clock", field("at", "2026-10-25T00:59:30Z", 20), field("shift_hours", "or shift, hours", 10)
            ),
            form(
                "Trade",
                "trade",
                field("login", "login"),
                field("symbol", "EURUSD", 8),
                sides,
                field("lots", "lots", 5),
                field("hold_seconds", "seconds", 6),
            ),
            form("Close", "close", field("position", "position"), field("lots", "lots", 5)),
            form("Close by", "close_by", field("position", "position"), field("by", "opposite position")),
            form(
                "Order",
                "order",
                field("login", "login"),
                field("symbol", "EURUSD", 8),
                choice("kind", [(k, k) for k in ORDERS]),
                field("lots", "lots", 5),
                field("price", "price", 8),
            ),
            form("Cancel order", "order/cancel", field("order", "order")),
            form("Swaps", "rollover", field("nights", "nights", 5, "1")),
            form("Stop-out", "stop_out", field("login", "login")),
            form("Habit", "habit", field("login", "login"), choice("habit", [(h.name, h.name) for h in HABITS])),
            form("Rhythm", "rhythm", field("per_minute", "positions a minute", 16)),
            form(
                "Dealer edits",
                "deal/edit",
                field("ticket", "deal"),
                choice("field", [(x, x) for x in sorted(EDITABLE)]),
                field("value", "value"),
            ),
            form("Dealer deletes", "deal/delete", field("ticket", "deal")),
            form("Archive", "archive", field("login", "login")),
            form("Restore", "restore", field("login", "login")),
        )
    )


def render(server: Gateway, state: dict[str, Any]) -> str:
    """Write the whole state page."""
    books, title = server.books, esc(f"Sandbox {server.name}")
    rows = [[key.replace("_", " "), ", ".join(v) if isinstance(v := state[key], list) else v] for key in SHOWN]
    armed = [[fault["kind"], fault["command"], fault["times"], fault["hits"]] for fault in state["faults"]]
    accounts = []
    for user in list(books.store.users.values())[-ACCOUNTS:]:
        view = books.account(user.login)
        held = len(books.store.positions_of(user.login))
        accounts.append([user.group, user.login, user.balance, user.credit, view.equity, view.margin, held])
    newest = books.store.newest_deals(DEALS)
    deals = [
        [d["Symbol"] or d["Comment"], d["Deal"], d["Login"], d["Action"], d["Entry"], d["VolumeExt"], d["Profit"]]
        for d in newest
    ]
    market = [[name, price["bid"], price["ask"]] for name, price in state["prices"].items()]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{STYLE}</style><h1>{title}</h1><main>"
        f"<section><h2>State</h2>{table(['', ''], rows)}"
        f"<h2>Armed faults</h2>{table(['Fault', 'command', 'times left', 'hits'], armed, text=2)}</section>"
        f"<section><h2>Switches</h2>{switches(server)}</section>"
        f"<section><h2>Newest accounts</h2>"
        f"{table(['Group', 'login', 'balance', 'credit', 'equity', 'margin', 'positions'], accounts)}</section>"
        f"<section><h2>Newest deals</h2>"
        f"{table(['Symbol or comment', 'deal', 'login', 'action', 'entry', 'volume', 'profit'], deals)}</section>"
        f"<section><h2>Market</h2>{table(['Symbol', 'bid', 'ask'], market)}</section>"
        f"<section><h2>Commands since the start</h2>{table(['Command', 'count'], state['commands'].items())}</section>"
        "</main></html>"
    )
