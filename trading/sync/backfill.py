"""Reading a span of the past from a server: window by window, each kept with how far it came, so that a cut one goes on.

One worker at a time, held by a lock of its database session: a worker that is killed lets go of it at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Iterator
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock, lock_or_none
from crm.errors import DomainError, WrongState
from crm.files.jobs import start_job
from crm.models import Actor, Job, User
from crm.security import audit
from crm.security.policies import require_permission
from trading.audit_codes import TradingAction
from trading.choices import BackfillState
from trading.core.batching import batched
from trading.models import Backfill, TradingServer
from trading.models.steps import BACKFILL_LOCK
from trading.platforms.base import DealData, Platform, Purpose, ReadsPast
from trading.platforms.errors import PlatformError
from trading.platforms.pool import platform_for
from trading.sync.days import DAY_MSC, Windows, msc_of, read_window
from trading.sync.parked import parking

FILLS: Final = "trading.backfill_deals"
JOB: Final = "trading.backfill"
TAKE_IN_AT_ONCE: Final = 5000


@transaction.atomic
def start(
    *, server_id: int, first_day: dt.date, last_day: dt.date | None = None, actor: Actor, system: bool = False
) -> Backfill:
    """Order a span of days (the server's own) to be read. Who: `trading.backfill_deals`, or the command line (`system`).

    Raises: NotAllowed, DomainError for days that can't be, WrongState while another one of the server is unfinished.
    """
    if not system:
        require_permission(actor, FILLS)
    server = lock(TradingServer, server_id)
    today = timezone.now().astimezone(server.zone).date()
    last_day = min(last_day or today, today)
    if first_day > last_day:
        raise DomainError(_("The first day must not be in the future or after the last day."))
    if Backfill.objects.filter(server=server).exclude(state=BackfillState.DONE).exists():
        raise WrongState(_("Another download for this server isn't finished. Resume or cancel it first."))
    row = Backfill.objects.create(
        server=server, first_day=first_day, last_day=last_day, position_msc=msc_of(first_day), started_by=actor
    )
    audit.record(
        actor=actor,
        action=TradingAction.BACKFILL_STARTED,
        target=row,
        after={"server": str(server), "first_day": str(first_day), "last_day": str(last_day)},
    )
    if actor is not None:
        _give(row, actor)
    return row


@transaction.atomic
def resume(*, backfill_id: int, actor: User) -> Backfill:
    """Resume a span that was cut off. Who: `trading.backfill_deals`. Raises: WrongState when it runs or is done."""
    require_permission(actor, FILLS)
    row = _locked(backfill_id)
    if row.state == BackfillState.DONE or row.is_at_work:
        raise WrongState(_("This download is running or done."))
    audit.record(actor=actor, action=TradingAction.BACKFILL_RESUMED, target=row, after={"days_done": row.days_done})
    _give(row, actor)
    return row


@transaction.atomic
def drop(*, backfill_id: int, actor: Actor, system: bool = False) -> Backfill:
    """Give a cut span up: it ends where it is. Who: `trading.backfill_deals`, or the command line."""
    if not system:
        require_permission(actor, FILLS)
    row = _locked(backfill_id)
    if row.state == BackfillState.DONE or row.is_at_work:
        raise WrongState(_("This download is running or done."))
    row.move_to(BackfillState.DONE)
    row.finished_at = timezone.now()
    row.error = _("Cancelled after %(done)s of %(days)s days") % {"done": row.days_done, "days": row.days}
    row.save(update_fields=["state", "finished_at", "error"])
    audit.record(actor=actor, action=TradingAction.BACKFILL_DROPPED, target=row, after={"days_done": row.days_done})
    return row


def _locked(backfill_id: int) -> Backfill:
    row = lock_or_none(Backfill, backfill_id)
    if row is None:
        raise DomainError(_("This download doesn't exist."))
    return row


def _give(row: Backfill, actor: User) -> Job:
    job = start_job(
        JOB,
        owner=actor,
        parameters={"backfill_id": row.pk},
        title=str(_("Deals of %(server)s") % {"server": row.server}),
    )
    row.move_to(BackfillState.RUNNING)
    row.job, row.error = job, ""
    row.save(update_fields=["state", "job", "error"])
    return job


def work(backfill_id: int) -> Generator[Backfill, None, None]:
    """Read on from its position; yields after every window. Memory does not grow with the span.

    Raises: WrongState when another worker has it, PlatformError; what was read is kept, and the next one goes on there.
    """
    if not _claim(backfill_id):
        raise WrongState(_("Another worker is running this download."))
    try:
        row = Backfill.objects.select_related("server").get(pk=backfill_id)
        if row.state == BackfillState.DONE:
            return
        _mark(row, BackfillState.RUNNING, error="")
        yield from _windows(row)
        _mark(row, BackfillState.DONE, finished_at=timezone.now())
    except PlatformError as problem:
        _mark(row, BackfillState.STOPPED, error=str(problem)[:300])
        raise
    except (Exception, GeneratorExit):
        _mark(row, BackfillState.STOPPED)
        raise
    finally:
        _let_go(backfill_id)


def stretches(
    platform: Platform, server: TradingServer, span: tuple[int, int], *, position: int, length: int = DAY_MSC
) -> Iterator[tuple[list[DealData], int]]:
    """Yield the deals of a span of the server's clock from a position on, and the position once they are kept.

    In one pass where the platform has one, else window by window (`length` of the first).
    """
    first_msc, end_msc = span
    if isinstance(platform, ReadsPast):
        pieces = platform.past(mask=server.group_mask, from_msc=first_msc, to_msc=end_msc - 1, position_msc=position)
        while True:
            with parking(server):
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece.deals, piece.position_msc
    windows = Windows(position, end_msc, length)
    for first, last in windows:
        with parking(server):
            deals = read_window(platform, server, first, last)
        windows.held(len(deals))
        yield deals, last


def _windows(row: Backfill) -> Iterator[Backfill]:
    from trading.sync.deals import take_in

    server, platform = row.server, platform_for(row.server, Purpose.BACKFILL)
    span = (msc_of(row.first_day), msc_of(row.last_day) + DAY_MSC)
    for deals, last in stretches(platform, server, span, position=row.position_msc):
        new = changed = 0
        # Deals and place are written together: a cut leaves neither without the other.
        with transaction.atomic():
            for some in batched(deals, TAKE_IN_AT_ONCE):
                taken = take_in(server, list(some))
                new, changed = new + len(taken.new), changed + len(taken.changed)
            Backfill.objects.filter(pk=row.pk).update(
                position_msc=last, deals=F("deals") + len(deals), new=F("new") + new, changed=F("changed") + changed
            )
        row.position_msc = last
        row.deals, row.new, row.changed = row.deals + len(deals), row.new + new, row.changed + changed
        yield row


def _mark(row: Backfill, state: BackfillState, **values: Any) -> None:
    row.move_to(state)
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=["state", *values])


def _claim(backfill_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [BACKFILL_LOCK, backfill_id])
        is_ours: bool = cursor.fetchone()[0]
        return is_ours


def _let_go(backfill_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [BACKFILL_LOCK, backfill_id])
