"""Map servers' symbols to ours, by a person: confirm what rules proposed, choose, or reject a proposal.

Who: `trading.change_symbolalias`. What is mapped counts at once in exposure; deals that waited are published to the commission
engine by a job, so that they earn what they would have earned.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock_all, lock_first, lock_or_none
from crm.errors import DomainError, WrongState
from crm.events import DealsResolved, publish
from crm.files.jobs import start_job
from crm.models import Actor, Job, User
from crm.security import audit
from crm.security.policies import require_permission
from trading.audit_codes import TradingAction
from trading.choices import AliasRule, AliasState, IssueKind
from trading.models import HouseSymbol, PlatformIssue, Position, SymbolAlias, SymbolInfo
from trading.sync.page_updates import refresh_pages

MAPS: Final = "trading.change_symbolalias"
JOB: Final = "trading.resolve_symbols"
EVENT_DEALS_MAX: Final = 1000
APPLY: Final = """
UPDATE trading_symbolinfo s SET canonical = h.name, symbol_group = h.symbol_group, house_contract_size = h.contract_size
FROM trading_symbolalias a JOIN trading_housesymbol h ON h.id = a.symbol_id
WHERE a.info_id = s.id AND s.id = ANY(%s) AND a.state IN ('by_rule', 'confirmed')
"""
# Trades only, in the order of the table's key, from where the symbol began to wait.
WAITING: Final = """
SELECT d.executed_at, d.id, a.client_id FROM trading_deal d LEFT JOIN trading_tradingaccount a ON a.id = d.account_id
WHERE d.server_id = %(server)s AND d.symbol = ANY(%(names)s) AND d.action IN (0, 1) AND d.deleted_at IS NULL
  AND d.executed_at >= %(at)s AND (d.executed_at, d.id) > (%(at)s, %(id)s)
ORDER BY d.executed_at, d.id LIMIT %(limit)s
"""


@dataclass(frozen=True)
class Confirmed:
    """What a bulk confirmation did. `left`: no proposal, or another contract size, which is looked at one by one."""

    mapped: int
    left: int
    job: Job | None


@transaction.atomic
def confirm(*, info_ids: Iterable[int], actor: User) -> Confirmed:
    """Confirm the proposals of some symbols whose contract size equals ours. Who: `trading.change_symbolalias`."""
    require_permission(actor, MAPS)
    infos = lock_all(SymbolInfo, pks=info_ids)
    proposed = SymbolAlias.objects.filter(info__in=infos, state=AliasState.PROPOSED)
    aliases = lock_all(proposed, "symbol", "info__server")
    good = [alias for alias in aliases if alias.is_size_equal]
    now = timezone.now()
    for alias in good:
        alias.move_to(AliasState.CONFIRMED)
        alias.decided_by, alias.decided_at = actor, now
        alias.since = alias.info.waiting_since or alias.info.first_seen_at
    SymbolAlias.objects.bulk_update(good, ["state", "decided_by", "decided_at", "since"], batch_size=500)
    for alias in good:
        _audit(alias, actor, {"before": str(AliasState.PROPOSED.label)})
    return Confirmed(len(good), len(infos) - len(good), _apply(good, actor))


@transaction.atomic
def map_symbol(
    *,
    info_id: int,
    actor: User,
    name: str,
    symbol_group: str,
    instrument_class: str,
    contract_size: Decimal,
    note: str = "",
) -> tuple[SymbolAlias, Job | None]:
    """Map a server's symbol to one of ours by `name`, which is made when it is new, with the units in its lot.

    A symbol that was mapped before is mapped to the new one from now on. Who: `trading.change_symbolalias`.
    Raises: NotAllowed, DomainError where our symbol of that name has another group or lot.
    """
    require_permission(actor, MAPS)
    info = lock_or_none(SymbolInfo, info_id, "server")
    if info is None:
        raise DomainError(_("This symbol doesn't exist."))
    house, is_new = HouseSymbol.objects.get_or_create(
        name=name.strip().upper()[:32],
        defaults={
            "symbol_group": symbol_group,
            "instrument_class": instrument_class,
            "contract_size": contract_size,
            "digits": info.digits,
        },
    )
    if not is_new and (house.symbol_group != symbol_group or house.contract_size != contract_size):
        raise DomainError(
            _(
                "%(name)s is in the group “%(group)s” with %(size)s units per lot. Use the same values "
                "or choose another name."
            )
            % {
                "name": house.name,
                "group": house.get_symbol_group_display(),
                "size": f"{house.contract_size.normalize():f}",
            }
        )
    alias = lock_first(SymbolAlias.objects.filter(info=info), "symbol")
    before = {"before": f"{alias.symbol} ({alias.get_state_display()})"} if alias else {}
    alias = alias or SymbolAlias(info=info)
    # Deals until now keep the mapping that they were counted by (`PastSymbolMapping`); correcting it is an act of its own.
    since = timezone.now() if info.symbol_group else info.waiting_since or info.first_seen_at
    alias.move_to(AliasState.CONFIRMED)
    alias.symbol, alias.rule, alias.stripped = house, AliasRule.BY_HAND, ""
    alias.contract_size, alias.digits, alias.tick_size = info.contract_size, info.digits, info.tick_size
    alias.since = since
    alias.decided_by, alias.decided_at, alias.note = actor, timezone.now(), note.strip()[:200]
    alias.save()
    _audit(alias, actor, before, reason=alias.note)
    return alias, _apply([alias], actor)


@transaction.atomic
def leave_out(*, info_id: int, actor: Actor, note: str) -> SymbolAlias:
    """Reject a proposal: the symbol stays unmapped until a person maps it. Raises: WrongState, DomainError."""
    require_permission(actor, MAPS)
    alias = lock_first(SymbolAlias.objects.filter(info_id=info_id), "info__server", "symbol")
    if alias is None or alias.state != AliasState.PROPOSED:
        raise WrongState(_("There is no proposal for this symbol."))
    if not note.strip():
        raise DomainError(_("Enter a reason for rejecting the proposal."))
    alias.move_to(AliasState.REFUSED)
    alias.decided_by, alias.decided_at = actor, timezone.now()
    alias.note = note.strip()[:200]
    alias.save(update_fields=["state", "decided_by", "decided_at", "note"])
    _audit(alias, actor, {"before": str(AliasState.PROPOSED.label)}, reason=alias.note)
    return alias


def _audit(alias: SymbolAlias, actor: Actor, before: dict[str, str], *, reason: str = "") -> None:
    audit.record(
        actor=actor,
        action=TradingAction.SYMBOL_MAPPED if alias.is_mapped else TradingAction.SYMBOL_LEFT_OUT,
        target=alias,
        before=before,
        reason=reason,
        after={
            "server": str(alias.info.server),
            "name": alias.info.name,
            "symbol": alias.symbol.name,
            "rule": alias.rule,
            "group": alias.symbol.symbol_group,
            "contract_size": str(alias.contract_size),
            "state": alias.state,
        },
    )


def _apply(aliases: Sequence[SymbolAlias], actor: User) -> Job | None:
    """Count mapped symbols in reports at once, close the questions about them, and start the job for deals that waited."""
    if not aliases:
        return None
    waited = [alias.info_id for alias in aliases if not alias.info.symbol_group]
    with connection.cursor() as cursor:
        cursor.execute(APPLY, [[alias.info_id for alias in aliases]])
    now = timezone.now()
    for server_id in {alias.info.server_id for alias in aliases}:
        names = [alias.info.name for alias in aliases if alias.info.server_id == server_id]
        PlatformIssue.objects.filter(
            server_id=server_id,
            subject__in=names,
            closed_at__isnull=True,
            kind__in=[IssueKind.UNMAPPED_SYMBOL, IssueKind.CONTRACT_CHANGED],
        ).update(closed_at=now, closed_by=actor, resolution=_("Mapped"))
        refresh_pages(
            Position.objects.filter(server_id=server_id, symbol__in=names).values_list("account__client_id", flat=True)[
                :2000
            ]
        )
    return start_job(JOB, owner=actor, parameters={"info_ids": waited}) if waited else None


def resolve_deals(info_ids: Sequence[int]) -> Iterator[int]:
    """Tell everyone who counts deals by symbol about those on symbols that were mapped; yields how many so far.

    May run twice: whoever listens finds nothing new the second time. One pass per server, a thousand deals at a time.
    """
    infos = list(SymbolInfo.objects.filter(pk__in=list(info_ids)).exclude(symbol_group="").order_by("server_id", "pk"))
    count = 0
    for server_id in dict.fromkeys(info.server_id for info in infos):
        theirs = [info for info in infos if info.server_id == server_id]
        at = min(info.waiting_since or dt.datetime(1970, 1, 1, tzinfo=dt.UTC) for info in theirs)
        place: dict[str, Any] = {"at": at, "id": 0}
        while rows := _page(server_id, [info.name for info in theirs], place):
            clients = sorted({client for _at, _id, client in rows if client is not None})
            with transaction.atomic():
                publish(
                    DealsResolved(
                        server_id=server_id, deal_ids=tuple(row[1] for row in rows), client_ids=tuple(clients)
                    )
                )
            place = {"at": rows[-1][0], "id": rows[-1][1]}
            count += len(rows)
            yield count
    SymbolInfo.objects.filter(pk__in=[info.pk for info in infos]).update(waiting_since=None)


def _page(server_id: int, names: list[str], place: dict[str, Any]) -> list[tuple[dt.datetime, int, int | None]]:
    with connection.cursor() as cursor:
        cursor.execute(WAITING, {"server": server_id, "names": names, "limit": EVENT_DEALS_MAX, **place})
        rows: list[tuple[dt.datetime, int, int | None]] = cursor.fetchall()
        return rows
