"""Reports and statements that wait for a person to confirm that they are complete."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from crm.models import Actor
from crm.security import audit
from wallet.audit_codes import WalletAction
from wallet.choices.reconciliation import WaitingState
from wallet.core.source_files import StoredOriginal
from wallet.models import Psp, ReportToConfirm


def lock_psp(psp_id: int) -> None:
    """Allow one import, run or decision of a PSP at a time, until the transaction ends. Take it before any row's lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('keelson.reconcile'), %s)", [psp_id])


@transaction.atomic
def hold_report(*, psp: Psp, file_name: str, original: StoredOriginal, actor: Actor, **read: Any) -> int:
    """Store what was read of a report for the person who confirms that it's complete. The same file again is the same row."""
    lock_psp(psp.pk)
    known = ReportToConfirm.objects.filter(psp=psp, sha256=original.sha256, state=WaitingState.WAITING).first()
    if known is not None:
        original.forget()
        return known.pk
    held = ReportToConfirm.objects.create(
        psp=psp,
        file_name=file_name[:160],
        sha256=original.sha256,
        stored_name=original.name,
        size_bytes=original.size_bytes,
        uploaded_by=actor,
        uploaded_at=timezone.now(),
        **read,
    )
    audit.record(
        actor=actor,
        action=WalletAction.REPORT_HELD,
        target=held,
        brand_id=psp.brand_id,
        after={"psp": psp.code, "file": held.file_name, "sha256": held.sha256, "rows": held.row_count},
    )
    return held.pk
