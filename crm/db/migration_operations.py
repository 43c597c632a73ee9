"""Operations for migrations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.migrations.operations import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterModelOptions,
    CreateModel,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RunSQL,
)
from django.db.migrations.operations.base import Operation, OperationCategory
from pgtrigger.migrations import AddTrigger, RemoveTrigger


def sql_files(app: str, *names: str) -> list[RunSQL]:
    """Run `<app>/sql/<name>.sql`, in this order: the one place where a function, or a trigger with its function, is written.

    A function is changed in its file, which a new migration runs again; its statement is CREATE OR REPLACE. There is no way
    back: a database without its functions is no earlier one.
    """
    folder = Path(settings.BASE_DIR) / app / "sql"
    return [RunSQL((folder / f"{name}.sql").read_text(encoding="utf-8")) for name in names]


class AtOnce(Operation):
    """Several operations between two states, instead of each between its own.

    Django renders models again after every operation, each with all they are related to: of the seconds that an empty
    database took to migrate, nine tenths. Here they are rendered once. New tables are created as they are after all
    operations, with their indexes and constraints. Each operation must make sense between the two states: not two on one
    field, nothing renamed.
    """

    category = OperationCategory.MIXED
    reduces_to_sql = True
    reversible = True

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = operations
        self._created = {operation.name_lower for operation in operations if isinstance(operation, CreateModel)}

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__qualname__, [], {"operations": self.operations}

    def state_forwards(self, app_label: str, state: Any) -> None:
        state.__dict__.pop("apps", None)  # rendered again when it is asked for, after the last operation
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for operation in self.operations:
            if not self._is_in_the_table(operation):
                operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for operation in reversed(self.operations):
            if isinstance(operation, CreateModel) or getattr(operation, "model_name_lower", "") not in self._created:
                operation.database_backwards(app_label, schema_editor, from_state, to_state)

    def _is_in_the_table(self, operation: Operation) -> bool:
        """Whether the table is created with it. Triggers are not: they have their own statement."""
        return (
            isinstance(operation, AddConstraint | AddIndex | AddField | AlterField)
            and operation.model_name_lower in self._created
        )

    def describe(self) -> str:
        return "; ".join(operation.describe() for operation in self.operations)


OF_A_FIELD = (AddField, AlterField, RemoveField)
JOINS_A_NEW_TABLE = (AddField, AlterField, AddIndex, AddConstraint, AddTrigger)
OF_A_NAME = (AddIndex, RemoveIndex, AddConstraint, RemoveConstraint, AddTrigger, RemoveTrigger)


def together(operations: Sequence[Operation]) -> list[Operation]:
    """Put neighbouring operations into one `AtOnce` wherever it does what they do one by one, in the same order.

    A new one begins where two would touch one field or one named thing, or something other than the making of a new
    table; statements and code of one's own stay by themselves, between the states that they were written for.
    """
    return [run[0] if len(run) == 1 else AtOnce(run) for run in _runs(operations)]


def _runs(operations: Sequence[Operation]) -> Iterator[list[Operation]]:
    run: list[Operation] = []
    created: set[str] = set()
    touched: set[tuple[str, str]] = set()
    for operation in operations:
        what = _touches(operation)
        fits = what is not None and what not in touched and _fits_a_new_table(operation, created)
        if run and not fits:
            yield run
            run, created, touched = [], set(), set()
        if what is None:
            yield [operation]
            continue
        run.append(operation)
        touched.add(what)
        if isinstance(operation, CreateModel):
            created.add(operation.name_lower)
    if run:
        yield run


def _touches(operation: Operation) -> tuple[str, str] | None:
    """Name what no second operation of a run may touch; None for an operation that joins no run."""
    if type(operation) in OF_A_FIELD:
        return operation.model_name_lower, f"field {operation.name_lower}"  # type: ignore[attr-defined]
    if type(operation) in OF_A_NAME:
        return operation.model_name_lower, str(_name(operation))  # type: ignore[attr-defined]
    if type(operation) in (CreateModel, AlterModelOptions):
        return operation.name_lower, type(operation).__name__  # type: ignore[attr-defined]
    return None


def _name(operation: Any) -> str:
    thing = getattr(operation, "index", None) or getattr(operation, "constraint", None)
    thing = thing or getattr(operation, "trigger", None)
    return str(thing.name if thing else operation.name)


def _fits_a_new_table(operation: Any, created: set[str]) -> bool:
    if isinstance(operation, CreateModel):
        return True
    name = getattr(operation, "model_name_lower", None) or operation.name_lower
    return name not in created or isinstance(operation, JOINS_A_NEW_TABLE)
