"""Operations for migrations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.migrations.operations import AddConstraint, AddField, AddIndex, AlterField, CreateModel
from django.db.migrations.operations.base import Operation, OperationCategory


class AtOnce(Operation):
    """Several operations between two states, instead of each between its own.

    Django renders models anew after every operation, each with all they are related to: of the seconds that an empty
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
