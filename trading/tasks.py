"""Thin Celery entry points of trading, and what beat runs. Every task may run twice."""

from __future__ import annotations

import datetime as dt

from celery import shared_task
from celery.schedules import crontab

from crm.queue.for_each import for_each_isolated
from trading.accounts import balance_operations, opening, requests
from trading.accounts import changes as accounts
from trading.cap_breaches import breaches
from trading.choices import OperationState
from trading.imports import history
from trading.leverage import account_groups
from trading.models import TradingAccount, TradingServer
from trading.platforms.errors import PlatformError
from trading.sync import deals, money, positions, profiles, reconcile, results, resync, samples, settings, symbols


@shared_task
def open_account(account_id: int) -> str:
    """Open a requested account on its platform."""
    return opening.open_on_platform(account_id)


@shared_task
def send_operation(operation_id: int) -> str:
    """Send a balance operation to its platform, once."""
    return balance_operations.send_operation(operation_id)


@shared_task
def resolve_operation(operation_id: int) -> str:
    """Look up an operation whose outcome is unknown."""
    return balance_operations.resolve_operation(operation_id)


@shared_task
def apply_right_to_trade(account_id: int) -> bool:
    """Allow or stop trading on the platform, as the account's row has it."""
    return accounts.apply_right_to_trade(account_id)


@shared_task
def refresh_account(account_id: int) -> None:
    """Read one account's money now; the next round does it when the platform is away."""
    account = TradingAccount.objects.select_related("server").get(pk=account_id)
    try:
        money.refresh_account(account)
    except PlatformError:
        return


@shared_task
def read_history(account_id: int) -> int | None:
    """Read an imported account's past deals; how many were new, None where another worker does it or nothing is due."""
    return history.read_history(account_id)


@shared_task
def continue_work() -> int:
    """Continue the openings, operations and requests that a crash or an absent broker left behind."""
    done = for_each_isolated(_continue_operation, balance_operations.due_operations())
    done += for_each_isolated(opening.open_on_platform, opening.due_accounts())
    done += for_each_isolated(requests.apply, requests.due_requests())
    for account_id in history.due_histories():
        read_history.apply_async((account_id,), retry=False)
    return done + for_each_isolated(accounts.apply_right_to_trade, accounts.due_rights())


def _continue_operation(due: tuple[int, str]) -> OperationState:
    operation_id, state = due
    if state == OperationState.RESERVED:
        return balance_operations.send_operation(operation_id)
    return balance_operations.resolve_operation(operation_id)


READERS = {
    "deals": deals.follow_deals,
    "deals_hour": lambda server: resync.read_again(server, span=dt.timedelta(minutes=15)),
    "deals_day": lambda server: resync.read_again(server, span=dt.timedelta(hours=26)),
    "accounts": money.sync_money,
    "profiles": profiles.sync_profiles,
    "positions": positions.sync_positions,
    "symbols": symbols.sync_symbols,
    "groups": settings.sync_groups,
    "equity_points": money.keep_equity_points,
    "reconcile": reconcile.reconcile,
}


@shared_task
def read_server(server_id: int, kind: str) -> None:
    """Read one kind of data of one server."""
    READERS[kind](TradingServer.objects.get(pk=server_id))


@shared_task
def read_settings(server_id: int) -> None:
    """Read groups and symbols of a server that was connected or changed; later beat does."""
    server = TradingServer.objects.get(pk=server_id)
    settings.sync_groups(server)
    symbols.sync_symbols(server)


QUEUES = {"deals": "sync", "deals_day": "slow", "reconcile": "slow"}
"""Where a kind is read, if not beside everything else. New deals have a process of their own: nothing long stands before them,
and each platform that pushes sees one connection."""


@shared_task
def read_servers(kind: str) -> None:
    """Start one task per server, so that a slow one holds up no other."""
    ids = list(TradingServer.objects.filter(is_enabled=True).values_list("pk", flat=True))
    if len(ids) == 1:
        read_server(ids[0], kind)
        return
    for server_id in ids:
        read_server.apply_async((server_id, kind), expires=60, queue=QUEUES.get(kind))


@shared_task
def forget_samples() -> int:
    """Delete the samples of platform health that are too old to be shown."""
    return samples.forget_old()


@shared_task
def count_standing() -> None:
    """Open accounts by sort, which caps are held against."""
    account_groups.refresh()


@shared_task
def watch_class_caps() -> int:
    """Open questions about groups that give open accounts more on a class of instruments than is allowed."""
    return breaches.watch()


@shared_task
def sum_results() -> int:
    """Sum up days whose deals changed, with their weeks and months."""
    return results.refresh()


def _every(kind: str, seconds: float) -> dict[str, object]:
    options = {"expires": seconds, **({"queue": QUEUES[kind]} if kind in QUEUES else {})}
    return {"task": "trading.tasks.read_servers", "schedule": seconds, "args": (kind,), "options": options}


WITHOUT_BROKER = ("continue_work",)
SCHEDULE = {
    "trading-deals": _every("deals", 1.0),
    "trading-deals-quarter": _every("deals_hour", 120.0),
    "trading-deals-day": _every("deals_day", 3600.0),
    "trading-accounts": _every("accounts", 10.0),
    "trading-profiles": _every("profiles", 300.0),
    "trading-positions": _every("positions", 5.0),
    "trading-symbols": _every("symbols", 3600.0),
    "trading-groups": _every("groups", 3600.0),
    "trading-equity-points": _every("equity_points", 300.0),
    "trading-reconcile": {
        "task": "trading.tasks.read_servers",
        "schedule": crontab(hour="22", minute="40"),
        "args": ("reconcile",),
        "options": {"queue": "slow"},
    },
    "trading-samples": {"task": "trading.tasks.forget_samples", "schedule": 3600.0, "options": {"expires": 600}},
    "trading-cap-standing": {"task": "trading.tasks.count_standing", "schedule": 300.0, "options": {"expires": 300}},
    "trading-class-caps": {"task": "trading.tasks.watch_class_caps", "schedule": 3600.0, "options": {"expires": 600}},
    "trading-results": {"task": "trading.tasks.sum_results", "schedule": 3.0, "options": {"expires": 3}},
    "trading-continue": {"task": "trading.tasks.continue_work", "schedule": 5.0, "options": {"expires": 5}},
}
