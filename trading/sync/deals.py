"""New and changed deals, every few seconds: one request per server, with an overlap, upserted by ticket."""

from __future__ import annotations

import datetime as dt
import time
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from clients import timeline
from clients.choices import Stage, TimelineKind
from clients.stages import move_stage
from crm.db.locking import lock_first
from crm.i18n.localized_text import phrase
from trading.accounts.balance_operations import MoneyDeal, note_deals
from trading.choices import CREDIT_ACTIONS, TRADES, DealAction, IssueKind, StagedState
from trading.core.batching import array
from trading.core.issues import open_issue
from trading.models import StagedLogin, SyncCursor, TradingServer
from trading.platforms.base import DealData, ServerTime
from trading.platforms.pool import deal_source
from trading.sync import symbols
from trading.sync.cursor import Run, reading
from trading.sync.ingest import Ingested, ingest
from trading.sync.page_updates import refresh_pages
from trading.sync.parked import parking, usable_deals
from trading.sync.quotes import follow_quotes
from trading.sync.results import raise_last_trades

OVERLAP: Final = dt.timedelta(seconds=30)
BUSY_OVERLAP: Final = dt.timedelta(seconds=2)
BUSY_ROWS: Final = 100  # of the last reading
BUSY_PAUSE: Final = 0.5
PAGES_MAX: Final = 40  # in one run after a pause; the next run goes on from there
EXPORT: Final = "deals_export"  # its cursor is a change stamp, not the server's clock
HOUR_MSC: Final = 3_600_000
LIVE_DAYS: Final = 2
SLEEPING: Final = "SELECT id, stage FROM clients_client WHERE id = ANY(%s::bigint[]) AND stage = ANY(%s)"


def sync_deals(server: TradingServer, *, overlap: dt.timedelta | None = None) -> Ingested | None:
    """Read what is new since the last time, and what dealers changed in the overlap (`OVERLAP`; a busy server's is shorter,
    or every reading would be thirty seconds of deals that are known; the wider readings find what comes late).

    Returns None when nothing was read (another worker, a resting server, an error: see the cursor).
    """
    with reading(server, EXPORT if server.reads_export else "deals") as run:
        if run is None:
            return None
        if overlap is None:
            overlap = BUSY_OVERLAP if run.cursor.rows >= BUSY_ROWS else OVERLAP
        source, cursor, done = deal_source(server), run.cursor.position_msc or None, Ingested()
        for _page in range(PAGES_MAX):
            with parking(server):
                page = source.deals_since(cursor, mask=server.group_mask, overlap=overlap)
            brought = take_in(server, page.deals)
            done.add(brought)
            newest = [deal.executed_at for deal in page.deals if deal.ticket in brought.new]
            if newest:
                run.lag_ms = max(0, round((timezone.now() - max(newest)).total_seconds() * 1000))
            cursor, overlap = page.cursor, dt.timedelta(0)
            if not page.has_more:
                break
            SyncCursor.objects.filter(pk=run.cursor.pk).update(
                position_msc=cursor
            )  # an error later costs no page twice
        run.rows = len(done.new) + len(done.changed)
        run.position_msc, run.clock_offset_seconds = cursor, page.clock.offset_seconds
        if server.reads_export:
            _note_reading(run, page.clock)
        return done
    return None


def follow_deals(server: TradingServer) -> int:
    """Read a server's new deals and quotes, deals again half a second later where much is traded; a worker runs it every second.

    Returns how many new deals there were.
    """
    started = time.monotonic()
    done = sync_deals(server)
    count = len(done.new) if done else 0
    if done is not None:
        follow_quotes(server)
    pause = BUSY_PAUSE - (time.monotonic() - started)
    if count >= BUSY_ROWS / 2 and pause > 0:
        time.sleep(pause)
        again = sync_deals(server)
        count += len(again.new) if again else 0
    return count


def _note_reading(run: Run, clock: ServerTime) -> None:
    """Write how fresh a server's deals are to the one cursor that everybody reads, whatever the source."""
    values = {
        "read_at": timezone.now(),
        "position_msc": clock.server_msc,
        "clock_offset_seconds": clock.offset_seconds,
        "rows": run.rows,
        "failures": 0,
    }
    if run.lag_ms is not None:
        values["lag_ms"] = run.lag_ms
    SyncCursor.objects.update_or_create(server=run.server, kind="deals", defaults=values)


@transaction.atomic
def take_in(server: TradingServer, deals: list[DealData]) -> Ingested:
    """Take deals into the table with everything that follows from them, in one transaction."""
    if not deals:
        return Ingested()
    # Writers of one server wait for each other here, so that a ticket can't be inserted twice.
    SyncCursor.objects.get_or_create(server=server, kind="deals")
    lock_first(SyncCursor.objects.filter(server=server, kind="deals"))
    deals = usable_deals(server, deals)
    if not deals:
        return Ingested()
    done = ingest(server, deals)
    fresh = [deal for deal in deals if deal.ticket in done.new or deal.ticket in done.changed]
    if fresh:
        _report_the_unknown(server, fresh, done)
        _note_money(server, fresh, done)
        _note_trades(fresh, done)
    return done


def _report_the_unknown(server: TradingServer, deals: list[DealData], done: Ingested) -> None:
    """Store what we don't understand and ask a person about it once: nothing is dropped."""
    for action in {deal.action for deal in deals} - set(DealAction.values):
        theirs = [deal for deal in deals if deal.action == action]
        open_issue(
            server_id=server.pk,
            kind=IssueKind.UNKNOWN_ACTION,
            subject=str(action),
            details={"tickets": [deal.ticket for deal in theirs[:20]], "row": theirs[0].raw},
        )
    unknown = _unknown_logins(server, {deal.login for deal in deals} - done.owners.keys())
    if unknown:
        open_issue(
            server_id=server.pk,
            kind=IssueKind.UNKNOWN_ACCOUNT,
            subject=server.group_mask[:80],
            details={"logins": unknown[:50]},
        )
    trades = sorted(
        (deal for deal in deals if deal.action in TRADES and deal.symbol), key=lambda deal: deal.executed_at
    )
    first_at: dict[str, dt.datetime] = {}
    for deal in trades:
        first_at.setdefault(deal.symbol, deal.executed_at)
    symbols.ensure_known(server, {deal.symbol: deal.contract_size for deal in trades}, first_at)


def _unknown_logins(server: TradingServer, logins: set[str]) -> list[str]:
    """List the logins without an account that nobody decided about: a dealer's or test account may be ignored."""
    if not logins:
        return []
    ignored = StagedLogin.objects.filter(server=server, login__in=logins, state=StagedState.IGNORED)
    return sorted(logins - set(ignored.values_list("login", flat=True)))


def _note_money(server: TradingServer, deals: list[DealData], done: Ingested) -> None:
    """Match balance and credit deals with the operations that wait for their answer."""
    money = [
        MoneyDeal(deal.ticket, done.owners[deal.login].account_id, deal.profit, deal.comment)
        for deal in deals
        if deal.ticket in done.new
        and deal.login in done.owners
        and deal.comment
        and (deal.action == DealAction.BALANCE or deal.action in CREDIT_ACTIONS or deal.action == DealAction.CORRECTION)
    ]
    if money:
        note_deals(server.pk, money)


def _note_trades(deals: list[DealData], done: Ingested) -> None:
    """Note the last trade of accounts and the first of a client, and refresh the open pages.

    Of history (`LIVE_DAYS`) only the first trade is noted at once: last trades follow with its sums, and no page waits.
    A client's last trade always follows with the sums: movements of money lock the client's row, and it is in many
    indexes.
    """
    by_login: dict[str, dt.datetime] = {}
    for deal in deals:
        if deal.action in TRADES:
            at = by_login.get(deal.login)
            if at is None or at < deal.executed_at:
                by_login[deal.login] = deal.executed_at
    newest = [(done.owners[login], at) for login, at in by_login.items() if login in done.owners]
    if not newest:
        return
    real: dict[int, dt.datetime] = {}
    for owner, at in newest:
        if not owner.is_demo:
            real[owner.client_id] = max(at, real.get(owner.client_id, at))
    _wake_up(real)
    since = timezone.now() - dt.timedelta(days=LIVE_DAYS)
    raise_last_trades({owner.account_id: at for owner, at in newest if at >= since})
    refresh_pages(client_id for client_id, at in real.items() if at >= since)


def _wake_up(traded: dict[int, dt.datetime]) -> None:
    """Move funded and dormant clients who trade to active, once."""
    with connection.cursor() as cursor:
        cursor.execute(SLEEPING, [array(traded), [Stage.FUNDED, Stage.DORMANT]])
        sleeping = cursor.fetchall()
    for client_id, stage in sleeping:
        move_stage(client_id=client_id, to=Stage.ACTIVE, reason=phrase("Traded"))
        if stage == Stage.FUNDED:
            timeline.add_entry(
                client_id=client_id,
                kind=TimelineKind.TRADING,
                title=phrase("First trade"),
                at=traded[client_id],
                url=f"/clients/{client_id}/?tab=trading",
                dedupe_key="trading.first_trade",
                is_visible_to_client=True,
            )


__all__ = ["OVERLAP", "follow_deals", "sync_deals", "take_in"]
