"""What hangs on a client, and whether it follows when two records of one person are merged.

    follows("clients.Call.client", _("Calls"))       # in the app's attachments.py
    stays("wallet.Deposit.client", _("Deposits"))    # money, evidence and what the database doesn't let anybody change

What follows is moved row by row, and moved back when the merge is undone; a row that the kept record has already (a UNIQUE
constraint says so) stays. What stays is read on the merged record, to which the kept one's page leads. Money always stays: two
wallets stay two, with the deposits, trading accounts and commissions whose sums are those of one record. So does
what is sealed under a client's own key, KYC's documents among it. Every foreign key to a client has an answer
(`tests/clients/merging/test_attachments.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from django.apps import apps
from django.db.models import Exists, Model, OuterRef, Q, QuerySet, UniqueConstraint

from crm.conditions.fields import Label


@dataclass(frozen=True)
class Attachment:
    """A column that names a client.

    label: what its rows are called on a page; empty for what sales doesn't see, and where a count says nothing.
    """

    path: str
    label: Label
    is_moved: bool
    only: Q = field(default_factory=Q)
    part: str = ""

    @property
    def key(self) -> str:
        return f"{self.path}#{self.part}" if self.part else self.path

    @property
    def model(self) -> type[Model]:
        return apps.get_model(self.path.rpartition(".")[0])

    @property
    def column(self) -> str:
        """The attribute that holds the client's id."""
        return str(self.model._meta.get_field(self.path.rpartition(".")[2]).attname)  # type: ignore[union-attr]

    def rows_of(self, client_id: int) -> QuerySet[Any]:
        return self.model._base_manager.filter(self.only, **{self.column: client_id})

    def movable(self, from_id: int, to_id: int) -> QuerySet[Any]:
        """Select the rows that follow: not those of which the other record has its own where it may have but one."""
        rows = self.rows_of(from_id)
        for constraint in self.model._meta.constraints:
            if isinstance(constraint, UniqueConstraint) and self._name in constraint.fields:
                others = [name for name in constraint.fields if name != self._name]
                condition = constraint.condition or Q()
                twins = self.model._base_manager.filter(condition, **{self.column: to_id})
                rows = rows.exclude(condition & Q(Exists(twins.filter(**{name: OuterRef(name) for name in others}))))
        return rows

    @property
    def _name(self) -> str:
        return self.path.rpartition(".")[2]


ATTACHMENTS: Final[dict[str, Attachment]] = {}


def follows(path: str, label: Label = "", *, only: Q | None = None, part: str = "") -> None:
    """Have the rows of a table follow into the kept record.

    only: those of them that do; part: names them, where several apps speak for a table of the ground floor. Raises: ValueError
    for a second answer.
    """
    _add(Attachment(path, label, is_moved=True, only=only or Q(), part=part))


def stays(path: str, label: Label = "") -> None:
    """Leave the rows of a table with the merged record. Raises: ValueError for a second answer."""
    _add(Attachment(path, label, is_moved=False))


def all_stay(paths: Iterable[str]) -> None:
    """Leave the rows of tables that aren't counted for people with the merged record."""
    for path in paths:
        stays(path)


def moved_ones() -> list[Attachment]:
    """List what follows, in one order, so that two merges write their tables in the same."""
    return [ATTACHMENTS[key] for key in sorted(ATTACHMENTS) if ATTACHMENTS[key].is_moved]


def move_rows(from_id: int, to_id: int) -> dict[str, list[int]]:
    """Move what follows; returns the ids of the rows by attachment."""
    moved = {}
    for entry in moved_ones():
        ids = list(entry.movable(from_id, to_id).order_by("pk").values_list("pk", flat=True))
        if ids:
            entry.model._base_manager.filter(pk__in=ids).update(**{entry.column: to_id})
            moved[entry.key] = ids
    return moved


def counted(client_id: int, *, is_moved: bool) -> list[tuple[Label, int]]:
    """Count what a client has of each kind that has a name: what would follow, or what stays."""
    chosen = [entry for _key, entry in sorted(ATTACHMENTS.items()) if entry.label and entry.is_moved == is_moved]
    pairs = [(entry.label, entry.rows_of(client_id).count()) for entry in chosen]
    return [(label, count) for label, count in pairs if count]


def _add(entry: Attachment) -> None:
    if entry.key in ATTACHMENTS:
        raise ValueError(f"two answers for {entry.key} in a merge")
    ATTACHMENTS[entry.key] = entry
