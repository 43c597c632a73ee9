"""Symbols of each server, kept in step with it, and which of ours they are.

A name that is the same with the same contract size maps itself. Everything else is a proposal by rule, or a question, for a
person on the symbols page; until then deals on it are stored and count in no group. Nothing holds a deal back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

import orjson
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from crm.db.locking import lock_all
from trading.choices import MAPPED, AliasRule, AliasState, ChangeKind, IssueKind
from trading.core.issues import open_issue
from trading.leverage import margins
from trading.models import HouseSymbol, SymbolAlias, SymbolInfo, TradingServer
from trading.platforms.base import Purpose, SymbolData
from trading.platforms.pool import capabilities_of, platform_for
from trading.sync.cursor import reading
from trading.sync.settings import keep_changes, mark_gone
from trading.sync.symbol_rules import Match, classify, match, plain_name

ISSUES_MAX: Final = 200  # of one reading; the symbols page has all
BATCH: Final = 500
# Fields whose changes are kept; what a tick and a lot are worth follows the price and is no setting.
KEPT: Final = (
    "description",
    "path",
    "digits",
    "contract_size",
    "tick_size",
    "currency_base",
    "currency_profit",
    "currency_margin",
    "volume_min_lots",
    "volume_step_lots",
    "volume_max_lots",
    "swap_long",
    "swap_short",
    "margin_rate",
    "margin_by_leverage",
    "margin_formula",
    "margin_fixed",
    "is_traded",
)
WAITS_SINCE: Final = """
UPDATE trading_symbolinfo s SET waiting_since = least(s.waiting_since, i.at)
FROM jsonb_to_recordset(%s::jsonb) AS i(name varchar, at timestamptz)
WHERE s.server_id = %s AND s.name = i.name AND s.symbol_group = '' AND (s.waiting_since IS NULL OR i.at < s.waiting_since)
"""


def ensure_known(
    server: TradingServer, sizes: Mapping[str, Decimal], first_at: Mapping[str, dt.datetime] | None = None
) -> None:
    """Give symbols met in deals a row; one that is not mapped opens a question and never holds a deal back.

    `first_at`: the oldest deal on each symbol in this batch, so that a later mapping knows where to begin.
    """
    known = dict(SymbolInfo.objects.filter(server=server, name__in=sizes).values_list("name", "symbol_group"))
    missing = [name for name in sizes if name not in known]
    if missing:
        now = timezone.now()
        SymbolInfo.objects.bulk_create(
            [
                SymbolInfo(server=server, name=name, read_at=now, contract_size=sizes[name] or Decimal(1))
                for name in missing
            ],
            ignore_conflicts=True,
        )
        infos = list(SymbolInfo.objects.filter(server=server, name__in=missing))
        resolve(infos)
        known.update({info.name: info.symbol_group for info in infos})
    waiting = [name for name, group in known.items() if not group]
    if not waiting:
        return
    if first_at:
        rows = [{"name": name, "at": first_at[name].isoformat()} for name in waiting if name in first_at]
        _remember_waiting(server, rows)
    for name in waiting[:ISSUES_MAX]:
        open_issue(server_id=server.pk, kind=IssueKind.UNMAPPED_SYMBOL, subject=name)


def _remember_waiting(server: TradingServer, rows: list[dict[str, str]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(WAITS_SINCE, [orjson.dumps(rows).decode(), server.pk])


def sync_symbols(server: TradingServer) -> int:
    """Read every symbol's contract data. Returns how many there are. A platform that lists none is not asked."""
    count = 0
    if not capabilities_of(server.kind).lists_symbols:
        return count
    with reading(server, "symbols") as run:
        if run is not None:
            count = run.rows = store(server, platform_for(server, Purpose.READS).symbols())
    return count


@transaction.atomic
def store(server: TradingServer, rows: Iterable[SymbolData]) -> int:
    """Write what the server lists: figures updated, what changed kept, new names resolved, vanished ones marked."""
    data = {row.name[:32]: row for row in rows}
    known = {info.name: info for info in lock_all(SymbolInfo.objects.filter(server=server))}
    now = timezone.now()
    infos = [_info(server, row, now) for row in data.values()]
    keep_changes(server, ChangeKind.SYMBOL, known, {info.name: info for info in infos}, KEPT, now)
    SymbolInfo.objects.bulk_create(
        infos,
        update_conflicts=True,
        unique_fields=["server", "name"],
        update_fields=[*KEPT, "tick_value", "lot_value", "lot_currency", "read_at", "gone_at"],
        batch_size=BATCH,
    )
    mark_gone(server, ChangeKind.SYMBOL, [info for name, info in known.items() if name not in data], now)
    resolve(list(SymbolInfo.objects.filter(server=server, symbol_group="", alias__isnull=True)))
    _ask_about_sizes(server)
    margins.refresh(server)
    return len(data)


def _info(server: TradingServer, row: SymbolData, now: dt.datetime) -> SymbolInfo:
    return SymbolInfo(
        server=server,
        name=row.name[:32],
        description=row.description[:120],
        path=row.path[:160],
        digits=row.digits,
        contract_size=row.contract_size or Decimal(1),
        tick_size=row.tick_size,
        tick_value=row.tick_value,
        currency_base=row.currency_base[:8],
        currency_profit=row.currency_profit[:8],
        currency_margin=row.currency_margin[:8],
        volume_min_lots=row.volume_min_lots,
        volume_step_lots=row.volume_step_lots,
        volume_max_lots=row.volume_max_lots,
        swap_long=row.swap_long,
        swap_short=row.swap_short,
        margin_rate=row.margin_rate,
        margin_by_leverage=row.margin_by_leverage,
        margin_formula=row.margin_formula,
        margin_fixed=row.margin_fixed,
        lot_value=row.lot_value,
        lot_currency=row.lot_currency[:8],
        is_traded=row.is_traded,
        read_at=now,
        first_seen_at=now,
        gone_at=None,
    )


@transaction.atomic
def resolve(infos: list[SymbolInfo]) -> None:
    """Map what maps itself and propose what a rule can; both are set on the rows given. Few statements, however many rows."""
    matches = {info.pk: guess for info in infos if (guess := match(info.name, info.path))}
    houses = _houses({guess.house: (guess, info) for info in infos if (guess := matches.get(info.pk))})
    now = timezone.now()
    aliases, mapped = [], []
    for info in infos:
        guess = matches.get(info.pk)
        if guess is None:
            continue
        house = houses[guess.house]
        by_itself = guess.rule == AliasRule.EXACT and info.contract_size == house.contract_size
        aliases.append(
            SymbolAlias(
                info=info,
                symbol=house,
                rule=guess.rule,
                stripped=guess.stripped[:32],
                contract_size=info.contract_size,
                digits=info.digits,
                tick_size=info.tick_size,
                since=info.first_seen_at if by_itself else now,
                state=AliasState.BY_RULE if by_itself else AliasState.PROPOSED,
            )
        )
        if by_itself:
            info.canonical, info.symbol_group = house.name, house.symbol_group
            info.house_contract_size = house.contract_size
            mapped.append(info)
    SymbolAlias.objects.bulk_create(aliases, ignore_conflicts=True, batch_size=BATCH)
    SymbolInfo.objects.bulk_update(mapped, ["canonical", "symbol_group", "house_contract_size"], batch_size=BATCH)


def _houses(guesses: dict[str, tuple[Match, SymbolInfo]]) -> dict[str, HouseSymbol]:
    """Find or make our symbols by name; new ones get the customary lot, or that of the first server that has one."""
    HouseSymbol.objects.bulk_create(
        [
            HouseSymbol(
                name=name[:32],
                symbol_group=guess.group,
                instrument_class=guess.instrument_class,
                contract_size=guess.lot or info.contract_size,
                digits=info.digits,
            )
            for name, (guess, info) in sorted(guesses.items())
        ],
        ignore_conflicts=True,
    )
    return {house.name: house for house in HouseSymbol.objects.filter(name__in=list(guesses))}


def _ask_about_sizes(server: TradingServer) -> None:
    """Ask a person about contract sizes that differ from those the mapping was decided on: they change what a lot is."""
    changed = SymbolAlias.objects.filter(info__server=server, state__in=MAPPED).exclude(
        contract_size=F("info__contract_size")
    )
    for alias in changed.select_related("info")[:ISSUES_MAX]:
        open_issue(
            server_id=server.pk,
            kind=IssueKind.CONTRACT_CHANGED,
            subject=alias.info.name,
            details={"decided": str(alias.contract_size), "now": str(alias.info.contract_size)},
        )


__all__ = ["classify", "ensure_known", "match", "plain_name", "resolve", "store", "sync_symbols"]
