"""Trading's part of the demo: a server, account types, clients' accounts and three months of deals.

The same accounts and deals are written to `var/sandbox/mt5-import.jsonl`, which the sandbox MT5 server loads: both sides
know the same history to the cent. Leaves for the parts above in `demo.extra`:

- `trading_transfers`: a `Transfer` per movement between wallet and platform, in order of time. The wallet's part books its
  side of each: `amount` positive went from the wallet to the platform.
- `trading_accounts`: {client_id: account_id} of the first real account of each client.
"""

from __future__ import annotations

import base64
import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection

from clients import facts
from clients.choices import Stage, TimelineKind
from clients.models import Client, TimelineEntry
from clients.timeline import entry_texts
from crm.db.bulk import copy_models
from crm.db.partitions import ensure_months
from crm.demo import Demo
from crm.rates import fx
from crm.security import audit
from trading.audit_codes import TradingAction
from trading.choices import AccountKind, AccountState, OperationKind, OperationState
from trading.core import timeline_texts
from trading.demo import hedgers, others, rows, standing, steps
from trading.demo.export import import_path, write_import
from trading.demo.market import PricePaths
from trading.demo.setup import commission_of, make_account_types, make_servers
from trading.demo.traders import Ledger, Setting, Trade, trade_once, trade_through
from trading.models import AccountType, BalanceOperation, TradingAccount, TradingServer
from trading.sync import results

FIRST_DEAL, FIRST_ORDER = 100_001, 200_001
CHALLENGERS_MIN, CHALLENGERS, CHALLENGER = 8, 24, 40  # clients, more at full scale; the number in their request's key
IDLE, IDLE_MAX = 41, 3  # likewise: a second account that stays untouched, of so many clients of a brand
PROFIT_ATTEMPTS, PROFIT_FROM = 12, 1_010_000  # cents: the balance at the start and 1 %
HAVE_ACCOUNTS = (Stage.VERIFIED, Stage.FUNDED, Stage.ACTIVE, Stage.DORMANT)


@dataclass(frozen=True)
class Transfer:
    """Money between a client's wallet and a trading account, settled."""

    operation_id: int
    client_id: int
    account_id: int
    amount: Decimal
    currency: str
    at: dt.datetime
    reference: str


@dataclass
class AccountJourney:
    """One account from its opening on."""

    client: Client
    account: TradingAccount
    ledger: Ledger
    withdrawal: tuple[dt.datetime, int] | None = None
    operations: list[tuple[dt.datetime, int, str]] = field(default_factory=list)

    @property
    def balance(self) -> int:
        return self.ledger.balance

    def in_whole_seconds(self) -> None:
        """Cut every time of the account; the order stays."""
        self.ledger.deposits = [(at.replace(microsecond=0), amount) for at, amount in self.ledger.deposits]
        for trade in self.ledger.trades:
            trade.opened, trade.closed = trade.opened.replace(microsecond=0), trade.closed.replace(microsecond=0)
        if self.withdrawal:
            self.withdrawal = (self.withdrawal[0].replace(microsecond=0), self.withdrawal[1])


def load(demo: Demo) -> None:
    """Load trading's part of the demo: servers, account types, accounts with their deals and positions."""
    if not demo.brands:
        return
    servers = make_servers(demo)
    types = make_account_types(demo, servers)
    joined, own_dice = others.make(demo), others.demo_of(demo)
    paths = PricePaths(demo.rng, demo.since - dt.timedelta(days=60), demo.now)
    journeys = _journeys(demo, types)
    for number, journey in enumerate(journeys):
        _live(demo, paths, journey)
        if number % 100 == 0:
            demo.progress("Trading accounts and deals", number, len(journeys))
    hedgers.plant(demo, paths, journeys)
    elsewhere = {one.server.pk: _lives_elsewhere(own_dice, paths, one) for one in joined}
    challengers = _challengers(others.demo_of(demo), types, journeys)
    for number, journey in enumerate(challengers):
        _live_to_profit(own_dice, paths, journey, wants_profit=number % 2 == 0)
    demo.extra["hedged_challenge"] = [
        row.account for row in hedgers.plant_on_challenge(demo, paths, challengers, journeys)
    ]
    journeys += [*challengers, *_idle(own_dice, challengers)]
    _write_accounts(demo, servers, journeys, [journey for theirs in elsewhere.values() for journey in theirs])
    deals, money = _write_deals(demo, journeys)
    for one in joined:
        theirs = elsewhere[one.server.pk]
        played, theirs_money = _write_deals(own_dice, theirs, one.other.told)
        money += theirs_money
        there = {journey.account: journey.balance for journey in theirs}
        write_import(there, played, paths, [], one.other.kind.value, one.other.engine_groups)
    demo.extra["trading_transfers"] = _write_operations(sorted(money, key=lambda row: row[0].at))
    results.refresh_all()
    columns = ("account_id", "at", "balance", "equity")
    rows.copy_rows("trading_equitypoint", columns, _points(demo, journeys))
    rows.copy_rows(
        "trading_equitypoint", columns, _points(own_dice, [journey for one in elsewhere.values() for journey in one])
    )
    for name in facts.names_of("trading"):
        facts.rebuild(facts.FACTS[name])
    if servers:
        steps.tell(demo, next(iter(servers.values())))
    first = next(iter(servers.values()), None)
    strangers = standing.tell(demo, first, [journey.account for journey in journeys]) if first else []
    there = {journey.account: journey.balance for journey in journeys if journey.account.missing_since is None}
    write_import(there, deals, paths, strangers)
    demo.progress("Trading accounts and deals", 1, 1)


def _journeys(demo: Demo, types: dict[int, list[AccountType]]) -> list[AccountJourney]:
    """Plan a real account for every verified client; for some a second one, or a demo account. Nothing is written yet."""
    clients = Client.objects.filter(stage__in=HAVE_ACCOUNTS).select_related("brand").order_by("pk")
    journeys: list[AccountJourney] = []
    for client in clients:
        offered = types.get(client.brand_id, [])
        real = [one for one in offered if not one.is_demo and one.kind != AccountKind.CENT]
        if not real:
            continue
        chosen = [_pick_type(demo.rng, real)]
        if demo.rng.random() < 0.12:
            chosen.append(_pick_type(demo.rng, real))
        if demo.rng.random() < 0.08:
            chosen += [one for one in offered if one.is_demo]
        for number, account_type in enumerate(chosen):
            journeys.append(AccountJourney(client, _account(demo, client, account_type, number), Ledger()))
    return journeys


def _challengers(
    demo: Demo, types: dict[int, list[AccountType]], journeys: list[AccountJourney]
) -> list[AccountJourney]:
    """Plan a young demo account for some active clients without one; `prop.demo` makes challenges of them."""
    taken = {journey.client.pk for journey in journeys if journey.account.is_demo}
    free = {
        journey.client.pk: journey.client
        for journey in journeys
        if journey.client.stage == Stage.ACTIVE and journey.client.user_id and journey.client.pk not in taken
    }
    made = []
    for client in list(free.values())[: CHALLENGERS_MIN + demo.count(CHALLENGERS)]:
        account_type = next((one for one in types.get(client.brand_id, []) if one.is_demo), None)
        if account_type is not None:
            account = _account(demo, client, account_type, CHALLENGER)
            young = demo.now - dt.timedelta(days=demo.rng.uniform(6, 25))
            account.opened_at = max(account.opened_at or young, young)
            made.append(AccountJourney(client, account, Ledger()))
    return made


def _idle(demo: Demo, challengers: list[AccountJourney]) -> list[AccountJourney]:
    """Give some clients whose young account made a profit a second one that nobody traded; `prop.demo` lets one ask for a merge."""
    made: list[AccountJourney] = []
    for journey in challengers:
        opened = journey.account.opened_at
        brands = [one.client.brand_id for one in made]
        if opened is None or opened > demo.now - dt.timedelta(days=2) or journey.balance <= PROFIT_FROM:
            continue
        if brands.count(journey.client.brand_id) < IDLE_MAX and journey.account.account_type is not None:
            account = _account(demo, journey.client, journey.account.account_type, IDLE)
            account.opened_at = opened + dt.timedelta(hours=demo.rng.uniform(1, 20))
            deposit = account.opened_at + dt.timedelta(minutes=demo.rng.uniform(5, 60)), 1_000_000
            made.append(AccountJourney(journey.client, account, Ledger(deposits=[deposit], balance=deposit[1])))
    return made


def _lives_elsewhere(demo: Demo, paths: PricePaths, joined: others.Joined) -> list[AccountJourney]:
    """Accounts on another platform, lived through. A platform that keeps seconds has its deals at whole ones."""
    journeys = []
    for number, client in enumerate(joined.clients):
        account_type = joined.types[number % len(joined.types)]
        journey = AccountJourney(client, _account(demo, client, account_type, 20 + joined.server.pk), Ledger())
        _live(demo, paths, journey, commission=300 if account_type.kind == AccountKind.PRO else 0)
        if joined.other.whole_seconds:
            journey.in_whole_seconds()
        journeys.append(journey)
    return journeys


def _write_accounts(
    demo: Demo, servers: dict[int, TradingServer], own: list[AccountJourney], elsewhere: list[AccountJourney]
) -> None:
    """Write the accounts with their money as it is now."""
    journeys = [*own, *elsewhere]
    rates: dict[tuple[str, str], Decimal] = {}
    for journey in journeys:
        account, pair = journey.account, (journey.account.currency, journey.client.brand.base_currency)
        if pair not in rates:
            rates[pair] = fx.rate(*pair, on=demo.now.date()).rate
        amount = Decimal(journey.balance).scaleb(-2)
        account.balance = account.equity = account.margin_free = amount
        account.equity_base = (amount * rates[pair]).quantize(Decimal("0.01"))
        account.last_trade_at = max((trade.closed for trade in journey.ledger.trades), default=None)
    accounts = [journey.account for journey in journeys]
    # Second accounts that were on the platform before they were here; whatever moved on them before is not ours.
    first = next((server.pk for server in servers.values()), 0)
    seconds = [a for a in accounts if a.request_key.endswith(":1") and not a.is_demo and a.server_id == first]
    for account in seconds[: standing.TAKEN_OVER]:
        account.imported_at, account.request_key = account.opened_at, f"import:{first}:{account.login}"
    copy_models(accounts)
    _execute("UPDATE trading_tradingaccount SET requested_at = opened_at - interval '4 seconds'")
    for server in {journey.account.server_id: journey.account.server for journey in journeys}.values():
        server.save_without_historical_record(update_fields=["next_login"])  # type: ignore[attr-defined]
    _tell_openings(accounts, [journey.client for journey in journeys])
    demo.extra["trading_accounts"] = {}
    for account in accounts:
        if not account.is_demo:
            demo.extra["trading_accounts"].setdefault(account.client_id, account.pk)


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _pick_type(rng: random.Random, real: list[AccountType]) -> AccountType:
    default = next((one for one in real if one.is_default), real[0])
    return default if rng.random() < 0.6 else rng.choice(real)


def _account(demo: Demo, client: Client, account_type: AccountType, number: int) -> TradingAccount:
    """Make an account; the next login of the type's server is taken on the object that all types of a brand share."""
    registered = client.registered_at or client.created_at
    opened = min(registered + dt.timedelta(hours=demo.rng.uniform(3, 60)), demo.now - dt.timedelta(hours=1))
    opened = max(opened, demo.since - dt.timedelta(days=59))
    if number == 0 and client.pk in demo.extra.get("verified_at", {}):
        # The account opens a few seconds after compliance verified the client.
        opened = demo.extra["verified_at"][client.pk] + dt.timedelta(seconds=6)
    server = account_type.server
    server.next_login += 1
    return TradingAccount(
        client=client,
        server=server,
        account_type=account_type,
        login=str(server.next_login - 1),
        group=account_type.group,
        currency=account_type.currency,
        leverage=account_type.default_leverage,
        is_demo=account_type.is_demo,
        state=AccountState.OPEN,
        opened_at=opened,
        synced_at=demo.now,
        attempts=1,
        request_key=f"verified:{client.pk}" if number == 0 else f"demo:{client.pk}:{number}",
    )


def _tell_openings(accounts: list[TradingAccount], owners: list[Client]) -> None:
    copy_models(
        [
            TimelineEntry(
                client=client,
                at=account.opened_at or account.requested_at,
                kind=TimelineKind.TRADING,
                is_visible_to_client=True,
                **entry_texts(title=timeline_texts.opening(account.login, account.server.name)),
                url=f"/clients/{client.pk}/?tab=trading",
                dedupe_key=f"trading.account_opened:{account.pk}",
            )
            for account, client in zip(accounts, owners, strict=True)
        ]
    )
    audit.record_many(
        {
            "actor": None,
            "target": account,
            "action": TradingAction.ACCOUNT_IMPORTED if account.imported_at else TradingAction.ACCOUNT_OPENED,
            "client_id": client.pk,
            "brand_id": client.brand_id,
            "at": account.opened_at,
            "after": {"login": account.login, "server": account.server.name, "group": account.group},
        }
        for account, client in zip(accounts, owners, strict=True)
    )


# ── three months of trading ──────────────────────────────────────────────────────────────────────────────────────────


def _live(demo: Demo, paths: PricePaths, journey: AccountJourney, commission: int | None = None) -> None:
    """Deposits, trades and perhaps a withdrawal, as the client's stage says."""
    rng, account, stage = demo.rng, journey.account, journey.client.stage
    assert account.opened_at is not None
    if stage == Stage.VERIFIED and not account.is_demo:
        return
    start = account.opened_at + dt.timedelta(minutes=rng.uniform(20, 1200))
    latest = demo.now - dt.timedelta(minutes=40)
    start = min(start, latest - dt.timedelta(minutes=30))
    amount = 1_000_000 if account.is_demo else _amount(rng)
    journey.ledger.deposits.append((start, amount))
    journey.ledger.balance = amount
    if stage == Stage.FUNDED and not account.is_demo:
        return
    end = latest
    if stage == Stage.DORMANT:
        end = max(start + dt.timedelta(days=4), demo.now - dt.timedelta(days=rng.randrange(46, 75)))
        end = min(end, latest)
    each_side = commission_of(journey.client.brand, account.group) if commission is None else commission
    setting = Setting(account.currency, account.leverage, each_side)
    middle = start + (end - start) * rng.uniform(0.3, 0.7)
    adds = rng.random() < 0.35 and not account.is_demo
    trade_through(rng, paths, setting, journey.ledger, start=start, end=middle if adds else end)
    if adds:
        more = _amount(rng)
        journey.ledger.deposits.append((middle, more))
        journey.ledger.balance += more
        trade_through(rng, paths, setting, journey.ledger, start=middle + dt.timedelta(minutes=5), end=end)
    if not journey.ledger.trades:
        last = max(at for at, _amount in journey.ledger.deposits)
        trade_once(rng, paths, setting, journey.ledger, start=last, end=max(end, last + dt.timedelta(minutes=25)))
    if rng.random() < 0.22 and journey.balance > 20_000 and not account.is_demo:
        taken = journey.balance * rng.randrange(15, 60) // 100 // 1000 * 1000
        last = max([trade.closed for trade in journey.ledger.trades], default=end)
        at = max(last, end) + dt.timedelta(minutes=rng.uniform(3, 30))
        if taken:
            journey.withdrawal = (at, -taken)
            journey.ledger.balance -= taken


def _live_to_profit(demo: Demo, paths: PricePaths, journey: AccountJourney, *, wants_profit: bool) -> None:
    """Trade an account again until it made a profit, where one is wanted; not for ever."""
    for _attempt in range(PROFIT_ATTEMPTS):
        journey.ledger = Ledger()
        _live(demo, paths, journey)
        if not wants_profit or journey.balance > PROFIT_FROM:
            return


def _amount(rng: random.Random) -> int:
    """Choose a deposit in cents: many small, few large."""
    return rng.choice([10_000, 20_000, 25_000, 25_000, 50_000, 50_000, 100_000, 100_000, 200_000, 500_000, 1_500_000])


@dataclass(frozen=True)
class _Moment:
    at: dt.datetime
    journey: AccountJourney
    kind: str
    amount: int = 0
    trade: Trade | None = None


def _moments(journeys: list[AccountJourney]) -> list[_Moment]:
    found = []
    for journey in journeys:
        found += [_Moment(at, journey, "money", amount) for at, amount in journey.ledger.deposits]
        if journey.withdrawal:
            found.append(_Moment(journey.withdrawal[0], journey, "money", journey.withdrawal[1]))
        for trade in journey.ledger.trades:
            found += [
                _Moment(trade.opened, journey, "open", trade=trade),
                _Moment(trade.closed, journey, "close", trade=trade),
            ]
    return sorted(found, key=lambda moment: moment.at)


Money = list[tuple[_Moment, int, str]]
"""What moved between wallet and platform, with its ticket and reference."""


def _write_deals(
    demo: Demo, journeys: list[AccountJourney], told: others.Told | None = None
) -> tuple[list[dict[str, Any]], Money]:
    """Write all deals in order of time, each with the next ticket, and return them in the engine's form, and the money among them.

    `told`: how another platform's adapter reads them.
    """
    moments = _moments(journeys)
    if not moments:
        return [], []
    ensure_months("trading_deal", moments[0].at.date(), moments[-1].at.date())
    raws: list[dict[str, Any]] = []
    owners: list[tuple[int, int, dt.datetime]] = []
    money: Money = []
    positions: dict[int, int] = {}
    order = FIRST_ORDER
    for ticket, moment in enumerate(moments, start=FIRST_DEAL):
        account = moment.journey.account
        login, msc = account.login, rows.server_msc(moment.at, account.server.zone)
        if moment.trade is None:
            reference = _reference(demo.rng, "D" if moment.amount > 0 else "W")
            raw = rows.money_deal(ticket, login, msc, moment.amount, reference)
            money.append((moment, int(told(raw).get("Deal", ticket)) if told else ticket, reference))
        elif moment.kind == "open":
            positions[id(moment.trade)] = order
            raw = rows.opening_deal(ticket, login, msc, moment.trade, order)
            order += 1
        else:
            raw = rows.closing_deal(ticket, login, msc, moment.trade, positions[id(moment.trade)], order)
            order += 1
        raws.append(raw)
        owners.append((account.server_id, account.pk, moment.at))
    rows.copy_rows(
        "trading_deal",
        rows.DEAL_COLUMNS,
        (
            rows.deal_row(server_id, account_id, at, raw, told(raw) if told else None)
            for raw, (server_id, account_id, at) in zip(raws, owners, strict=True)
        ),
    )
    return raws, money


def _reference(rng: random.Random, letter: str) -> str:
    return f"{letter}:{base64.b32encode(rng.randbytes(13)).decode()[:20]}"


def _write_operations(money: Money) -> list[Transfer]:
    """Settled operations with their audit rows and timeline entries; demo accounts have none."""
    real = [row for row in money if not row[0].journey.account.is_demo]
    operations = [
        BalanceOperation(
            account=moment.journey.account,
            server=moment.journey.account.server,
            amount=Decimal(moment.amount).scaleb(-2),
            ticket=ticket,
            kind=OperationKind.DEPOSIT if moment.amount > 0 else OperationKind.WITHDRAWAL,
            reference=reference,
            currency=moment.journey.account.currency,
            idempotency_key=f"demo:{reference}",
            state=OperationState.CONFIRMED,
            attempts=1,
            sent_at=moment.at,
            settled_at=moment.at,
        )
        for moment, ticket, reference in real
    ]
    copy_models(operations)
    _execute("UPDATE trading_balanceoperation SET created_at = sent_at - interval '2 seconds'")
    _tell_operations(operations, [moment.journey.client for moment, _t, _r in real])
    return [
        Transfer(op.pk, moment.journey.client.pk, op.account_id, op.amount, op.currency, moment.at, op.reference)
        for op, (moment, _ticket, _reference_text) in zip(operations, real, strict=True)
    ]


def _tell_operations(operations: list[BalanceOperation], owners: list[Client]) -> None:
    pairs = list(zip(operations, owners, strict=True))
    copy_models(
        [
            TimelineEntry(
                client=client,
                at=op.settled_at or op.created_at,
                kind=TimelineKind.TRADING,
                **entry_texts(title=timeline_texts.operation(op), body=timeline_texts.amount_of(op)),
                url=f"/clients/{client.pk}/?tab=trading",
                dedupe_key=f"trading.operation:{op.pk}",
            )
            for op, client in pairs
        ]
    )
    audit.record_many(
        {
            "actor": None,
            "action": TradingAction.OPERATION_CONFIRMED,
            "target": op,
            "client_id": client.pk,
            "brand_id": client.brand_id,
            "at": op.settled_at,
            "after": {
                "kind": op.kind,
                "amount": str(op.amount),
                "currency": op.currency,
                "login": op.account.login,
                "reference": op.reference,
                "ticket": op.ticket,
                "state": op.state,
            },
        }
        for op, client in pairs
    )


# ── money now, and how it got there ──────────────────────────────────────────────────────────────────────────────────


def _points(demo: Demo, journeys: list[AccountJourney]) -> Iterator[tuple[Any, ...]]:
    """Balance at the end of each day, with the equity swinging around it while something was traded that day."""
    for journey in journeys:
        changes = sorted(
            [*journey.ledger.deposits, *([journey.withdrawal] if journey.withdrawal else [])]
            + [(trade.opened, trade.commission) for trade in journey.ledger.trades]
            + [(trade.closed, trade.profit + trade.commission) for trade in journey.ledger.trades]
        )
        if not changes:
            continue
        traded = {trade.closed.date() for trade in journey.ledger.trades}
        day = max(changes[0][0], demo.since).replace(hour=21, minute=0, second=0, microsecond=0)
        balance, position = 0, 0
        while day < demo.now:
            while position < len(changes) and changes[position][0] <= day:
                balance += changes[position][1]
                position += 1
            swing = int(balance * demo.rng.gauss(0, 0.012)) if day.date() in traded else 0
            if position:
                yield journey.account.pk, day, rows.cents(balance), rows.cents(balance + swing)
            day += dt.timedelta(days=1)


__all__ = ["PricePaths", "Transfer", "import_path", "load"]
