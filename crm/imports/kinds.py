"""The kinds of records that can be imported. Each app registers its own; an object of a kind serves one run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm.errors import NotFound
from crm.imports.fields import Field
from crm.models import Actor, DataImport, ImportRow

# The rows of an import that a statement is about: still to be applied, from one line to another.
OPEN_ROWS = """
r.batch_id = %(batch)s AND r.line BETWEEN %(first)s AND %(last)s AND r.verdict IN ('new', 'known', 'same', 'changed')
  AND NOT r.is_applied
"""


REFUSE = f"""
UPDATE crm_importrow r SET verdict = 'refused', errors = r.errors || jsonb_build_array(jsonb_build_object(
  'column', %(column)s::text, 'message', %(message)s::text)) WHERE {OPEN_ROWS} AND ({{condition}})
"""  # noqa: S608 - constants


@dataclass(frozen=True)
class Span:
    """Lines of an import's file, both included."""

    batch: DataImport
    first: int = 0
    last: int = 2**31 - 1

    @property
    def _parameters(self) -> dict[str, Any]:
        batch = self.batch
        named = {"batch": batch.pk, "brand": batch.brand_id, "system": batch.system, "kind": batch.kind}
        return {**named, "first": self.first, "last": self.last}

    def run(self, statement: str, **parameters: Any) -> int:
        """Run a statement whose text has OPEN_ROWS in it over this span; return how many rows it changed."""
        with connection.cursor() as cursor:
            cursor.execute(statement, {**self._parameters, **parameters})
            return int(cursor.rowcount)

    def values(self, query: str, **parameters: Any) -> list[Any]:
        """Read the first column of a query over this span."""
        with connection.cursor() as cursor:
            cursor.execute(query, {**self._parameters, **parameters})
            return [row[0] for row in cursor.fetchall()]

    def refuse(self, condition: str, column: str, message: str, **parameters: Any) -> int:
        """Refuse the open rows `r` that meet an SQL condition, with the reason."""
        statement = REFUSE.replace("{condition}", condition)
        return self.run(statement, column=column, message=message, **parameters)


@dataclass(frozen=True)
class Difference:
    """How a record that is here differs from its row in the file. `kept`: why an import doesn't change it, whatever is chosen."""

    field: str
    column: str
    before: str
    after: str
    kept: str = ""

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value or name != "kept"}


@dataclass
class Staged:
    """A row as it was read. `errors` refuse it; `warnings` are shown and it is taken all the same."""

    line: int
    values: dict[str, Any] = field(default_factory=dict)
    errors: list[dict[str, str]] = field(default_factory=list)
    warnings: list[dict[str, str]] = field(default_factory=list)

    def refuse(self, column: str, message: str) -> None:
        self.errors.append({"column": column, "message": message})

    def warn(self, column: str, message: str) -> None:
        self.warnings.append({"column": column, "message": message})


class RecordKind(ABC):
    """What an app says of one kind of record.

    code: stored. compares: existing records are compared (`differences`) and can be updated (`update`). effect: what importing
    a new record does, in a sentence for whoever confirms it. order: where the pages list it; what others refer to comes first.
    reads_clients: the check compares with clients, so that it goes into the access log. needs_actor: applying needs a person (a
    maker, an author).
    """

    code: ClassVar[str]
    label: ClassVar[str | Promise]
    fields: ClassVar[Sequence[Field]]
    effect: ClassVar[str | Promise] = ""
    order: ClassVar[int] = 100
    reads_clients: ClassVar[bool] = True
    batch_rows: ClassVar[int] = 1000
    compares: ClassVar[bool] = False
    extensions: ClassVar[Sequence[KindExtension]] = ()

    def __init__(self, batch: DataImport) -> None:
        self.batch = batch

    @classmethod
    def fields_of(cls, brand_id: int, user: Actor) -> Sequence[Field]:
        """List the fields that a person imports into a brand."""
        return cls.fields

    @cached_property
    def all_fields(self) -> Sequence[Field]:
        return self.fields_of(self.batch.brand_id, self.batch.owner)

    def check_row(self, row: Staged) -> None:  # noqa: B027 - most kinds have nothing to check
        """Check what concerns several fields; refuse or warn."""

    def key_of(self, values: Mapping[str, Any]) -> str:
        """Name the record so that it is the same in this file and the next; "" where only `match_key_of` can tell."""
        return str(values.get("external_id", ""))

    def match_key_of(self, values: Mapping[str, Any]) -> str:
        """Name the record a second way, by which it may be in the file twice; "" for none."""
        return ""

    def judge(self, span: Span) -> None:  # noqa: B027 - or nothing to compare
        """Give verdicts that depend on what is stored, by statements over a span of staged rows.

        Called for the whole file by the check, and again before each batch is applied: somebody may have come in since.
        """

    def recheck(self, span: Span) -> None:  # noqa: B027 - values that were read stay valid
        """Refuse rows whose values no longer fit, before a batch is applied: the brand may have changed since the check."""

    def differences(self, rows: Sequence[ImportRow]) -> dict[int, list[Difference]]:
        """Compare rows with the records that they name; by row id. In a bounded number of queries."""
        return {}

    def update(self, rows: Sequence[ImportRow], *, fills_only: bool) -> dict[int, set[str]]:
        """Change existing records as their rows say, without what is kept; return the names of what was changed by row id.

        fills_only: only what is empty here. In the batch's transaction.
        """
        return {}

    @abstractmethod
    def apply(self, rows: list[ImportRow]) -> dict[int, int]:
        """Write the new rows of a batch; return the id of what was made by row id. In the batch's transaction."""

    @classmethod
    def record_url(cls, object_id: int) -> str:
        """Return the page of a record of this kind; "" where it has none of its own."""
        return ""

    def finish(self) -> str:
        """Do what is done once, in the transaction that ends the import; return a page where something waits, or ""."""
        return ""


class KindExtension:
    """What an app above adds to a kind: fields, and what they do. `kind` is the code of the kind that it adds to."""

    kind: ClassVar[str]
    fields: ClassVar[Sequence[Field]]

    def judge(self, span: Span) -> None:
        """Give verdicts on the fields, as `RecordKind.judge` does."""

    def apply(self, batch: DataImport, made: Sequence[tuple[ImportRow, int]]) -> None:
        """Write what the fields say of the new records of a batch: rows with the ids that were made of them."""


KINDS: dict[str, type[RecordKind]] = {}
Kind = TypeVar("Kind", bound=type[RecordKind])
Extension = TypeVar("Extension", bound=type[KindExtension])


def import_kind(kind: Kind) -> Kind:
    """Register a kind of record."""
    KINDS[kind.code] = kind
    return kind


def extend_kind(extension: Extension) -> Extension:
    """Add an extension to a kind of an app below. Raises: KeyError for a kind that there isn't."""
    kind = KINDS[extension.kind]
    kind.fields = (*kind.fields, *extension.fields)
    kind.extensions = (*kind.extensions, extension())
    return extension


def kinds_in_order() -> list[type[RecordKind]]:
    """List the kinds as pages show them: what others refer to comes first."""
    return sorted(KINDS.values(), key=lambda kind: (kind.order, kind.code))


def kind_named(code: str) -> type[RecordKind]:
    """Find a kind. Raises: NotFound, with the kinds that there are."""
    if code not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise NotFound(
            _("Unknown kind of record “%(kind)s”. Use one of: %(known)s") % {"kind": code[:40], "known": known}
        )
    return KINDS[code]
