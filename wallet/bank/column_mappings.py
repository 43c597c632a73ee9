"""Column mappings of banks' tables: mapped once for each account and shape, and remembered.

A table whose headings are the usual ones is read without asking. Any other waits until somebody has mapped its columns
on its page; the mapping is stored under the headings, and the next file of the shape is read by it.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from django.db import transaction
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError
from crm.models import Actor
from crm.security import audit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.bank import policies
from wallet.models import Psp, TableMapping
from wallet.statement_formats import BadStatement, Mapping, Parsed, find_format
from wallet.statement_formats.mapping import fingerprint, guess
from wallet.statement_formats.table_rows import first_rows

TABLES = ("csv", "xlsx")


class MappingNeeded(BadStatement):
    """The columns of this table aren't mapped, and their headings weren't recognised."""

    code = "mapping_needed"


@dataclass(frozen=True)
class Shape:
    """A table's first rows, what was guessed from them, and the fingerprint of its headings."""

    rows: list[tuple[int, list[Any]]]
    guessed: Mapping | None
    fingerprint: str


def _file(content: bytes | BinaryIO) -> BinaryIO:
    return io.BytesIO(content) if isinstance(content, bytes) else content


def shape_of(content: bytes | BinaryIO) -> Shape:
    """Read a table's shape. Raises BadStatement for a file that is no table."""
    file = _file(content)
    kind = find_format(file)
    if kind not in TABLES:
        raise BadStatement(_("This file isn't a table and doesn't need a column mapping."))
    rows = first_rows(file, kind)
    cells = [row for _number, row in rows]
    guessed = guess(cells)
    return Shape(rows, guessed, fingerprint(cells, guessed))


def mapping_for(psp: Psp, content: bytes | BinaryIO) -> Mapping | None:
    """Find the remembered mapping of a table's shape, None where none is needed.

    None is needed for a file that is no table, or one whose headings are recognised. Raises MappingNeeded.
    """
    if find_format(_file(content)) not in TABLES:
        return None
    shape = shape_of(content)
    known = TableMapping.objects.filter(psp=psp, fingerprint=shape.fingerprint).first()
    if known is not None:
        return _moved(Mapping.from_json(known.mapping), shape)
    if shape.guessed is None or shape.guessed.doubts:
        raise MappingNeeded(_("Map the columns: their headings weren't recognised."))
    if not shape.guessed.currency and "currency" not in shape.guessed.columns and not _is_marked(shape):
        raise MappingNeeded(_("Select a currency: the table doesn't contain one."))
    return None


def _is_marked(shape: Shape) -> bool:
    """Tell whether currencies are written beside the amounts: then they are read from there."""
    statements = list(_read(shape, shape.guessed)) if shape.guessed else []
    return bool(statements) and all(statement.currency for statement in statements)


def _read(shape: Shape, mapping: Mapping | None) -> list[Parsed]:
    from wallet.statement_formats.table import read_rows

    return list(read_rows(iter(shape.rows), mapping))


def _moved(mapping: Mapping, shape: Shape) -> Mapping:
    """Move the mapping's header row to where the headings are in this file: the rows above them vary."""
    if mapping.header >= 0 and shape.guessed is not None and shape.guessed.header >= 0:
        return replace(mapping, header=shape.guessed.header)
    return mapping


@transaction.atomic
def forget_mapping(*, mapping_id: int, actor: Actor) -> None:
    """Forget a mapping: the next table of the shape waits to be mapped again.

    Who: `wallet.handle_bank_entries` on the PSP's brand. Raises: NotAllowed.
    """
    known = lock(TableMapping, mapping_id, "psp__brand")
    require(policies.can_handle_bank(actor, known.psp))
    audit.record(
        actor=actor,
        action=WalletAction.BANK_TABLE_FORGOTTEN,
        target=known,
        brand_id=known.psp.brand_id,
        before={"psp": known.psp.code, "mapping": known.mapping},
    )
    known.delete()


def count_use(psp: Psp, content: bytes | BinaryIO) -> None:
    """Count one more file that was read by its remembered mapping."""
    from django.db.models import F

    if find_format(_file(content)) in TABLES:
        TableMapping.objects.filter(psp=psp, fingerprint=shape_of(content).fingerprint).update(files=F("files") + 1)


def require_complete(mapping: Mapping) -> None:
    """Refuse a mapping without a date, an amount or a currency. Raises DomainError."""
    if "date" not in mapping.columns:
        raise DomainError(_("Select the booking date column."))
    if not mapping.columns.keys() & {"amount", "debit", "credit"}:
        raise DomainError(_("Select the amount column, or the money in and money out columns."))
    if not mapping.currency and "currency" not in mapping.columns:
        raise DomainError(_("Enter the currency of the amounts or select the currency column."))
