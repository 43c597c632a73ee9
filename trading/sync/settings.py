"""What a server's groups and symbols are set to: read, compared with what we knew, and every change kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from crm.db.locking import lock_all
from trading.choices import ChangeKind
from trading.leverage import margins
from trading.models import PlatformChange, PlatformGroup, SymbolInfo, TradingServer
from trading.platforms.base import GroupData, Purpose
from trading.platforms.pool import capabilities_of, platform_for
from trading.sync.cursor import reading

GROUP_FIELDS: Final = (
    "company",
    "currency",
    "currency_digits",
    "is_hedging",
    "margin_call",
    "stop_out",
    "leverage",
    "margin_rules",
    "margin_profile",
    "uses_discounts",
)
BATCH: Final = 500
LISTED: Final = "listed"  # in before and after: it vanished, or came back


def sync_groups(server: TradingServer) -> int:
    """Read every group of a server. Returns how many there are. A platform that lists none is not asked."""
    count = 0
    if not capabilities_of(server.kind).lists_groups:
        return count
    with reading(server, "groups") as run:
        if run is not None:
            count = run.rows = store_groups(server, platform_for(server, Purpose.READS).groups())
    return count


@transaction.atomic
def store_groups(server: TradingServer, rows: Iterable[GroupData]) -> int:
    """Write what the server lists; changes are kept, groups that vanished are marked, never deleted."""
    now = timezone.now()
    known = {group.name: group for group in lock_all(PlatformGroup.objects.filter(server=server))}
    groups_by_name = {
        row.name[:120]: PlatformGroup(
            server=server,
            name=row.name[:120],
            company=row.company[:120],
            currency=row.currency[:8],
            currency_digits=row.currency_digits,
            is_hedging=row.is_hedging,
            margin_call=row.margin_call,
            stop_out=row.stop_out,
            leverage=row.leverage,
            margin_rules=margins.as_json(row.margin_rules),
            margin_profile=row.margin_profile[:64],
            uses_discounts=row.uses_discounts,
            read_at=now,
            first_seen_at=now,
            gone_at=None,
        )
        for row in rows
    }
    keep_changes(server, ChangeKind.GROUP, known, groups_by_name, GROUP_FIELDS, now)
    PlatformGroup.objects.bulk_create(
        groups_by_name.values(),
        update_conflicts=True,
        unique_fields=["server", "name"],
        update_fields=[*GROUP_FIELDS, "read_at", "gone_at"],
        batch_size=BATCH,
    )
    mark_gone(server, ChangeKind.GROUP, [group for name, group in known.items() if name not in groups_by_name], now)
    margins.refresh(server)
    return len(groups_by_name)


def keep_changes(
    server: TradingServer,
    kind: ChangeKind,
    known: Mapping[str, Any],
    now_there: Mapping[str, Any],
    fields: Sequence[str],
    at: dt.datetime,
) -> None:
    """Record one row for each thing that is set otherwise than before, or is listed again."""
    rows = []
    for name, new in now_there.items():
        old = known.get(name)
        if old is None or not _was_listed(kind, old):
            continue
        before = {
            field: _plain(getattr(old, field))
            for field in fields
            if getattr(old, field) != getattr(new, field)
            and getattr(old, field) is not None  # reported for the first time
        }
        after = {field: _plain(getattr(new, field)) for field in before}
        if old.gone_at is not None:
            before[LISTED], after[LISTED] = False, True
        if before:
            rows.append(PlatformChange(server=server, kind=kind, name=name, before=before, after=after, at=at))
    PlatformChange.objects.bulk_create(rows, batch_size=BATCH)


def mark_gone(server: TradingServer, kind: ChangeKind, vanished: Sequence[Any], at: dt.datetime) -> None:
    """Mark what a server no longer lists, with the time and a change. Names known from deals only were never listed."""
    fresh = [row for row in vanished if row.gone_at is None and _was_listed(kind, row)]
    model: Any = PlatformGroup if kind == ChangeKind.GROUP else SymbolInfo
    model.objects.filter(pk__in=[row.pk for row in fresh]).update(gone_at=at)
    rows = [
        PlatformChange(server=server, kind=kind, name=row.name, before={LISTED: True}, after={LISTED: False}, at=at)
        for row in fresh
    ]
    PlatformChange.objects.bulk_create(rows, batch_size=BATCH)


def _was_listed(kind: ChangeKind, row: Any) -> bool:
    """Tell whether the server itself listed it: symbols that are known from deals alone have no tick size."""
    return kind == ChangeKind.GROUP or bool(row.tick_size)


def _plain(value: Any) -> Any:
    """Convert a value to what JSON keeps, without the zeros at the end of a number."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value else "0"
    return value
