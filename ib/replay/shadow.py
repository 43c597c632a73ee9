"""A replay's shadow: the deals that differ are calculated by the engine itself, and what it added is read and taken back.

So caps of whole days and months, components, ranks and clawbacks are those that applying would write, whatever deals lie
outside the replay. Nothing of it outlives the savepoint.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Final

from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from crm.errors import DomainError
from crm.i18n import formats
from crm.models import Actor
from ib import clawback, engine
from ib.calculation import monthly, sales
from ib.choices import AccrualKind, Reason, RunKind
from ib.models import Accrual, ClientForfeit, CommissionRun, Replay, ReversedPart
from ib.queries import of_deals
from ib.replay.causes import DROP, GATHER, LINES

LINES_MAX: Final = 100_000
LONG_AGO: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Line:
    """One line that differs; fields as `ReplayLine`."""

    deal_id: int
    ticket: int
    closed_at: dt.datetime
    client_id: int
    partner_id: int
    level: int
    component: str
    symbol: str
    currency: str
    before: Decimal
    after: Decimal
    difference: Decimal
    cause: str
    reason_before: str
    reason_after: str
    is_settled: bool


NAMES: Final = [field.name for field in fields(Line)]


def digest_of(lines: list[Line]) -> str:
    """Sum up which lines change from what to what, to tell whether anything has moved since."""
    text = "\n".join(
        f"{line.deal_id} {line.partner_id} {line.level} {line.component} {line.currency} {line.before} {line.after}"
        for line in lines
    )
    return hashlib.sha256(text.encode()).hexdigest()


def source_of(replay: Replay) -> str:
    """Name a replay in the accruals that it adds."""
    return f"replay:{replay.pk}"


class _Undo(Exception):
    pass


@contextmanager
def undone() -> Iterator[None]:
    """Take everything back that is written within."""
    try:
        with transaction.atomic():
            yield
            raise _Undo
    except _Undo:
        pass


def shadow_lines(replay: Replay) -> list[Line]:
    """List what applying a replay would change now, clients' months that end in it and challenges included; nothing stays written.

    Call with the brand's commissions locked. Raises: DomainError.
    """
    found: list[Line] = []
    monthly.number_months(replay.brand, *_months_of(replay))
    with undone():
        found += add_differences(replay, actor=None)[1]
    return found


def add_differences(replay: Replay, *, actor: Actor) -> tuple[CommissionRun, list[Line]]:
    """Add what the replay's deals should have earned and didn't, and what reversed deposits and forfeits take of it.

    Call with the brand's commissions locked. Raises: DomainError where there are too many lines.
    """
    mark = Accrual.objects.aggregate(last=Max("pk"))["last"] or 0
    run, _outcome = engine.run(
        brand=replay.brand,
        scope=engine.Scope(deal_ids=replay.deal_ids),
        kind=RunKind.REPLAY,
        corrects=True,
        actor=actor,
        reason=replay.reason,
        source=source_of(replay),
    )
    assert run is not None, "a run that corrects has a row"
    spans, clients = _months_of(replay)
    monthly.calculate(replay.brand, spans, client_ids=clients, run=run, source=source_of(replay))
    sold = sales.Sold(
        from_at=replay.from_at, to_at=replay.to_at, client_ids=_clients_of(replay, replay.from_at, replay.to_at)
    )
    sales.calculate(replay.brand, sold, run=run, source=source_of(replay))
    of_months = Accrual.objects.filter(pk__gt=mark, run=run, deal_id__lt=0).order_by().values_list("deal_id", flat=True)
    deal_ids = [*replay.deal_ids, *set(of_months)]
    for client in clients_with_clawbacks(deal_ids):
        is_forfeited = ClientForfeit.objects.filter(client=client, lifted_at=None).exists()
        clawback.balance(
            client_id=client.pk,
            brand=replay.brand,
            since=LONG_AGO,
            source=source_of(replay),
            kind=AccrualKind.CLAWBACK,
            reason=Reason.CLIENT_FORFEITED if is_forfeited else Reason.DEPOSIT_REVERSED,
            deal_ids=deal_ids,
        )
    runs = [run.pk, *CommissionRun.objects.filter(brand=replay.brand, pk__gt=run.pk).values_list("pk", flat=True)]
    with connection.cursor() as cursor:
        for statement in GATHER:
            cursor.execute(statement, {"mark": mark, "runs": runs})
        cursor.execute(LINES, {"brand": replay.brand_id, "most": LINES_MAX + 1})
        lines = [Line(**dict(zip(NAMES, row, strict=True))) for row in cursor.fetchall()]
        cursor.execute(DROP)
    if len(lines) > LINES_MAX:
        raise DomainError(
            _("More than %(most)s lines would change. Choose a shorter period.")
            % {"most": formats.number(Decimal(LINES_MAX))}
        )
    return run, lines


# Clients of a partner's network in a stretch: by today's network, and those of whose months they have lines.
CLIENTS_OF: Final = """
SELECT t.client_id FROM ib_upline u JOIN ib_attribution t ON t.partner_id = u.partner_id
WHERE u.ancestor_id = %(partner)s AND t.starts_at < %(to)s AND (t.ends_at IS NULL OR t.ends_at > %(from)s)
UNION
SELECT x.client_id FROM ib_accrual x
WHERE x.kind = 'original' AND x.partner_id = %(partner)s AND x.closed_at >= %(from)s AND x.closed_at < %(to)s AND x.deal_id < 0
"""


def _months_of(replay: Replay) -> tuple[list[monthly.Span], list[int] | None]:
    """List the months that end within a replay, and whose they are: None for all clients."""
    spans = monthly.ended_within(replay.brand, replay.from_at, min(replay.to_at, timezone.now()))
    if not spans:
        return spans, None if replay.client_id is None else [replay.client_id]
    # A month that ends in it may have begun long before.
    return spans, _clients_of(replay, spans[0].from_at, spans[-1].to_at)


def _clients_of(replay: Replay, from_at: dt.datetime, to_at: dt.datetime) -> list[int] | None:
    """List the clients whom a replay is about, referred in a stretch of time; None for all."""
    clients = None if replay.client_id is None else [replay.client_id]
    if replay.partner_id is None:
        return clients
    with connection.cursor() as cursor:
        cursor.execute(CLIENTS_OF, {"partner": replay.partner_id, "from": from_at, "to": to_at})
        of_partner = [pk for (pk,) in cursor.fetchall()]
    return of_partner if clients is None else [pk for pk in of_partner if pk in clients]


def clients_with_clawbacks(deal_ids: list[int]) -> list[Client]:
    """List the clients of some deals' rows whose trades give something back: a reversed deposit, or a forfeit."""
    clients = Accrual.objects.filter(of_deals(deal_ids)).order_by().values("client_id").distinct()
    parts = ReversedPart.objects.filter(client_id=OuterRef("pk"))
    forfeits = ClientForfeit.objects.filter(client_id=OuterRef("pk"), lifted_at=None)
    return list(Client.objects.filter(Exists(parts) | Exists(forfeits), pk__in=clients).order_by("pk"))
