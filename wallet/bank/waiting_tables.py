"""Bank tables whose columns aren't mapped yet: stored encrypted until somebody maps them."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from dataclasses import replace

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError
from crm.models import Actor, User
from crm.security import audit, crypto
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.bank import policies
from wallet.bank.column_mappings import shape_of
from wallet.bank.statements import import_statement
from wallet.models import BankFile, Psp, TableMapping, WaitingTable
from wallet.models.bank import ORIGINAL_PURPOSE
from wallet.psp.settlement import EndUnknown
from wallet.statement_formats import Mapping, Parsed, read_file

WAITS_DAYS = 30


WAITING_BYTES_MAX = 64 * 1024 * 1024


@transaction.atomic
def keep_waiting(*, psp_id: int, file_name: str, content: bytes, actor: User) -> WaitingTable:
    """Store a table (encrypted) until it is mapped. The same file again is the same row; old ones are deleted.

    Who: `wallet.handle_bank_entries` on the PSP's brand. Raises: NotAllowed, DomainError for one that is too large to
    wait.
    """
    psp = Psp.objects.select_related("brand").get(pk=psp_id)
    require(policies.can_handle_bank(actor, psp))
    if len(content) > WAITING_BYTES_MAX:
        raise DomainError(
            _("Tables awaiting a column mapping can be at most 64 MB. Upload a shorter file in the same format first.")
        )
    old = timezone.now() - dt.timedelta(days=WAITS_DAYS)
    WaitingTable.objects.filter(psp=psp, uploaded_at__lt=old).delete()
    waiting, is_new = WaitingTable.objects.get_or_create(
        psp=psp,
        sha256=hashlib.sha256(content).hexdigest(),
        defaults={
            "file_name": file_name[:160],
            "sealed_content": crypto.encrypt(content, purpose=ORIGINAL_PURPOSE),
            "uploaded_by": actor,
            "uploaded_at": timezone.now(),
        },
    )
    if is_new:
        audit.record(
            actor=actor,
            action=WalletAction.BANK_TABLE_WAITS,
            target=waiting,
            brand_id=psp.brand_id,
            after={"psp": psp.code, "file": waiting.file_name, "sha256": waiting.sha256},
        )
    return waiting


def preview(waiting: WaitingTable, mapping: Mapping) -> list[Parsed]:
    """Read the whole table by a mapping, with its checks. Raises BadStatement."""
    _kind, statements = read_file(io.BytesIO(waiting.content), "auto", mapping)
    return list(statements)


def import_waiting(*, waiting_id: int, mapping: Mapping, actor: User) -> BankFile:
    """Import the table by this mapping, and remember the mapping for the account and shape.

    Who: `wallet.handle_bank_entries` on the PSP's brand. Raises: NotAllowed, BadStatement, DomainError; then nothing
    is stored.
    EndUnknown: the mapping is remembered, and the file waits for a person to confirm that it's complete.
    """
    taken = _import_by(waiting_id, replace(mapping, doubts=[]), actor)
    if isinstance(taken, EndUnknown):
        raise taken
    return taken


@transaction.atomic
def _import_by(waiting_id: int, mapping: Mapping, actor: User) -> BankFile | EndUnknown:
    waiting = lock(WaitingTable, waiting_id, "psp__brand")
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
        psp=psp,
        fingerprint=shape_of(content).fingerprint,
        defaults={"name": waiting.file_name, "mapping": mapping.as_json(), "made_by": actor, "made_at": timezone.now()},
    )
    audit.record(
        actor=actor,
        action=WalletAction.BANK_TABLE_MAPPED,
        target=known,
        brand_id=psp.brand_id,
        after={"psp": psp.code, "file": waiting.file_name, "mapping": mapping.as_json()},
    )
    waiting.delete()
    return taken


@transaction.atomic
def discard_table(*, waiting_id: int, actor: Actor) -> None:
    """Delete a waiting table. Who: `wallet.handle_bank_entries` on the PSP's brand."""
    waiting = lock(WaitingTable, waiting_id, "psp__brand")
    require(policies.can_handle_bank(actor, waiting.psp))
    audit.record(
        actor=actor,
        action=WalletAction.BANK_TABLE_DISCARDED,
        target=waiting,
        brand_id=waiting.psp.brand_id,
        before={"psp": waiting.psp.code, "file": waiting.file_name, "sha256": waiting.sha256},
    )
    waiting.delete()
