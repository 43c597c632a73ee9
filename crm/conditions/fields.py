"""What a condition may speak of: fields with their type, and things that happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.functional import Promise

Label = str | Promise
Choices = Iterable[tuple[str, Label]]


class FieldType(Enum):
    """Types of values; `crm.conditions.operators` says what can be asked of each."""

    TEXT = "text"
    CHOICE = "choice"
    NUMBER = "number"
    DECIMAL = "decimal"
    MONEY = "money"
    MOMENT = "moment"
    YES_NO = "yes_no"
    SET = "set"


# Beginning of the names of fields that people add and archive while processes run: never kept in memory.
ADDED = "custom."


@dataclass(frozen=True)
class Field:
    """A described value of a subject.

    lookup: how the ORM reaches it from the subject's table; empty for what exists only at the moment, such as an event's own
    values. read: how Python reads it from a subject; by default the attribute or key of its name. group: under which heading
    it is offered.

    rows: for a value in a table of its own, the rows that hold it: one per subject, named by `client_id`; `lookup` is then a
    column of these. absent: the value of a subject without a row, where that isn't "empty"; its column is NOT NULL.
    """

    name: str
    label: Label
    type: FieldType
    lookup: str = ""
    choices: Callable[[], Choices] | None = None
    read: Callable[[Any], Any] | None = None
    unit: Label = ""
    group: Label = ""
    rows: Callable[[], QuerySet[Any]] | None = None
    absent: Any = None

    def value_of(self, subject: Any) -> Any:
        """Read the value from a subject: an object or a mapping."""
        if self.read is not None:
            return self.read(subject)
        return subject.get(self.name) if isinstance(subject, Mapping) else getattr(subject, self.name)

    def choice_label(self, code: str) -> str:
        """Name a stored choice for a reader; an unknown one is its own name."""
        return str(dict(self.choices()).get(code, code)) if self.choices is not None else code


@dataclass(frozen=True)
class Happening:
    """Something that happened to a client, as rows of the owning app.

    rows: all of them; `client` and `at` are their columns of the client's id and of the instant.
    """

    name: str
    label: Label
    rows: Callable[[], QuerySet[Any]]
    client: str = "client_id"
    at: str = "created_at"

    def since(self, start: Any, end: Any) -> Q:
        """Select those from `start` to `end`."""
        return Q(**{f"{self.at}__gte": start, f"{self.at}__lte": end})


class Vocabulary:
    """The fields and happenings that conditions on one kind of subject may use. Apps add theirs when they are loaded."""

    # Finds the fields whose names begin with `ADDED`; and names what a lost one was called.
    find: Callable[[str], Field | None] | None = None
    name_lost: Callable[[str], str] | None = None

    def __init__(self, name: str, fields: Iterable[Field] = (), *, preview: str = "") -> None:
        """preview: the name of the page that tries a condition out."""
        self.name, self.preview = name, preview
        self._fields: dict[str, Field] = {}
        self._happenings: dict[str, Happening] = {}
        self.add(*fields)

    def add(self, *parts: Field | Happening) -> None:
        """Add fields or happenings. Raises: TypeError for a name that is taken."""
        for part in parts:
            if part.name in self._fields or part.name in self._happenings:
                raise TypeError(f"{self.name}: two parts are called {part.name!r}")
            if isinstance(part, Field):
                self._fields[part.name] = part
            else:
                self._happenings[part.name] = part

    def __deepcopy__(self, memo: Any) -> Vocabulary:
        """Stay one: forms and filters copy what they are made of."""
        return self

    def field(self, name: str) -> Field | None:
        if name not in self._fields and self.find is not None and name.startswith(ADDED):
            return self.find(name)
        return self._fields.get(name)

    def missing(self, name: str) -> str:
        """Name a field that is no longer there, for a reader: by its label, where that is known still."""
        return (self.name_lost(name) if self.name_lost is not None and name.startswith(ADDED) else "") or name[:60]

    def happening(self, name: str) -> Happening | None:
        return self._happenings.get(name)

    @property
    def fields(self) -> list[Field]:
        return list(self._fields.values())

    @property
    def happenings(self) -> list[Happening]:
        return list(self._happenings.values())


class WiderVocabulary(Vocabulary):
    """Another vocabulary with fields of its own, and without some. Reads it when asked: apps add to it while they are loaded."""

    def __init__(
        self, name: str, fields: Iterable[Field], *, base: Vocabulary, preview: str, without: Iterable[str] = ()
    ) -> None:
        super().__init__(name, fields, preview=preview)
        self.base, self.without = base, frozenset(without)

    def field(self, name: str) -> Field | None:
        if name in self.without:
            return None
        return super().field(name) or self.base.field(name)

    def missing(self, name: str) -> str:
        return self.base.missing(name)

    def happening(self, name: str) -> Happening | None:
        return self.base.happening(name)

    @property
    def fields(self) -> list[Field]:
        return [*super().fields, *(field for field in self.base.fields if field.name not in self.without)]

    @property
    def happenings(self) -> list[Happening]:
        return self.base.happenings
