"""Equity samples of running challenge accounts: every second, one bulk read of each server, kept as a round until it is judged.

A server that is slow or away holds up only its own accounts: one reading of a server runs at a time, a second that passes meanwhile
is left out, and after an error the server rests as for every other reading.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.db.prepared import ByKey
from crm.i18n import formats
from crm.queue.enqueue import enqueue
from prop.choices import StageState
from prop.judge import feed
from prop.judge.days import to_msc, to_time
from prop.models import EquityRound, PhaseAccount
from trading.choices import DataKind
from trading.core.batching import batched
from trading.models import SyncCursor, TradingServer
from trading.platforms.base import Platform, Purpose
from trading.platforms.pool import capabilities_of, option_value, platform_for
from trading.platforms.sample_options import NAME
from trading.sync.cursor import reading
from trading.sync.deals import sync_deals

BATCH: Final = 2000
RUN_SECONDS_MAX: Final = 30
EARLY_SECONDS: Final = 0.25  # beat's second is never quite one
WAITING_MAX: Final = 10_800  # rounds: three hours of a server whose judge is away; then samples are left out
FRESH: Final = dt.timedelta(seconds=15)
CURSORS: Final = ByKey(lambda: SyncCursor.objects.all(), "server_id", "kind")

Account = tuple[int, str, str]


def servers_to_sample() -> list[int]:
    """List the servers on which a phase runs."""
    running = PhaseAccount.objects.filter(state=StageState.RUNNING, account__server__is_enabled=True)
    return list(running.order_by("account__server_id").values_list("account__server_id", flat=True).distinct())


def seconds_between(server: TradingServer) -> int:
    """Return the interval at which a server's challenge accounts are sampled."""
    return int(option_value(server, NAME))


def sample_server(server: TradingServer) -> int:
    """Read a sample of each running challenge account of a server, if it is time. Returns how many.

    Deals are read right after them, so that no sample waits for the deals behind it.
    """
    with reading(server, DataKind.SAMPLES, seconds_max=RUN_SECONDS_MAX) as run:
        if run is None or not _is_time(server, run.cursor) or _is_judge_away(server):
            return 0
        accounts = _running(server)
        for part in batched(accounts, BATCH):
            run.rows += _read(server, part)
    if run.rows:
        sync_deals(server)
        enqueue("prop.judge_server", server.pk)
    return run.rows


def _is_time(server: TradingServer, cursor: SyncCursor) -> bool:
    if cursor.read_at is None:
        return True
    return (timezone.now() - cursor.read_at).total_seconds() >= seconds_between(server) - EARLY_SECONDS


def _is_judge_away(server: TradingServer) -> bool:
    return EquityRound.objects.filter(server=server)[WAITING_MAX : WAITING_MAX + 1].exists()


def _running(server: TradingServer) -> list[Account]:
    rows = PhaseAccount.objects.filter(state=StageState.RUNNING, account__server=server).exclude(account__login=None)
    return list(rows.order_by("pk").values_list("pk", "account__login", "account__currency"))


def _read(server: TradingServer, accounts: Sequence[Account]) -> int:
    """Read some accounts and keep their samples, with the time at which the answer was there."""
    by_login = {login: (pk, currency) for pk, login, currency in accounts}
    money = _connection(server).account_money(list(by_login))
    at = to_time(to_msc(timezone.now()))
    samples = []
    for row in money:
        if row.login in by_login:
            pk, currency = by_login[row.login]
            samples.append((pk, feed.minor(row.balance, currency), feed.minor(row.equity - row.credit, currency)))
    if samples:
        ids, balances, equities = (list(column) for column in zip(*sorted(samples), strict=True))
        EquityRound.objects.create(server=server, at=at, accounts=ids, balances=balances, equities=equities)
    return len(samples)


def _connection(server: TradingServer) -> Platform:
    """Choose the connection: its own, but where the platform pushes equity that of the process's reader, which follows it."""
    pushes = capabilities_of(server.kind).pushes_deals
    return platform_for(server, Purpose.READS if pushes else Purpose.SAMPLES)


def sampled_servers(now: dt.datetime) -> list[int]:
    """List the servers whose accounts were sampled a moment ago: theirs aren't judged by slower readings."""
    latest = SyncCursor.objects.filter(kind=DataKind.SAMPLES).select_related("server")
    return [
        cursor.server_id
        for cursor in latest
        if cursor.read_at and cursor.read_at > now - FRESH - dt.timedelta(seconds=seconds_between(cursor.server))
    ]


def sampling_note(row: PhaseAccount, now: dt.datetime) -> str:
    """Say how often a running account is sampled, and since when it isn't where that stopped; empty for any other."""
    server = row.account.server
    if row.state != StageState.RUNNING:
        return ""
    seconds = seconds_between(server)
    note = ngettext("Equity is sampled every second.", "Equity is sampled every %(seconds)s seconds.", seconds)
    cursor = CURSORS.find(server_id=server.pk, kind=str(DataKind.SAMPLES))
    last = max((at for at in (cursor and cursor.read_at, row.account.synced_at) if at), default=None)
    text = note % {"seconds": seconds}
    if last is None or now - last <= FRESH + dt.timedelta(seconds=seconds):
        return text
    since = _("Last sample on %(at)s: nothing is concluded for the time since then.")
    return f"{text} {since % {'at': formats.moment(last, seconds=True)}}"
