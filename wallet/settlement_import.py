"""A PSP's settlement report comes in: read, proved, stored whole or not at all; then `reconciliation` matches it."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import audit, crypto
from crm.errors import DomainError
from crm.events import ReconciliationFinished, publish
from crm.policies import require
from wallet import policies
from wallet.models import Psp, SettlementImport, SettlementRow
from wallet.psp import adapter_of
from wallet.psp.base import SettlementFile
from wallet.reconciliation import ANALYZE_ROWS_MIN, match_report

ORIGINAL_PURPOSE = "settlement-report"


def import_report(*, psp_id: int, file_name: str, content: bytes, actor: Any) -> SettlementImport:
    """Import one settlement report: read, prove, store, match, name the breaks, book fees and payouts to our bank.

    All of it happens or nothing does. Who: `wallet.run_reconciliation` on the PSP's brand; None is the daily run.
    Raises: NotAllowed, BadFile (with line and column), DomainError when the same file is there already.
    """
    psp = Psp.objects.select_related("brand").get(pk=psp_id)
    if actor is not None:
        require(policies.can_reconcile(actor, psp))
    started = time.monotonic()
    digest = hashlib.sha256(content).hexdigest()
    report_file = adapter_of(psp).read_settlement(content)
    with transaction.atomic():
        _refuse_twice(psp, digest)
        report = SettlementImport.objects.create(
            psp=psp, file_name=file_name[:160], sha256=digest, first_day=report_file.first_day,
            last_day=report_file.last_day, row_count=len(report_file.rows), totals=_totals(report_file),
            sealed_original=crypto.encrypt(content, purpose=ORIGINAL_PURPOSE), imported_by=actor,
            imported_at=timezone.now(),
        )  # fmt: skip
        _store_rows(report, report_file)
        match_report(report)
        report.seconds = Decimal(str(round(time.monotonic() - started, 3)))
        report.save()
        audit.record(
            actor=actor, action="wallet.report_imported", target=report, brand_id=psp.brand_id,
            after={
                "psp": psp.code, "file": report.file_name, "sha256": digest, "rows": report.row_count,
                "matched": report.matched, "breaks": report.breaks_found,
            },
        )  # fmt: skip
        publish(
            ReconciliationFinished(
                brand_id=psp.brand_id, run_id=report.pk, matched=report.matched, breaks=report.breaks_found
            )
        )
    return report


def fetch_and_import(*, psp_id: int, first: dt.date, last: dt.date, actor: Any) -> SettlementImport:
    """Fetch a period's report from the PSP's own API and import it. Who: as for importing; None is the daily run."""
    psp = Psp.objects.select_related("brand").get(pk=psp_id)
    if actor is not None:
        require(policies.can_reconcile(actor, psp))
    if last < first:
        raise DomainError(_("The first day must not be after the last one."))
    content = adapter_of(psp).fetch_settlement(first, last)
    return import_report(psp_id=psp_id, file_name=f"{psp.code}-{first}-{last}.csv", content=content, actor=actor)


def original_of(report: SettlementImport) -> bytes:
    """The file as it came."""
    return crypto.decrypt(bytes(report.sealed_original), purpose=ORIGINAL_PURPOSE)


def _refuse_twice(psp: Psp, digest: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('keelson.reconcile'), %s)", [psp.pk])
    known = SettlementImport.objects.filter(psp=psp, sha256=digest).first()
    if known is not None:
        raise DomainError(
            _("This file was imported already, on %(day)s as “%(name)s”. Nothing was changed.")
            % {"day": known.imported_at.date(), "name": known.file_name},
            code="same_file",
        )


def _totals(report_file: SettlementFile) -> dict[str, dict[str, int]]:
    totals: dict[str, dict[str, int]] = {
        currency: {
            "opening": opening,
            "gross": 0,
            "fee": 0,
            "net": 0,
            "closing": report_file.closing[currency],
            "rows": 0,
        }
        for currency, opening in report_file.opening.items()
    }
    for row in report_file.rows:
        one = totals[row.currency]
        one["gross"] += row.gross_minor
        one["fee"] += row.fee_minor
        one["net"] += row.net_minor
        one["rows"] += 1
    return totals


def _store_rows(report: SettlementImport, report_file: SettlementFile) -> None:
    SettlementRow.objects.bulk_create(
        (
            SettlementRow(
                report=report, line=row.line, type=row.type, psp_reference=row.psp_reference,
                merchant_reference=row.merchant_reference, original_reference=row.original_reference, batch=row.batch,
                booked_at=row.booked_at, currency=row.currency, gross_minor=row.gross_minor, fee_minor=row.fee_minor,
                net_minor=row.net_minor,
            )
            for row in report_file.rows
        ),
        batch_size=5_000,
    )  # fmt: skip
    if report.row_count >= ANALYZE_ROWS_MIN:
        # Without statistics the planner takes minutes for what takes a second.
        with connection.cursor() as cursor:
            cursor.execute("SELECT keelson_analyze('wallet_settlementrow')")
