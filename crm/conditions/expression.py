"""Expressions: read from stored data with all checks, run in SQL and in Python, written as a sentence.

Negations are pushed down to the comparisons when they are run. Above them stand only AND and OR, so that SQL's unknown
(a comparison with NULL) comes out as Python's False.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import orjson
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.conditions.fields import ADDED, Field, FieldType, Happening, Vocabulary
from crm.conditions.operators import DAYS_MAX, EMPTY, ONE_OF, Operator, operator_of
from crm.errors import DomainError, outcome_of
from crm.i18n import formats

VERSION: Final = 1
DEPTH_MAX, PARTS_MAX = 8, 100
ALWAYS: Final = ~Q(pk__in=[])  # an empty Q() would vanish beside an OR


class Node:
    """A part of an expression."""

    def q(self, now: dt.datetime, positive: bool) -> Q:
        """Write it, or its negation, for the ORM."""
        raise NotImplementedError

    def holds(self, subject: Any, now: dt.datetime) -> bool:
        """Evaluate it for one subject."""
        raise NotImplementedError

    def words(self, positive: bool) -> str:
        """Write it, or its negation, in the reader's language."""
        raise NotImplementedError

    def stored(self) -> dict[str, Any]:
        """Write it as data."""
        raise NotImplementedError

    def fields(self) -> Iterator[Field]:
        """List the fields that it looks at."""
        yield from ()


@dataclass(frozen=True)
class Compare(Node):
    """A field compared with a cleaned value; `given` is the value as it was stored."""

    field: Field
    operator: Operator
    value: Any
    given: Any

    def q(self, now: dt.datetime, positive: bool) -> Q:
        if not self.field.lookup:
            raise DomainError(_("“%(field)s” can't be searched for.") % {"field": self.field.label})
        if self.field.rows is not None:
            beside = self._beside(self.field.rows().filter(client_id=OuterRef("pk")), now)
            return beside if positive else ~beside
        empty = _empty(self.field)
        if self.operator is EMPTY:
            return empty if positive else ~empty
        found = self.operator.lookup(self.field.lookup, self.value, now)
        return found if positive else empty | ~found

    def _beside(self, rows: QuerySet[Any], now: dt.datetime) -> Q:
        """Write it over a table of its own. Where a subject without a row meets it, only a row that doesn't speaks against it."""
        absent = self.field.absent
        if self.operator is EMPTY:
            return ~Q(Exists(rows.exclude(_empty(self.field)))) if absent is None else ~ALWAYS
        found = self.operator.lookup(self.field.lookup, self.value, now)
        if absent is not None and self.operator.test(absent, self.value, now):
            return ~Q(Exists(rows.exclude(found)))
        return Q(Exists(rows.filter(found)))

    def holds(self, subject: Any, now: dt.datetime) -> bool:
        have = self.field.value_of(subject)
        if have is None or (not have and self.field.type in MAY_BE_BLANK):
            return self.operator is EMPTY
        return self.operator is not EMPTY and self.operator.test(have, self.value, now)

    def words(self, positive: bool) -> str:
        shown = str(self.operator.words) % {
            "field": self.field.label,
            "value": self.operator.shows(self.field, self.value),
        }
        return shown if positive else _("not: %(condition)s") % {"condition": shown}

    def stored(self) -> dict[str, Any]:
        part: dict[str, Any] = {"field": self.field.name, "is": self.operator.code}
        return part if self.given is None else {**part, "value": self.given}

    def fields(self) -> Iterator[Field]:
        yield self.field


MAY_BE_BLANK: Final = (FieldType.TEXT, FieldType.CHOICE, FieldType.SET)


def _empty(field: Field) -> Q:
    """Select those without a value: NULL, and for texts and sets what has nothing in it."""
    null = Q(**{f"{field.lookup}__isnull": True})
    if field.type is FieldType.SET:
        return null | Q(**{field.lookup: []})
    return null | Q(**{field.lookup: ""}) if field.type in MAY_BE_BLANK else null


@dataclass(frozen=True)
class Happened(Node):
    """Something happened to the client within the last days."""

    happening: Happening
    days: int

    def q(self, now: dt.datetime, positive: bool) -> Q:
        rows = self.happening.rows().filter(
            self.happening.since(now - dt.timedelta(days=self.days), now), **{self.happening.client: OuterRef("pk")}
        )
        found = Q(Exists(rows))
        return found if positive else ~found

    def holds(self, subject: Any, now: dt.datetime) -> bool:
        client_id = subject["client_id"] if isinstance(subject, Mapping) else subject.pk
        rows = self.happening.rows().filter(self.happening.since(now - dt.timedelta(days=self.days), now))
        return rows.filter(**{self.happening.client: client_id}).exists()

    def words(self, positive: bool) -> str:
        days = ngettext("%(count)s day", "%(count)s days", self.days) % {"count": formats.number(self.days)}
        text = _("%(what)s within the last %(days)s") if positive else _("no %(what)s within the last %(days)s")
        return text % {"what": self.happening.label, "days": days}

    def stored(self) -> dict[str, Any]:
        return {"happened": self.happening.name, "within_days": self.days}


@dataclass(frozen=True)
class Group(Node):
    """All or any of the parts. No part at all: all of nothing holds, any of nothing doesn't."""

    is_all: bool
    parts: tuple[Node, ...]

    def q(self, now: dt.datetime, positive: bool) -> Q:
        joined = Q()
        conjoined = self.is_all is positive
        if not self.parts:
            return ALWAYS if conjoined else ~ALWAYS
        for part in self.parts:
            found = part.q(now, positive)
            joined = joined & found if conjoined else joined | found
        return joined

    def holds(self, subject: Any, now: dt.datetime) -> bool:
        tests = (part.holds(subject, now) for part in self.parts)
        return all(tests) if self.is_all else any(tests)

    def words(self, positive: bool) -> str:
        conjoined = self.is_all is positive
        texts = [
            f"({part.words(positive)})" if isinstance(part, Group) and len(part.parts) > 1 else part.words(positive)
            for part in self.parts
        ]
        if not texts:
            return _("always") if conjoined else _("never")
        if len(texts) == 1:
            return texts[0]
        text = _("%(first)s, and %(last)s") if conjoined else _("%(first)s, or %(last)s")
        return text % {"first": ", ".join(texts[:-1]), "last": texts[-1]}

    def stored(self) -> dict[str, Any]:
        return {"all" if self.is_all else "any": [part.stored() for part in self.parts]}

    def fields(self) -> Iterator[Field]:
        for part in self.parts:
            yield from part.fields()


@dataclass(frozen=True)
class Not(Node):
    """The opposite of a part."""

    part: Node

    def q(self, now: dt.datetime, positive: bool) -> Q:
        return self.part.q(now, not positive)

    def holds(self, subject: Any, now: dt.datetime) -> bool:
        return not self.part.holds(subject, now)

    def words(self, positive: bool) -> str:
        return self.part.words(not positive)

    def stored(self) -> dict[str, Any]:
        return {"not": self.part.stored()}

    def fields(self) -> Iterator[Field]:
        yield from self.part.fields()


@dataclass(frozen=True)
class Condition:
    """A checked expression."""

    root: Node

    def q(self, now: dt.datetime) -> Q:
        """Write it for the ORM: `rows.filter(condition.q(now))` is one statement. Raises: DomainError, a field without column."""
        return self.root.q(now, True)

    def holds(self, subject: Any, now: dt.datetime) -> bool:
        """Check it for one subject: an object or a mapping with the fields' names."""
        return self.root.holds(subject, now)

    def sentence(self) -> str:
        """Write it in the reader's language."""
        text = self.root.words(True)
        return text[:1].upper() + text[1:]

    def stored(self) -> dict[str, Any]:
        """Write it as data, as `read` takes it."""
        root = self.root if isinstance(self.root, Group) else Group(True, (self.root,))
        return {"version": VERSION, **root.stored()}

    def parts(self) -> tuple[Node, ...]:
        """List the parts that must all hold."""
        return self.root.parts if isinstance(self.root, Group) and self.root.is_all else (self.root,)

    def fields(self) -> list[Field]:
        """List the fields that it looks at, each once, in their order."""
        return list(dict.fromkeys(self.root.fields()))

    def failing(self, subject: Any, now: dt.datetime) -> str:
        """Write the first part that doesn't hold for a subject; empty where all do."""
        for part in self.parts():
            if not part.holds(subject, now):
                return part.words(True)
        return ""


def everything() -> Condition:
    """Return the condition that always holds."""
    return Condition(Group(True, ()))


def always() -> dict[str, Any]:
    """Return the condition that always holds as data: the default of a column."""
    return everything().stored()


def all_of(*parts: dict[str, Any]) -> dict[str, Any]:
    """Return the stored condition that wants all of the parts."""
    return {"version": VERSION, "all": list(parts)}


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Reader:
    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.count = 0

    def node(self, data: Any, depth: int) -> Node:
        self.count += 1
        if depth > DEPTH_MAX:
            raise DomainError(_("The condition is nested too deeply: at most %(count)s levels.") % {"count": DEPTH_MAX})
        if self.count > PARTS_MAX:
            raise DomainError(_("The condition has too many parts: at most %(count)s.") % {"count": PARTS_MAX})
        if not isinstance(data, dict):
            raise _unreadable()
        kinds = {"all", "any", "not", "field", "happened"} & data.keys()
        if len(kinds) != 1:
            raise _unreadable()
        kind = kinds.pop()
        if kind in ("all", "any"):
            return self._group(kind == "all", data, depth)
        if kind == "not":
            _only(data, {"not"})
            return Not(self.node(data["not"], depth + 1))
        return self._compare(data) if kind == "field" else self._happened(data)

    def _group(self, is_all: bool, data: dict[str, Any], depth: int) -> Node:
        name = "all" if is_all else "any"
        _only(data, {name})
        parts = data[name]
        if not isinstance(parts, list):
            raise _unreadable()
        group = Group(is_all, tuple(self.node(part, depth + 1) for part in parts))
        if is_all:
            _refuse_contradiction(group)
        return group

    def _compare(self, data: dict[str, Any]) -> Node:
        _only(data, {"field", "is", "value"})
        name = data["field"]
        field = self.vocabulary.field(name) if isinstance(name, str) else None
        if field is None:
            raise DomainError(
                _("The field “%(field)s” no longer exists. Remove this part or choose another field.")
                % {"field": self.vocabulary.missing(str(name))}
            )
        operator = operator_of(field, data.get("is"))
        if operator is None:
            raise DomainError(
                _("“%(field)s” can't be compared that way. Choose another comparison.") % {"field": field.label}
            )
        given = data.get("value")
        try:
            value = operator.clean(field, given)
        except DomainError as problem:
            raise DomainError(f"{field.label}: {problem.message}") from problem
        return Compare(field, operator, value, given)

    def _happened(self, data: dict[str, Any]) -> Node:
        _only(data, {"happened", "within_days"})
        name, days = data["happened"], data.get("within_days")
        happening = self.vocabulary.happening(name) if isinstance(name, str) else None
        if happening is None:
            raise DomainError(_("“%(event)s” isn't an event that can be used here.") % {"event": str(name)[:60]})
        if isinstance(days, bool) or not isinstance(days, int) or not 0 < days <= DAYS_MAX:
            raise DomainError(
                _("%(event)s: enter a number of days from 1 to %(most)s.")
                % {"event": happening.label, "most": formats.number(DAYS_MAX)}
            )
        return Happened(happening, days)


def read(data: Any, vocabulary: Vocabulary) -> Condition:
    """Read a stored condition. Raises: DomainError, which names the part and what to do."""
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise _unreadable()
    return Condition(_Reader(vocabulary).node({key: data[key] for key in data if key != "version"}, 1))


def readable(data: Any, vocabulary: Vocabulary) -> Condition | None:
    """Read a condition that may have lost a field since it was written: None then, and it applies to nobody."""
    dumped = orjson.dumps(data)
    return (_readable.__wrapped__ if ADDED.encode() in dumped else _readable)(dumped, vocabulary)


@lru_cache(maxsize=2048)
def _readable(data: bytes, vocabulary: Vocabulary) -> Condition | None:
    found = outcome_of(lambda: read(orjson.loads(data), vocabulary))
    return found.result if found else None


def _only(data: dict[str, Any], names: set[str]) -> None:
    if data.keys() - names:
        raise _unreadable()


def _unreadable() -> DomainError:
    return DomainError(_("This isn't a condition that Keelson can read."), code="unreadable_condition")


# ── contradictions ───────────────────────────────────────────────────────────────────────────────────────────────────


def _refuse_contradiction(group: Group) -> None:
    """Refuse comparisons of one field that can't hold together. Raises: DomainError, which names the field."""
    by_field: dict[str, list[Compare]] = {}
    for part in group.parts:
        if isinstance(part, Compare):
            by_field.setdefault(part.field.name, []).append(part)
    for parts in by_field.values():
        if len(parts) > 1 and _contradict(parts):
            raise DomainError(
                _("“%(field)s” can never meet all of this: %(conditions)s.")
                % {"field": parts[0].field.label, "conditions": "; ".join(part.words(True) for part in parts)}
            )


def _contradict(parts: list[Compare]) -> bool:
    if any(part.operator is EMPTY for part in parts) and any(part.operator is not EMPTY for part in parts):
        return True
    sets = [set(part.value) for part in parts if part.operator is ONE_OF]
    if len(sets) > 1 and not set.intersection(*sets):
        return True
    low, high, open_ends = _bounds(parts)
    return low is not None and high is not None and (low > high or (low == high and open_ends))


def _bounds(parts: list[Compare]) -> tuple[Decimal | None, Decimal | None, bool]:
    """Find the range that comparisons of numbers leave: from, to, and whether an end is left out."""
    lows: list[tuple[Decimal, bool]] = []
    highs: list[tuple[Decimal, bool]] = []
    for part in _numbers(parts):
        if part.operator.code in ("ge", "gt", "eq"):
            lows.append((part.value, part.operator.code == "gt"))
        if part.operator.code in ("le", "lt", "eq"):
            highs.append((part.value, part.operator.code == "lt"))
    if not lows or not highs:
        return None, None, False
    low, high = max(lows), min(highs, key=lambda end: (end[0], not end[1]))
    return low[0], high[0], low[1] or high[1]


def _numbers(parts: list[Compare]) -> Iterator[Compare]:
    return (part for part in parts if isinstance(part.value, Decimal))
