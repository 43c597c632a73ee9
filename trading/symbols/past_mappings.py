"""Correct what a symbol was mapped to before: its past trades count by today's mapping, after a look at what that changes.

Whatever is written follows from there: commissions of the last days in the next night, those of older days by a replay, which lists
each difference and is approved by a second person. Who: `trading.change_symbolalias`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock_or_none
from crm.errors import DomainError, WrongState
from crm.models import User
from crm.security import audit
from crm.security.policies import require_permission
from trading.audit_codes import TradingAction
from trading.models import PastSymbolMapping, SymbolInfo
from trading.symbols.mapping import MAPS

# More are not counted for the preview.
TRADES_MAX: Final = 50_000
_LOTS: Final = "sum(round(d.closed_lots * coalesce(nullif(d.contract_size, 0) / {size}, 1), 8))"
CHANGED: Final = f"""
SELECT count(*), {_LOTS.format(size="d.was")}, {_LOTS.format(size="d.now")}, count(DISTINCT d.account_id), min(d.executed_at)
FROM (
  SELECT d.closed_lots, d.contract_size, d.account_id, d.executed_at, p.house_contract_size AS was, s.house_contract_size AS now
  FROM trading_pastsymbolmapping p JOIN trading_symbolinfo s ON s.id = p.info_id
  JOIN trading_deal d ON d.server_id = s.server_id AND d.symbol = s.name AND d.executed_at < p.ends_at
    AND d.executed_at >= coalesce(p.starts_at, '-infinity')
  WHERE p.info_id = %(info)s AND p.corrected_at IS NULL AND p.ends_at >= %(ends_at)s
    AND d.action IN (0, 1) AND d.entry IN (1, 2, 3) AND d.deleted_at IS NULL
  LIMIT {TRADES_MAX}
) d
"""  # noqa: S608


@dataclass(frozen=True)
class Preview:
    """What a correction changes: closed trades, their lots by the mapping of then and by today's, and of how many accounts."""

    past: PastSymbolMapping
    trades: int
    lots: Decimal
    lots_now: Decimal
    accounts: int
    first_at: dt.datetime | None

    @property
    def is_all(self) -> bool:
        return self.trades < TRADES_MAX


def earlier(info: SymbolInfo) -> QuerySet[PastSymbolMapping]:
    """List what a symbol was mapped to before, the newest first; corrected ones don't count any more."""
    return PastSymbolMapping.objects.filter(info=info).order_by("-ends_at", "-pk")


def preview(info: SymbolInfo, past_id: int) -> Preview | None:
    """Count the trades that would be counted by today's mapping; None for a mapping that doesn't count."""
    past = earlier(info).filter(pk=past_id, corrected_at=None).first()
    if past is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(CHANGED, {"info": info.pk, "ends_at": past.ends_at})
        trades, lots, lots_now, accounts, first_at = cursor.fetchone()
    return Preview(past, trades, lots or Decimal(0), lots_now or Decimal(0), accounts, first_at)


@transaction.atomic
def correct(*, info_id: int, past_id: int, actor: User, note: str) -> int:
    """Let the trades since the start of an earlier mapping count by today's; returns how many mappings count no more.

    Those after it go with it, so that what is left has no gap. Who: `trading.change_symbolalias`.
    Raises: NotAllowed, WrongState where it was corrected already, DomainError without a reason.
    """
    require_permission(actor, MAPS)
    info = lock_or_none(SymbolInfo, info_id, "server")
    past = earlier(info).filter(pk=past_id, corrected_at=None).first() if info else None
    if info is None or past is None:
        raise WrongState(_("This mapping was corrected already."))
    if not note.strip():
        raise DomainError(_("Enter a reason for the correction."))
    rows = earlier(info).filter(corrected_at=None, ends_at__gte=past.ends_at)
    count = rows.update(corrected_at=timezone.now())
    audit.record(
        actor=actor,
        action=TradingAction.SYMBOL_CORRECTED,
        target=info,
        reason=note.strip()[:200],
        before={
            "symbol": past.canonical,
            "group": past.symbol_group,
            "since": past.starts_at and past.starts_at.isoformat(),
        },
        after={"server": str(info.server), "name": info.name, "symbol": info.canonical, "group": info.symbol_group},
    )
    return count
