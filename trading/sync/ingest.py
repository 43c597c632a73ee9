"""Deals into the table: new ones inserted, changed ones updated with what they were before, known ones left alone."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, Final

import orjson
from django.db import connection, transaction
from django.utils import timezone

from clients.facts import rebuild_client
from crm.db.partitions import ensure_months
from crm.events import DealsSynced, publish, publish_many
from trading.core.batching import array, batched
from trading.models import DealEdit, TradingServer
from trading.platforms.base import DealData

BATCH: Final = 5000
EVENT_DEALS_MAX: Final = 1000
DELETED: Final = "deleted"  # in the before and after of an edit
NEAR: Final = dt.timedelta(days=3)  # a known deal is looked for around its time first, then where its ticket may be

COLUMNS: Final = (
    "executed_at timestamptz, ticket bigint, account_id bigint, login varchar, server_msc bigint, action smallint,"
    " entry smallint, reason smallint, symbol varchar, lots numeric, closed_lots numeric, contract_size numeric,"
    " price numeric, price_position numeric, profit numeric, commission numeric, swap numeric, fee numeric,"
    " position_id bigint, order_id bigint, comment varchar, raw jsonb"
)
NAMES: Final = [column.split()[0] for column in COLUMNS.split(", ")]
"""Columns of `trading_deal` that come from the platform."""

COPY: Final = f"COPY trading_deal (id, server_id, {', '.join(NAMES)}) FROM STDIN"
IDS: Final = "SELECT string_agg(nextval('trading_deal_id_seq')::text, ' ') FROM generate_series(1, %s)"
UPDATE: Final = (
    f"UPDATE trading_deal d SET {', '.join(f'{name} = i.{name}' for name in NAMES)}, "  # noqa: S608
    "revision = d.revision + 1, synced_at = clock_timestamp(), deleted_at = NULL "
    f"FROM jsonb_to_recordset(%s::jsonb) AS i({COLUMNS}) WHERE d.server_id = %s AND d.ticket = i.ticket "
    "RETURNING d.id, d.ticket"
)
KNOWN: Final = (
    "SELECT ticket, raw, deleted_at FROM trading_deal WHERE server_id = %s AND ticket = ANY(%s::bigint[]) "
    "AND executed_at >= %s AND executed_at < %s"
)
# The lowest and the highest ticket of a server in each month: two steps down an index per month.
RANGES: Final = """
WITH spans AS (
  SELECT m AS start, m + interval '1 month' AS until FROM generate_series(
    (SELECT date_trunc('month', min(executed_at)) FROM trading_deal), (SELECT max(executed_at) FROM trading_deal),
    interval '1 month') m
)
SELECT s.start, s.until, lowest.ticket, highest.ticket FROM spans s,
  LATERAL (SELECT ticket FROM trading_deal d WHERE d.server_id = %(server)s AND d.executed_at >= s.start
    AND d.executed_at < s.until ORDER BY ticket LIMIT 1) lowest,
  LATERAL (SELECT ticket FROM trading_deal d WHERE d.server_id = %(server)s AND d.executed_at >= s.start
    AND d.executed_at < s.until ORDER BY ticket DESC LIMIT 1) highest
"""
OWNERS: Final = (
    "SELECT login, id, client_id, is_demo FROM trading_tradingaccount WHERE server_id = %s AND login = ANY(%s)"
)
SPECIAL: Final = re.compile(r"[\\\t\n\r]")  # what COPY's text form has to escape
ESCAPES: Final = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_months_made: set[tuple[str, int, int]] = set()


@dataclass(frozen=True)
class Owner:
    """Whose account a login is."""

    account_id: int
    client_id: int
    is_demo: bool


@dataclass
class Ingested:
    """What a batch did. `new` and `changed` map tickets to row ids."""

    new: dict[int, int] = field(default_factory=dict)
    changed: dict[int, int] = field(default_factory=dict)
    owners: dict[str, Owner] = field(default_factory=dict)

    def add(self, other: Ingested) -> None:
        for name in ("new", "changed", "owners"):
            getattr(self, name).update(getattr(other, name))


MARK_DELETED = """
UPDATE trading_deal SET deleted_at = clock_timestamp(), revision = revision + 1, synced_at = clock_timestamp()
WHERE server_id = %s AND ticket = ANY(%s) AND executed_at BETWEEN %s AND %s AND deleted_at IS NULL
RETURNING id, ticket, account_id, (SELECT a.client_id FROM trading_tradingaccount a WHERE a.id = account_id)
"""
LAST_TRADES: Final = """
WITH locked AS (SELECT id FROM trading_tradingaccount WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE)
UPDATE trading_tradingaccount a SET last_trade_at = (
  SELECT date_trunc('minute', max(d.executed_at)) FROM trading_deal d
  WHERE d.account_id = a.id AND d.action IN (0, 1) AND d.deleted_at IS NULL)
FROM locked WHERE a.id = locked.id
"""


@transaction.atomic
def mark_deleted(server: TradingServer, tickets: Sequence[int], *, since: dt.datetime, until: dt.datetime) -> list[int]:
    """Mark deals that the platform no longer has: kept, counted nowhere, and published. Returns the tickets marked."""
    with connection.cursor() as cursor:
        cursor.execute(MARK_DELETED, [server.pk, list(tickets), since, until])
        rows = sorted(cursor.fetchall())
        accounts, clients = ({row[place] for row in rows} - {None} for place in (2, 3))
        cursor.execute(LAST_TRADES, [sorted(accounts)])
    for client_id in sorted(clients):
        rebuild_client(client_id, "last_trade_at")
    now = timezone.now()
    DealEdit.objects.bulk_create(
        [
            DealEdit(server=server, ticket=ticket, at=now, before={DELETED: False}, after={DELETED: True})
            for _pk, ticket, *_whose in rows
        ],
        batch_size=BATCH,
    )
    for some in batched(rows, EVENT_DEALS_MAX):
        theirs = sorted({row[3] for row in some} - {None})
        publish(DealsSynced(server_id=server.pk, deal_ids=tuple(row[0] for row in some), client_ids=tuple(theirs)))
    return [ticket for _pk, ticket, *_whose in rows]


@transaction.atomic
def ingest(server: TradingServer, deals: Sequence[DealData]) -> Ingested:
    """Write deals set-based, keyed by (server, ticket), and publish what is new or changed, in the same transaction.

    Two workers at the same server wait for each other on the server's cursor row (see `sync.deals`).
    """
    done = Ingested(owners=_owners(server, {deal.login for deal in deals}))
    for part in batched({deal.ticket: deal for deal in deals}.values(), BATCH):
        _write(server, part, done)
    logins = {deal.ticket: deal.login for deal in deals}
    written = [*done.new.items(), *done.changed.items()]
    publish_many(_synced_event(server, some, logins, done.owners) for some in batched(written, EVENT_DEALS_MAX))
    return done


def _synced_event(
    server: TradingServer, written: Sequence[tuple[int, int]], logins: dict[int, str], owners: dict[str, Owner]
) -> DealsSynced:
    """Build the event about some deals, by ticket and row id, with the clients who own them."""
    clients = {owners[login].client_id for ticket, _pk in written if (login := logins[ticket]) in owners}
    return DealsSynced(
        server_id=server.pk, deal_ids=tuple(pk for _ticket, pk in written), client_ids=tuple(sorted(clients))
    )


def _write(server: TradingServer, deals: Sequence[DealData], done: Ingested) -> None:
    known, deleted = _known(server, deals)
    new = [deal for deal in deals if deal.ticket not in known]
    changed = [
        deal
        for deal in deals
        if deal.ticket in known and (deal.ticket in deleted or is_changed(known[deal.ticket], deal.raw))
    ]
    if new:
        _ensure_months(deal.executed_at for deal in new)
        done.new.update(_insert(server, new, done))
    if changed:
        _ensure_months(deal.executed_at for deal in changed)
        now = timezone.now()
        DealEdit.objects.bulk_create(
            [
                DealEdit(
                    server=server,
                    ticket=deal.ticket,
                    at=now,
                    **_difference(known[deal.ticket], deal.raw, is_back=deal.ticket in deleted),
                )
                for deal in changed
            ]
        )
        with connection.cursor() as cursor:
            cursor.execute(UPDATE, [_rows(changed, done), server.pk])
            done.changed.update({ticket: pk for pk, ticket in cursor.fetchall()})


def _insert(server: TradingServer, deals: Sequence[DealData], done: Ingested) -> dict[int, int]:
    """Insert new deals by one COPY; their row ids by ticket."""
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.execute(IDS, [len(deals)])
        ids = [int(pk) for pk in cursor.fetchone()[0].split()]
        with cursor.copy(COPY) as copy:
            for pairs in batched(zip(ids, deals, strict=True), 500):
                copy.write("".join(_line(pk, server.pk, deal, done.owners.get(deal.login)) for pk, deal in pairs))
    return {deal.ticket: pk for pk, deal in zip(ids, deals, strict=True)}


def _line(pk: int, server_id: int, deal: DealData, owner: Owner | None) -> str:
    """Write a deal as a line of COPY. Decimals travel as text, so that no digit is lost."""
    account = owner.account_id if owner else "\\N"
    raw = orjson.dumps(deal.raw, default=str).decode().replace("\\", "\\\\")  # JSON has no bare tabs and line ends
    return (
        f"{pk}\t{server_id}\t{deal.executed_at.isoformat()}\t{deal.ticket}\t{account}\t{_safe(deal.login)}\t"
        f"{deal.server_msc}\t{deal.action}\t{deal.entry}\t{deal.reason}\t{_safe(deal.symbol)}\t{deal.lots}\t"
        f"{deal.closed_lots}\t{deal.contract_size}\t{deal.price}\t{deal.price_position}\t{deal.profit}\t"
        f"{deal.commission}\t{deal.swap}\t{deal.fee}\t{deal.position_id}\t{deal.order_id}\t{_safe(deal.comment)}\t{raw}\n"
    )


def _safe(text: str) -> str:
    return SPECIAL.sub(lambda found: ESCAPES[found[0]], text) if SPECIAL.search(text) else text


def _known(server: TradingServer, deals: Sequence[DealData]) -> tuple[dict[int, dict[str, Any]], set[int]]:
    """Read what the table has of these tickets: first near their time (one or two partitions), then in months whose
    tickets overlap.

    Tickets rise with time, so that a new deal needs no further month. The second value names those that the platform
    had deleted when it was last compared: they are back.
    """
    deleted: set[int] = set()
    tickets = [deal.ticket for deal in deals]
    first, last = min(deal.executed_at for deal in deals) - NEAR, max(deal.executed_at for deal in deals) + NEAR
    with connection.cursor() as cursor:
        cursor.execute(KNOWN, [server.pk, array(tickets), first, last])
        known = _raw_rows(cursor.fetchall(), deleted)
        missing = [ticket for ticket in tickets if ticket not in known]
        if not missing:
            return known, deleted
        cursor.execute(RANGES, {"server": server.pk})
        for start, until, lowest, highest in cursor.fetchall():
            in_range = [ticket for ticket in missing if lowest <= ticket <= highest]
            # The near days of a month were looked at: only what is before and after them is left.
            for since, end in ((start, min(until, first)), (max(start, last), until)):
                if in_range and since < end:
                    cursor.execute(KNOWN, [server.pk, array(in_range), since, end])
                    known.update(_raw_rows(cursor.fetchall(), deleted))
    return known, deleted


def _raw_rows(rows: Iterable[tuple[int, Any, dt.datetime | None]], deleted: set[int]) -> dict[int, dict[str, Any]]:
    rows_by_ticket = {}
    for ticket, raw, deleted_at in rows:
        rows_by_ticket[ticket] = orjson.loads(raw) if isinstance(raw, str | bytes) else raw
        if deleted_at is not None:
            deleted.add(ticket)
    return rows_by_ticket


def _rows(deals: Sequence[DealData], done: Ingested) -> str:
    """Write changed deals as JSON text."""
    rows = []
    for deal in deals:
        owner = done.owners.get(deal.login)
        row = {name: getattr(deal, name) for name in NAMES if name != "account_id"}
        row["account_id"] = owner.account_id if owner else None
        rows.append(row)
    return orjson.dumps(rows, default=str).decode()


def is_changed(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Tell whether two reports of a deal differ in what both contain.

    Fields that only one source has, and zeros at the end of a number, are no change: the platform and its export write
    the same deal differently.
    """
    if before == after:
        return False
    return any(not _is_same(before[key], after[key]) for key in before.keys() & after.keys())


def _is_same(left: Any, right: Any) -> bool:
    if left == right:
        return True
    try:
        return Decimal(str(left)) == Decimal(str(right))
    except InvalidOperation:
        return str(left) == str(right)


def _difference(before: dict[str, Any], after: dict[str, Any], *, is_back: bool = False) -> dict[str, dict[str, Any]]:
    if is_back:
        before, after = {**before, DELETED: True}, {**after, DELETED: False}
    keys = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    return {"before": {k: before.get(k) for k in sorted(keys)}, "after": {k: after.get(k) for k in sorted(keys)}}


def _owners(server: TradingServer, logins: set[str]) -> dict[str, Owner]:
    with connection.cursor() as cursor:
        cursor.execute(OWNERS, [server.pk, list(logins)])
        return {login: Owner(*whose) for login, *whose in cursor.fetchall()}


def _ensure_months(instants: Iterable[dt.datetime]) -> None:
    """Make a partition for each month in a batch before its first row: a default partition can't be split later."""
    for month in {(at.year, at.month) for at in instants}:
        key = (connection.settings_dict["NAME"], *month)
        if key not in _months_made:
            day = dt.date(*month, 1)
            ensure_months("trading_deal", day, day)
            transaction.on_commit(partial(_months_made.add, key))
