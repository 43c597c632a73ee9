"""Every column that names an encrypted file, so that files and rows can be compared (`verify_files`, `sweep_orphans`).

An app declares its own in its `file_columns.py`. Two columns may share a folder: a file there is an orphan only when none of
them names it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet

from crm.choices import DataImportState
from crm.models import DataImport, Job, WorkEntry

COLUMNS: list[FileColumn] = []
BATCH_ROWS = 500


def nothing_awaited() -> Iterable[str]:
    """Return no names: the default for a column whose files all have their rows."""
    return ()


@dataclass(frozen=True)
class FileColumn:
    """A column that names files.

    folder: below PRIVATE_DIR. is_sharded: the first two letters of the name are a folder. client: the column with the client
    under whose key the file is kept; empty, or NULL in a row: under the instance's key for `purpose`. size, sha256: columns
    with the length and digest of the content. rows: those that have a file. awaited: names that will get a row, or don't need one.
    """

    model: type[models.Model]
    column: str
    folder: str
    is_sharded: bool = False
    client: str = ""
    purpose: str = ""
    size: str = ""
    sha256: str = ""
    rows: Q = field(default_factory=Q)
    awaited: Callable[[], Iterable[str]] = nothing_awaited

    @property
    def label(self) -> str:
        return f"{self.model._meta.label}.{self.column}"

    def with_files(self) -> QuerySet[Any]:
        rows = self.model._base_manager.filter(self.rows)
        is_text = isinstance(self.model._meta.get_field(self.column), models.CharField)
        return rows.exclude(**{self.column: ""}) if is_text else rows

    def place_of(self, value: object) -> str:
        """Return where the file of a row is, below the folder."""
        name = str(value)
        return f"{name[:2]}/{name}" if self.is_sharded else name

    def named(self, places: Iterable[str]) -> set[str]:
        """Find those of some places that rows name."""
        values = {self._value_at(place) for place in places} - {""}
        names = self.with_files().filter(**{f"{self.column}__in": values}).values_list(self.column, flat=True)
        return {self.place_of(value) for value in names}

    def _value_at(self, place: str) -> str:
        if isinstance(self.model._meta.get_field(self.column), models.AutoField) and not place.isdecimal():
            return ""
        return place.rpartition("/")[2] if self.is_sharded else place


def declare(*columns: FileColumn) -> None:
    """Register columns that hold the names of stored files, for the checks and the sweep of orphans."""
    COLUMNS.extend(columns)


def folder_path(folder: str) -> Path:
    """Return the path of a folder in the private store."""
    return Path(settings.PRIVATE_DIR) / folder


def by_folder() -> dict[str, list[FileColumn]]:
    """Group the registered columns by the folder that their files are in."""
    folders: dict[str, list[FileColumn]] = {}
    for column in COLUMNS:
        folders.setdefault(column.folder, []).append(column)
    return folders


def unnamed(columns: list[FileColumn], places: Iterator[str]) -> Iterator[str]:
    """Yield those of the places in one folder that no row names and nobody awaits."""
    awaited = {column.place_of(name) for column in columns for name in column.awaited()}
    while batch := [place for _number, place in zip(range(BATCH_ROWS), places, strict=False)]:
        named = awaited.union(*(column.named(batch) for column in columns))
        yield from (place for place in batch if place not in named)


declare(FileColumn(Job, "result_path", "jobs", purpose="job-result"))
_WITH_FILE = Q(state__in=set(DataImportState) - {DataImportState.DONE, DataImportState.DISCARDED})
declare(FileColumn(DataImport, "id", "data-imports", purpose="data-import", rows=_WITH_FILE))
declare(FileColumn(WorkEntry, "file_key", "work", client="client_id", size="size_bytes", sha256="sha256"))
