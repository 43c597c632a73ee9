"""The documented seed: accounts and four weeks of their history, the same for the same number every time.

It is not written down row by row: the server's own rules play it, on a clock of its own, from Monday, 5 January 2026, to
Friday, 30 January 2026. docs/sandbox-mt5.md names the accounts and what each is there for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sandbox.engine.books import BALANCE, BONUS, BUY, CORRECTION, CREDIT, RIGHTS_DEFAULT, SELL, Books, MarketOrder
from sandbox.engine.clock import ServerClock
from sandbox.engine.contracts import GROUPS, NETTING, SYMBOLS
from sandbox.engine.desk import Desk
from sandbox.engine.market import Market
from sandbox.engine.orders import BUY_LIMIT, SELL_LIMIT, Orders
from sandbox.engine.store import User, hash_password
from sandbox.engine.traders import Traders

FIRST_DAY, DAYS = datetime(2026, 1, 5, tzinfo=UTC), 26
STEP_SECONDS, FIRST_HOUR, LAST_HOUR = 900, 8, 20
RHYTHM = 0.03  # positions a minute: about one in half an hour


@dataclass(frozen=True)
class Seeded:
    """An account of the seed. Its passwords are `Seed-<login>!` and, for the investor, `View-<login>!`."""

    login: int
    group: str
    name: str
    country: str
    leverage: int
    deposit: int
    habit: str


ACCOUNTS = (
    Seeded(600001, "real\\standard-EUR", "Anna Steady", "Austria", 30, 5_000, "steady"),
    Seeded(600002, "real\\pro-EUR", "Sven Scalper", "Sweden", 100, 12_000, "scalper"),
    Seeded(600003, "real\\standard-USD", "Marta Doubling", "Spain", 30, 3_000, "martingale"),
    Seeded(600004, "real\\netting-EUR", "Nils Netting", "Germany", 30, 20_000, "dormant"),
    Seeded(600005, "real\\netting-USD", "Nora Netting", "Malta", 30, 15_000, "news trader"),
    Seeded(600006, "real\\vip-USD", "Paul Pair", "Cyprus", 100, 50_000, "hedged pair"),
    Seeded(600007, "real\\vip-USD", "Paula Pair", "Cyprus", 100, 50_000, "hedged pair"),
    Seeded(600008, "real\\islamic-EUR", "Idris Gold", "France", 30, 8_000, "gold bug"),
    Seeded(600009, "real\\standard-JPY", "Yuki Yen", "Japan", 25, 900_000, "steady"),
    Seeded(600010, "real\\cent-USC", "Carl Cent", "Poland", 100, 40_000, "crypto"),
    Seeded(600011, "demo\\standard-EUR", "Dora | Demo = \\ 🙂", "Italy", 30, 10_000, "dormant"),
    Seeded(600012, "real\\standard-EUR", "Otto Old", "Ireland", 30, 250, "dormant"),
)
ARCHIVED, STOPPED_OUT, HELD = 600012, 600003, 600001


class ScriptedClock(ServerClock):
    """Time that goes only as far as it is told."""

    def __init__(self, zone: str) -> None:
        super().__init__(zone)
        self.at = FIRST_DAY.timestamp()

    def utc(self) -> float:
        return self.at


def build(books: Books, traders: Traders, seed: int) -> bool:
    """Play the seed into an empty server; False when there are accounts already."""
    if books.store.users or books.store.archived():
        return False
    real_clock, real_market = books.clock, books.market
    clock, market = ScriptedClock(real_clock.zone.key), Market(seed)
    market.calendar = "real"
    books.clock, books.market, books.store.stamp = clock, market, clock.filetime
    try:
        _play(books, seed, clock)
    finally:
        books.clock, books.market, books.store.stamp = real_clock, real_market, real_clock.filetime
    real_market.restore(market.middle)
    traders.assign({account.login: account.habit for account in ACCOUNTS})
    books.active = {position.login for position in books.store.positions.values()}
    return True


def _play(books: Books, seed: int, clock: ScriptedClock) -> None:
    traders = Traders(books, seed, RHYTHM)
    clock.at = FIRST_DAY.timestamp() + FIRST_HOUR * 3600
    _open_accounts(books, traders)
    for day in range(DAYS):
        for step in range((LAST_HOUR - FIRST_HOUR) * 3600 // STEP_SECONDS):
            clock.at = FIRST_DAY.timestamp() + day * 86_400 + FIRST_HOUR * 3600 + step * STEP_SECONDS
            books.market.step(STEP_SECONDS, clock.now())
            traders.step(STEP_SECONDS)
            if step == 8:
                _by_the_calendar(books, day)
        clock.at = FIRST_DAY.timestamp() + day * 86_400 + 22 * 3600
        if day % 7 < 5:
            books.rollover(3 if day % 7 == 2 else 1)
    clock.at = FIRST_DAY.timestamp() + (DAYS - 1) * 86_400 + LAST_HOUR * 3600
    _finish(books)


def _open_accounts(books: Books, traders: Traders) -> None:
    now = books.clock.now()
    for one in ACCOUNTS:
        main, investor = (hash_password(one.login, f"{word}-{one.login}!") for word in ("Seed", "View"))
        fields = {
            "Name": one.name,
            "Country": one.country,
            "Email": f"{one.login}@traders.example",
            "ID": f"S{one.login}",
        }
        with books.store.transaction():
            books.store.save_user(
                User(
                    one.login,
                    one.group,
                    one.leverage,
                    RIGHTS_DEFAULT,
                    Decimal(0),
                    Decimal(0),
                    main,
                    investor,
                    now,
                    now,
                    fields,
                )
            )
        books.balance_operation(one.login, BALANCE, Decimal(one.deposit), f"D:SEED{one.login}", True)
    traders.assign({account.login: account.habit for account in ACCOUNTS})


def _by_the_calendar(books: Books, day: int) -> None:
    """Trade what must be in the history, whatever the dice say. Days count from the first Monday."""
    plan: dict[int, list[Callable[[], object]]] = {
        1: [lambda: _trade(books, 600004, "EURUSD", BUY, "1.00"), lambda: _trade(books, 600004, "EURUSD", BUY, "0.50")],
        2: [lambda: _trade(books, 600004, "EURUSD", SELL, "0.40")],  # reduces
        3: [lambda: _trade(books, 600004, "EURUSD", SELL, "2.00")],  # INOUT: 1.10 closed, 0.90 opened the other way
        4: [lambda: _trade(books, 600004, "EURUSD", BUY, "0.90")],  # closes
        7: [
            lambda: books.balance_operation(600001, CREDIT, Decimal(200), "C:SEEDCREDIT", True),
            lambda: books.balance_operation(600002, BONUS, Decimal(150), "B:SEEDBONUS", True),
        ],
        8: [lambda: _out_by(books, 600001)],
        9: [lambda: _partly(books, 600001)],
        10: [
            lambda: books.balance_operation(600002, BALANCE, Decimal(-1000), "W:SEEDPAYOUT", True),
            lambda: books.balance_operation(600001, CORRECTION, Decimal("-1.25"), "K:SEEDFIX", True),
        ],
        11: [
            lambda: books.market.news("USD"),
            lambda: _trade(books, 600005, "XAUUSD", BUY, "0.20"),
            lambda: _trade(books, 600005, "XAUUSD", SELL, "0.20"),
        ],
        14: [lambda: _stop_out(books)],
        15: [lambda: books.balance_operation(600001, CREDIT, Decimal(-200), "C:SEEDBACK", True)],
        21: [lambda: _trade(books, HELD, "GBPUSD", BUY, "0.10")],  # stays open
    }
    for step in plan.get(day, []):
        step()


def _trade(books: Books, login: int, symbol: str, side: int, lots: str) -> None:
    books.open(MarketOrder(login, symbol, side, Decimal(lots), comment="seed"))


def _out_by(books: Books, login: int) -> None:
    """Two opposite positions of different size: a pair of OUT_BY deals, and a rest that is closed."""
    _deal, long = books.open(MarketOrder(login, "EURGBP", BUY, Decimal("0.30"), comment="seed"))
    _deal, short = books.open(MarketOrder(login, "EURGBP", SELL, Decimal("0.20"), comment="seed"))
    assert long and short
    books.close_by(long, short)
    books.close(long)


def _partly(books: Books, login: int) -> None:
    _deal, position = books.open(MarketOrder(login, "USDCHF", SELL, Decimal("0.30"), comment="seed"))
    assert position
    books.close(position, volume_ext=10_000_000)
    books.close(position)


def _stop_out(books: Books) -> None:
    """Everything on one card, and the market jumps: stop-out, and the negative balance is forgiven."""
    login = STOPPED_OUT
    for held in books.store.positions_of(login):
        books.close(held)
    view, symbol = books.account(login), SYMBOLS["GBPUSD"]
    _bid, ask = books.market.quote(symbol, view.group)
    one_lot = books.margin(symbol, view.group, view.user.leverage, Decimal(1), ask)
    lots = (view.free * Decimal("0.9") / one_lot).quantize(Decimal("0.01"))
    _trade(books, login, "GBPUSD", BUY, str(lots))
    before = books.market.middle["GBPUSD"]
    books.market.restore({"GBPUSD": before * 0.96})
    books.stop_out(login)
    books.market.restore({"GBPUSD": before})
    books.balance_operation(login, BALANCE, Decimal(1500), "D:SEEDAGAIN", True)


def _finish(books: Books) -> None:
    """Open positions of the dice are closed; one deal is edited and one deleted by a dealer; an old account is archived."""
    for position in list(books.store.positions.values()):
        if position.login != HELD or position.symbol != "GBPUSD":
            books.close(position)
    desk = Desk(books)
    closing = [deal for _login, deal in books.store.deals_between(0, 2**62, 600002) if deal["Entry"] == "1"]
    desk.edit_deal(int(closing[0]["Deal"]), {"Profit": f"{Decimal(closing[0]['Profit']) + 1:.2f}"})
    ticket = books.balance_operation(600001, BALANCE, Decimal("999.99"), "booked by mistake", True)
    desk.delete_deal(ticket)
    orders, level = Orders(books), Decimal(str(books.market.middle["EURUSD"])).quantize(Decimal("0.00001"))
    orders.place(HELD, "EURUSD", BUY_LIMIT, Decimal("0.10"), level - Decimal("0.20000"), "waits")
    orders.cancel(orders.place(HELD, "EURUSD", SELL_LIMIT, Decimal("0.10"), level + Decimal("0.20000"), "given up"))
    desk.archive(ARCHIVED)


def describe(books: Books) -> list[dict[str, object]]:
    """List the seeded accounts as they are now, for the state page and the documentation's test."""
    return [
        {
            "login": account.login,
            "group": account.group,
            "is_netting": GROUPS[account.group].margin_mode == NETTING,
            "balance": str(user.balance),
            "credit": str(user.credit),
        }
        for account in ACCOUNTS
        if (user := books.store.users.get(account.login))
    ]
