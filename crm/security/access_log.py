"""Who looked at what. One row, one INSERT; it answers "who saw this client" and feeds monitoring."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.utils import timezone

from crm.choices import AccessKind
from crm.db.bulk import copy_rows
from crm.geo import country_of
from crm.security.request_context import afterwards, current
from crm.security.staff_limits import CONCERNS, GATED, LimitExceeded, require_within_limits

if TYPE_CHECKING:
    from crm.models import Actor, User

COLUMNS = "at user_id kind client_id brand_id target rows in_book reason ip session request_id device country".split()
INSERT = f"""
INSERT INTO crm_accessevent ({", ".join(COLUMNS)})
SELECT %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s
"""
PAGE_STAYS_OPEN = dt.timedelta(hours=12)
SEEN = "SELECT EXISTS (SELECT 1 FROM crm_accessevent WHERE client_id = %s AND user_id = %s AND kind = %s AND at > %s)"


def note(  # noqa: PLR0913  one keyword per column of one row, most with a default
    *,
    user: Actor,
    kind: AccessKind,
    client_id: int | None = None,
    brand_id: int | None = None,
    target: str = "",
    rows: int = 1,
    in_book: bool | None = None,
    reason: str = "",
) -> None:
    """Record one view. `user` None: a stranger (a failed sign-in). `rows`: how many were shown or exported.

    Raises: NotAllowed for an export or reveal that a limit on this member of staff excludes (`crm.security.staff_limits`);
    the attempt leaves a row of kind REFUSED, whose target names what was refused and whose reason names the limit.

    The device is the browser and system of the request; the country that of the address, looked up at sign-ins only.
    """
    context = current()
    values = [
        getattr(user, "pk", None),
        str(kind),
        client_id,
        brand_id,
        target[:80],
        rows,
        in_book,
        reason[:200],
        context.ip,
        context.session,
        context.request_id,
        context.device[:40],
        country_of(context.ip) if kind == AccessKind.LOGIN else "",
    ]
    if kind in GATED and user is not None and user.is_team:
        if _write_unless_concerned(user, values):
            return
        _require_within_limits(user, kind, values)
    _write(values)


@dataclass(frozen=True, slots=True)
class View:
    """One of many views that are recorded together."""

    client_id: int | None
    brand_id: int | None
    target: str
    in_book: bool | None = None


def note_many(*, user: Actor, kind: AccessKind, views: Sequence[View]) -> None:
    """Record many views of one act, such as an e-mail to many, with one statement. Not for what limits are held against."""
    assert kind not in GATED
    context, now, user_id = current(), timezone.now(), getattr(user, "pk", None)
    same = [context.ip, context.session, context.request_id, context.device[:40], ""]
    copy_rows(
        "crm_accessevent",
        COLUMNS,
        (
            [now, user_id, str(kind), view.client_id, view.brand_id, view.target[:80], 1, view.in_book, "", *same]
            for view in views
        ),
    )


def _write(values: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [timezone.now(), *values])


def _write_unless_concerned(user: User, values: list[Any]) -> bool:
    """Write the row unless a limit may concern the person: one round trip for nearly everyone. Returns whether it was written."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(f"{INSERT} WHERE NOT ({CONCERNS})", [now, *values, user.pk, user.pk, now])
        return bool(cursor.rowcount)


def _require_within_limits(user: User, kind: AccessKind, values: list[Any]) -> None:
    """Pass the gate of limits; what it refuses leaves a row of its own, after the request's transaction was rolled back."""
    try:
        require_within_limits(user, kind)
    except LimitExceeded as refusal:
        refused = list(values)
        refused[1], refused[4] = str(AccessKind.REFUSED), f"{kind}:{values[4]}"[:80]
        refused[7] = f"{refusal.limit}: {values[7]}"[:200] if values[7] else str(refusal.limit)
        afterwards(partial(_write, refused))
        raise


def was_seen(*, user: User, client_id: int) -> bool:
    """Check whether this user opened this client's page in the last hours: what an open page loads is no new view."""
    with connection.cursor() as cursor:
        cursor.execute(SEEN, [client_id, user.pk, str(AccessKind.VIEW), timezone.now() - PAGE_STAYS_OPEN])
        return bool(cursor.fetchone()[0])


def session_mark(session_key: str | None) -> str:
    """Shorten a session key to a mark that groups the session's rows without storing the key."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:16] if session_key else ""
