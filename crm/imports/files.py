"""The uploaded file of an import, encrypted, until the import is finished or discarded; and what its columns hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings

from crm.imports import reading
from crm.models import DataImport
from crm.security import sealed_files

FILES = sealed_files.of_instance("data-import")
ROWS_SAMPLED = 2000
VALUES_LISTED = 30
SAMPLES_SHOWN = 3


def file_path(batch: DataImport) -> Path:
    """Locate the sealed original; it is deleted once the import is finished or discarded."""
    return Path(settings.PRIVATE_DIR) / "data-imports" / f"{batch.pk}"


def reading_options(definition: Mapping[str, Any]) -> dict[str, str]:
    """Take encoding and separator from a mapping, "" where it leaves them to be found out."""
    given = definition if isinstance(definition, Mapping) else {}
    return {name: str(given.get(name, "")) for name in ("encoding", "delimiter")}


@dataclass
class Preview:
    """The columns of a file with the values that its first rows have in them, each value once, in their order."""

    header: list[str]
    rows: list[list[str]] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def samples(self, column: str) -> list[str]:
        return self.values.get(column, [])[:SAMPLES_SHOWN]


def preview(batch: DataImport, definition: Mapping[str, Any]) -> Preview:
    """Read the beginning of the file as a mapping reads it. Raises: DomainError where it can't be read so."""
    options = reading_options(definition)
    return preview_of(reading.open_table(content_of(batch), batch.file_name, rows_max=ROWS_SAMPLED, **options))


def content_of(batch: DataImport) -> reading.Content:
    """Return the sealed original, to be read in pieces."""
    return partial(sealed_files.stream, file_path(batch), owner=FILES)


def preview_of(table: reading.Table) -> Preview:
    """Read the beginning of a table. Raises: DomainError where it can't be read."""
    rows = [row.values for row in islice(table.rows, ROWS_SAMPLED) if not row.problem]
    values = {}
    for place, column in enumerate(table.header):
        seen = dict.fromkeys(row[place] for row in rows if row[place])
        values[column] = list(islice(seen, VALUES_LISTED + 1))
    return Preview(table.header, rows[: reading.SAMPLE_ROWS], values, table.problems)
