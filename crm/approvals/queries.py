"""What waits for a second person: everything that a user may decide, and what they asked for themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet, Value
from django.http import Http404

from crm.approvals.kinds import ApprovalKind, Change, all_kinds
from crm.models import User
from crm.security.policies import Decision
from crm.security.scope import reach_of

SHOWN_MAX = 50
COUNT_MAX = 100
Statement = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Proposal:
    """One proposal as pages show it."""

    kind: ApprovalKind[Any]
    item: Any
    user: User

    @property
    def title(self) -> str:
        return str(self.kind.title(self.item))

    @property
    def url(self) -> str:
        return self.kind.url(self.item)

    @property
    def reason(self) -> str:
        return str(getattr(self.item, self.kind.reason))

    @property
    def note(self) -> str:
        return getattr(self.item, self.kind.note, "")

    @property
    def maker(self) -> Any:
        return getattr(self.item, self.kind.maker)

    @property
    def asked_at(self) -> dt.datetime:
        at: dt.datetime = getattr(self.item, self.kind.asked_at)
        return at

    @cached_property
    def changes(self) -> Sequence[Change]:
        return self.kind.changes(self.item)

    @property
    def is_own(self) -> bool:
        return self.kind.maker_id(self.item) == self.user.pk

    @property
    def is_pending(self) -> bool:
        return self.kind.is_pending(self.item)

    @property
    def has_own_page(self) -> bool:
        """Whether it is decided on its own page only: more is asked for there, or should be seen."""
        kind = self.kind
        return kind.has_own_form or kind.is_sensitive or bool(kind.confirm) or not kind.is_rejectable

    @cached_property
    def may_decide(self) -> Decision:
        return self.kind.can_decide(self.user, self.item)

    @cached_property
    def may_withdraw(self) -> Decision:
        return self.kind.can_withdraw(self.user, self.item)


def proposal_of(item: Any, user: User) -> Proposal:
    """Describe a proposal of any kind for the page of its subject."""
    kind = next(kind for kind in all_kinds() if isinstance(item, kind.model))
    return Proposal(kind, item, user)


def kinds_of(user: User) -> list[ApprovalKind[Any]]:
    """Kinds that the user proposes or decides."""
    return [kind for kind in all_kinds() if kind.takes_part(user)]


def takes_part(user: User) -> bool:
    """Whether the user proposes or decides anything by four eyes."""
    return bool(kinds_of(user))


def visible_to(user: User, kind: ApprovalKind[Any]) -> QuerySet[Any]:
    """Proposals of a kind about whom the user reaches: all for who may decide them, else only their own."""
    in_reach = kind.in_reach(kind.model._default_manager.order_by(), user).values("pk")
    rows = kind.rows().filter(pk__in=in_reach)
    return rows if kind.is_decider(user) else rows.filter(**{f"{kind.maker}_id": user.pk})


def waiting_for(user: User, code: str = "") -> list[Proposal]:
    """List them oldest first, at most `SHOWN_MAX` of each kind: one query for which kinds wait, and one for each of those."""
    codes = {code} if code else {row[0] for row in _rows(_kinds_waiting(_decider(user)))}
    found = []
    for kind in kinds_of(user):
        if kind.code in codes:
            rows = list(kind.awaiting(visible_to(user, kind)).order_by(kind.asked_at, "pk")[:SHOWN_MAX])
            kind.read_subjects(rows)
            found += [Proposal(kind, item, user) for item in rows]
    return sorted(found, key=lambda one: one.asked_at)


def count_to_decide(user: User) -> int | None:
    """How many wait for this user, counted up to a hundred, in one query; None when there are none."""
    return sum(row[0] for row in _rows(_to_decide(_decider(user)))) or None


def _rows(statement: Statement | None) -> list[tuple[Any, ...]]:
    if statement is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(*statement)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


@dataclass(frozen=True)
class _Decider:
    """What the statement that counts for a user is made of: it is written once for as long as this stays."""

    pk: int
    rights: frozenset[str] | None
    reached: tuple[frozenset[int], ...]
    user: User = field(compare=False)


def _decider(user: User) -> _Decider:
    reach = reach_of(user)
    rights = None if user.is_superuser else frozenset(user.get_all_permissions())
    reached = (reach.books, reach.own_books, reach.desks, reach.brands, reach.whole_brands)
    return _Decider(user.pk, rights, reached, user)


@lru_cache(maxsize=128)
def _kinds_waiting(who: _Decider) -> Statement | None:
    """Write the statement that finds the codes of the kinds of which something waits that they may see."""
    firsts = []
    for kind in kinds_of(who.user):
        rows = kind.in_reach(kind.awaiting(kind.model._default_manager.all()), who.user)
        if not kind.is_decider(who.user):
            rows = rows.filter(**{f"{kind.maker}_id": who.pk})
        firsts.append(rows.order_by().annotate(kind_code=Value(kind.code)).values_list("kind_code")[:1])
    return _written(firsts[0].union(*firsts[1:], all=True)) if firsts else None


def _written(rows: QuerySet[Any, Any]) -> Statement | None:
    """Return SQL and parameters; None where no part could find anything."""
    try:
        return rows.query.sql_with_params()
    except EmptyResultSet:
        return None


@lru_cache(maxsize=128)
def _to_decide(who: _Decider) -> Statement | None:
    """Write the statement of every kind that they decide: thirty selects cost more to write than to run."""
    waiting = [
        kind.in_reach(kind.awaiting(kind.model._default_manager.all()), who.user)
        .exclude(**{f"{kind.maker}_id": who.pk})
        .order_by()
        .values_list("pk")
        for kind in kinds_of(who.user)
        if kind.is_decider(who.user)
    ]
    if not waiting:
        return None
    written = _written(waiting[0].union(*waiting[1:], all=True)[:COUNT_MAX])
    if written is None:
        return None
    sql, params = written
    return f"SELECT count(*) FROM ({sql}) AS waiting", params  # noqa: S608 - written by the ORM


def get_proposals(user: User, chosen: Sequence[tuple[str, int]]) -> list[Proposal]:
    """List those of the chosen proposals, by code and number, that the user may see and others asked for, oldest first."""
    found = []
    for kind in kinds_of(user):
        ids = [pk for code, pk in chosen if code == kind.code]
        if ids:
            rows = list(visible_to(user, kind).filter(pk__in=ids))
            kind.read_subjects(rows)
            found += [Proposal(kind, item, user) for item in rows]
    return sorted((one for one in found if not one.is_own), key=lambda one: one.asked_at)


def get_proposal(user: User, code: str, pk: int) -> Proposal:
    """Find a proposal that the user may see. Raises: Http404 where there is none."""
    for kind in kinds_of(user):
        if kind.code == code:
            item = visible_to(user, kind).filter(pk=pk).first()
            if item is not None:
                return Proposal(kind, item, user)
    raise Http404
