"""Which columns and files hold what the instance's key sealed: each app declares its own in `sealed.py`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SealedColumn:
    """One column. bound_to_row: each value is bound to its row's primary key, not to its purpose alone."""

    model: str
    column: str
    purpose: str
    bound_to_row: bool = False
    # SQL that tells sealed values from others of the same column.
    where: str = "true"

    def __str__(self) -> str:
        return f"{self.model}.{self.column}"


COLUMNS: list[SealedColumn] = []
JSON_COLUMNS: list[SealedColumn] = []
# Purposes of the keys that wrap the keys of files (`crm.security.sealed_files.of_instance`).
FILE_PURPOSES: set[str] = set()


def sealed_column(
    model: str, column: str, *, purpose: str, bound_to_row: bool = False, where: str = "true"
) -> SealedColumn:
    """Register that a column is sealed under the instance's key; model: `app.Model`."""
    made = SealedColumn(model, column, purpose, bound_to_row, where)
    COLUMNS.append(made)
    return made


def sealed_json(model: str, column: str, *, purpose: str) -> None:
    """Register that values within a JSON column are sealed, as hex: those of second factors, which allauth keeps."""
    JSON_COLUMNS.append(SealedColumn(model, column, purpose))


def sealed_files(*purposes: str) -> None:
    """Register the purposes for which the keys of files are wrapped."""
    FILE_PURPOSES.update(purposes)
