"""Tables of banks: what their columns mean is said once for each account and shape, and remembered.

A table whose columns are named as many banks name them is read without asking. Any other waits, until somebody has said on its page
which column is what; that is kept under the names of the columns, and the next file of the shape is read by it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import audit, crypto
from crm.errors import DomainError
from crm.policies import require
from wallet import policies
from wallet.models import BankFile, Psp, TableMapping, WaitingTable
from wallet.models.bank import ORIGINAL_PURPOSE
from wallet.psp.settlement import EndUnknown
from wallet.statements_in import BadStatement, Mapping, Parsed, find_format, read_file
from wallet.statements_in.mapping import fingerprint, guess
from wallet.statements_in.table_rows import first_rows

TABLES = ("csv", "xlsx")
WAITS_DAYS = 30
WAITING_BYTES_MAX = 64 * 1024 * 1024


class MappingNeeded(BadStatement):
    """Nobody has said what the columns of this table mean, and they do not say it themselves."""

    code = "mapping_needed"


@dataclass(frozen=True)
class Shape:
    """A table's first rows, what they tell by themselves, and what tells its shape from others."""

    rows: list[tuple[int, list[Any]]]
    guessed: Mapping | None
    fingerprint: str


def _file(content: bytes | BinaryIO) -> BinaryIO:
    return io.BytesIO(content) if isinstance(content, bytes) else content


def shape_of(content: bytes | BinaryIO) -> Shape:
    """Raises BadStatement for what is no table."""
    file = _file(content)
    kind = find_format(file)
    if kind not in TABLES:
        raise BadStatement(_("This is no table: it is read without a mapping."))
    rows = first_rows(file, kind)
    cells = [row for _number, row in rows]
    guessed = guess(cells)
    return Shape(rows, guessed, fingerprint(cells, guessed))


def mapping_for(psp: Psp, content: bytes | BinaryIO) -> Mapping | None:
    """The remembered mapping of a table's shape. None: it is no table, or says by itself what it is. Raises MappingNeeded."""
    if find_format(_file(content)) not in TABLES:
        return None
    shape = shape_of(content)
    known = TableMapping.objects.filter(psp=psp, fingerprint=shape.fingerprint).first()
    if known is not None:
        return _moved(Mapping.of_json(known.mapping), shape)
    if shape.guessed is None or shape.guessed.doubts:
        raise MappingNeeded(_("Say which column is what: the table's own names do not tell it."))
    if not shape.guessed.currency and "currency" not in shape.guessed.columns and not _is_marked(shape):
        raise MappingNeeded(_("Say in which currency the table is: it names none."))
    return None


def _is_marked(shape: Shape) -> bool:
    """Whether currencies stand beside the amounts: then they are read from there."""
    statements = list(_read(shape, shape.guessed)) if shape.guessed else []
    return bool(statements) and all(one.currency for one in statements)


def _read(shape: Shape, mapping: Mapping | None) -> list[Parsed]:
    from wallet.statements_in.table import read_rows

    return list(read_rows(iter(shape.rows), mapping))


def _moved(mapping: Mapping, shape: Shape) -> Mapping:
    """The names stand where they stand in this file: what a bank writes above them may be longer or shorter."""
    if mapping.header >= 0 and shape.guessed is not None and shape.guessed.header >= 0:
        return replace(mapping, header=shape.guessed.header)
    return mapping


@transaction.atomic
def keep_waiting(*, psp_id: int, file_name: str, content: bytes, actor: Any) -> WaitingTable:
    """Keep a table (encrypted) until its mapping is said. The same file again is the same row; old ones are thrown away.

    Who: `wallet.handle_bank_entries` on the PSP's brand. Raises: NotAllowed, DomainError for one that is too large to wait.
    """
    psp = Psp.objects.select_related("brand").get(pk=psp_id)
    require(policies.can_handle_bank(actor, psp))
    if len(content) > WAITING_BYTES_MAX:
        raise DomainError(
            _("A table that waits for its columns has at most 64 MB: upload a shorter one of the shape first.")
        )
    old = timezone.now() - dt.timedelta(days=WAITS_DAYS)
    WaitingTable.objects.filter(psp=psp, uploaded_at__lt=old).delete()
    waiting, is_new = WaitingTable.objects.get_or_create(
        psp=psp,
        sha256=hashlib.sha256(content).hexdigest(),
        defaults={
            "file_name": file_name[:160], "sealed_content": crypto.encrypt(content, purpose=ORIGINAL_PURPOSE),
            "uploaded_by": actor, "uploaded_at": timezone.now(),
        },
    )  # fmt: skip
    if is_new:
        audit.record(
            actor=actor, action="wallet.bank_table_waits", target=waiting, brand_id=psp.brand_id,
            after={"psp": psp.code, "file": waiting.file_name, "sha256": waiting.sha256},
        )  # fmt: skip
    return waiting


def preview(waiting: WaitingTable, mapping: Mapping) -> list[Parsed]:
    """What the whole table says under a mapping; proved. Raises BadStatement."""
    _kind, found = read_file(io.BytesIO(waiting.content), "auto", mapping)
    return list(found)


def import_waiting(*, waiting_id: int, mapping: Mapping, actor: Any) -> BankFile:
    """Take the table in by this mapping, and remember the mapping for the account and shape.

    Who: `wallet.handle_bank_entries` on the PSP's brand. Raises: NotAllowed, BadStatement, DomainError; then nothing is kept.
    EndUnknown: the mapping is remembered, and the file waits for a person to confirm that it's complete.
    """
    taken = _import_by(waiting_id, replace(mapping, doubts=[]), actor)
    if isinstance(taken, EndUnknown):
        raise taken
    return taken


@transaction.atomic
def _import_by(waiting_id: int, mapping: Mapping, actor: Any) -> BankFile | EndUnknown:
    from wallet.bank import import_statement

    waiting = WaitingTable.objects.select_for_update(of=["self"]).select_related("psp__brand").get(pk=waiting_id)
    psp = waiting.psp
    require(policies.can_handle_bank(actor, psp))
    content = waiting.content
    taken: BankFile | EndUnknown
    try:
        taken = import_statement(
            psp_id=psp.pk, file_name=waiting.file_name, content=content, actor=actor, mapping=mapping
        )
    except EndUnknown as waits:
        taken = waits
    known, _is_new = TableMapping.objects.update_or_create(
        psp=psp, fingerprint=shape_of(content).fingerprint,
        defaults={"name": waiting.file_name, "mapping": mapping.as_json(), "made_by": actor, "made_at": timezone.now()},
    )  # fmt: skip
    audit.record(
        actor=actor, action="wallet.bank_table_mapped", target=known, brand_id=psp.brand_id,
        after={"psp": psp.code, "file": waiting.file_name, "mapping": mapping.as_json()},
    )  # fmt: skip
    waiting.delete()
    return taken


@transaction.atomic
def discard_table(*, waiting_id: int, actor: Any) -> None:
    """Throw a waiting table away. Who: `wallet.handle_bank_entries` on the PSP's brand."""
    waiting = WaitingTable.objects.select_for_update(of=["self"]).select_related("psp__brand").get(pk=waiting_id)
    require(policies.can_handle_bank(actor, waiting.psp))
    audit.record(
        actor=actor, action="wallet.bank_table_discarded", target=waiting, brand_id=waiting.psp.brand_id,
        before={"psp": waiting.psp.code, "file": waiting.file_name, "sha256": waiting.sha256},
    )  # fmt: skip
    waiting.delete()


@transaction.atomic
def forget_mapping(*, mapping_id: int, actor: Any) -> None:
    """The next table of the shape is asked about again. Who: `wallet.handle_bank_entries` on the PSP's brand."""
    known = TableMapping.objects.select_for_update(of=["self"]).select_related("psp__brand").get(pk=mapping_id)
    require(policies.can_handle_bank(actor, known.psp))
    audit.record(
        actor=actor, action="wallet.bank_table_forgotten", target=known, brand_id=known.psp.brand_id,
        before={"psp": known.psp.code, "mapping": known.mapping},
    )  # fmt: skip
    known.delete()


def count_use(psp: Psp, content: bytes | BinaryIO) -> None:
    """One more file was read by its remembered mapping."""
    from django.db.models import F

    if find_format(_file(content)) in TABLES:
        TableMapping.objects.filter(psp=psp, fingerprint=shape_of(content).fingerprint).update(files=F("files") + 1)


def require_complete(mapping: Mapping) -> None:
    """What a mapping needs before anything is read by it. Raises DomainError."""
    if "date" not in mapping.columns:
        raise DomainError(_("Say which column is the day of the booking."))
    if not mapping.columns.keys() & {"amount", "debit", "credit"}:
        raise DomainError(_("Say which column is the amount, or which are money out and money in."))
    if not mapping.currency and "currency" not in mapping.columns:
        raise DomainError(_("Say in which currency the amounts are, or which column tells it."))
