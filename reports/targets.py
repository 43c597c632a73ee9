"""Targets of a month: what a desk and each of its agents are to reach."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError, NotAllowed
from crm.models import Actor, Book, Desk, User
from crm.security import audit, policies
from reports.audit_codes import ReportsAction
from reports.choices import WHOLE_NUMBERS, TargetFigure
from reports.models import Target
from reports.queries import reach_of_reports

VALUE_MAX = Decimal(1_000_000_000)
AGENTS_MAX = 200
# (agent or None for the desk, figure)
Cell = tuple[int | None, str]


def desks_with_targets(user: User) -> QuerySet[Desk]:
    """Select the desks whose targets somebody sees: those granted as such, and all of whole brands."""
    reach = reach_of_reports(user)
    desks = Desk.objects.filter(pk__in=reach.desks) | Desk.objects.filter(brand_id__in=reach.brands)
    return desks.select_related("brand").order_by("brand__name", "name")


def agents_of(desk: Desk) -> list[User]:
    """List the agents with a book on a desk, by name."""
    books = Book.objects.filter(desk=desk, owner__isnull=False, owner__is_active=True).values("owner_id")
    return list(User.objects.filter(pk__in=books).order_by("first_name", "last_name", "pk")[:AGENTS_MAX])


def targets_of_desk(desk: Desk, month: dt.date) -> dict[Cell, Decimal]:
    """Read the targets of a desk and its agents for a month."""
    rows = Target.objects.filter(desk=desk, month=month.replace(day=1))
    return {(row.agent_id, row.figure): row.value for row in rows}


@transaction.atomic
def set_targets(*, desk_id: int, month: dt.date, values: Mapping[Cell, Decimal | None], actor: Actor) -> int:
    """Set the targets of a desk and its agents for a month; an empty value removes one. Returns how many changed.

    Who: `reports.set_target` on the desk. Raises: NotAllowed, NotFound, DomainError.
    """
    desk = _lock_desk(desk_id, actor)
    return _write(desk, month.replace(day=1), values, actor)


@transaction.atomic
def copy_last_month(*, desk_id: int, month: dt.date, actor: Actor) -> int:
    """Set the targets of the month before where this month has none. Returns how many were copied.

    Who: `reports.set_target` on the desk. Raises: NotAllowed, NotFound, DomainError.
    """
    desk = _lock_desk(desk_id, actor)
    month = month.replace(day=1)
    there = targets_of_desk(desk, month)
    known = {None, *(agent.pk for agent in agents_of(desk))}
    last = targets_of_desk(desk, month - dt.timedelta(days=1))
    missing = {cell: value for cell, value in last.items() if cell not in there and cell[0] in known}
    if not missing:
        raise DomainError(_("There's nothing to copy from the month before."))
    return _write(desk, month, missing, actor)


def _lock_desk(desk_id: int, actor: Actor) -> Desk:
    """Lock the desk whose targets somebody sets; they must hold the right and reach the desk or its whole brand."""
    desk = lock(Desk, desk_id, no_key=True)
    policies.require_permission(actor, "reports.set_target")
    if actor is not None:
        reach = reach_of_reports(actor)
        if desk.pk not in reach.desks and desk.brand_id not in reach.brands:
            raise NotAllowed(_("You don't have access to this desk."))
    return desk


def _write(desk: Desk, month: dt.date, values: Mapping[Cell, Decimal | None], actor: Actor) -> int:
    known = {None, *(agent.pk for agent in agents_of(desk))}
    before = targets_of_desk(desk, month)
    changed = {cell: value for cell, value in values.items() if before.get(cell) != value}
    for (agent_id, figure), value in changed.items():
        _check(agent_id in known, figure, value)
    for (agent_id, figure), value in changed.items():
        row: dict[str, Any] = {"desk": desk, "month": month, "agent_id": agent_id, "figure": figure}
        if value is None:
            Target.objects.filter(**row).delete()
        else:
            Target.objects.update_or_create(**row, defaults={"value": value, "set_by": actor})
    if changed:
        audit.record(
            actor=actor,
            action=ReportsAction.TARGETS_SET,
            target=desk,
            brand_id=desk.brand_id,
            before={_key(cell, month): str(before[cell]) for cell in changed if cell in before},
            after={_key(cell, month): str(value) for cell, value in changed.items() if value is not None},
        )
    return len(changed)


def _key(cell: Cell, month: dt.date) -> str:
    return f"{month:%Y-%m} {cell[1]} {cell[0] or 'desk'}"


def _check(is_known: bool, figure: str, value: Decimal | None) -> None:
    if not is_known:
        raise DomainError(_("This person has no clients on the desk."))
    if figure not in TargetFigure.values:
        raise DomainError(_("This figure has no targets."))
    if value is None:
        return
    if not 0 < value <= VALUE_MAX:
        raise DomainError(_("Enter a target above zero and at most one billion."))
    if figure in WHOLE_NUMBERS and value != int(value):
        raise DomainError(_("Enter a whole number."))
    if figure == TargetFigure.FTD_RATE and value > 100:
        raise DomainError(_("Enter an FTD rate of at most 100 %."))
