"""Books and reports for tests of the reconciliation, without a PSP behind them."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

from django.db import transaction
from django.utils import timezone

from crm.models import Book, Brand
from tests.cast import make_client
from tests.wallet.factories import make_psp
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.models import Psp, PspMovement, SettlementImport, SettlementRow
from wallet.psp.waiting_reports import lock_psp
from wallet.reconciliation import match_report

FIRST = dt.date(2026, 9, 1)
NUMBERS = itertools.count(1)


def world(code: str = "recon") -> tuple[Psp, Any]:
    brand = Brand.objects.create(
        code=code, name="Recon", legal_name="Recon Ltd", jurisdiction="CY", support_email="help@recon.example"
    )
    book = Book.objects.create(brand=brand, name="Book")
    client = make_client(brand=brand, book=book, email=f"{code}@example.com", login=False)
    return make_psp(brand, f"{code}-psp"), client


def movement(
    psp: Psp,
    client: Any,
    reference: str,
    minor: int,
    *,
    psp_reference: str | None = None,
    currency: str = "EUR",
    kind: str = "payment",
    day: int = 5,
    hour: int = 12,
    common: str = "",
) -> PspMovement:
    """Booked as a deposit (or its opposite) and known as the PSP's."""
    wallet = posting.house(AccountKind.SUSPENSE, brand_id=psp.brand_id, currency=currency)
    clearing = posting.psp_clearing(psp, currency)
    with transaction.atomic():
        posted = posting.post(
            Entry(
                key=f"test:{psp.pk}:{kind}:{reference}:{next(NUMBERS)}",
                kind=JournalKind.DEPOSIT,
                brand_id=psp.brand_id,
                lines=(Line(clearing, -minor), Line(wallet, minor)),
            )
        )
    return PspMovement.objects.create(
        psp=psp,
        kind=kind,
        reference=reference,
        common_reference=common,
        client=client,
        journal_id=posted.journal_id,
        psp_reference=f"p-{reference}" if psp_reference is None else psp_reference,
        amount_minor=minor,
        currency=currency,
        occurred_at=at(day, hour),
    )


def at(day: int, hour: int = 12) -> dt.datetime:
    return dt.datetime.combine(FIRST, dt.time(hour), tzinfo=dt.UTC) + dt.timedelta(days=day - 1)


def row(
    reference: str,
    minor: int,
    *,
    psp_reference: str | None = None,
    fee: int = 0,
    currency: str = "EUR",
    type: str = "payment",
    day: int = 5,
    hour: int = 13,
    **more: Any,
) -> dict[str, Any]:
    return {
        "type": type,
        "merchant_reference": reference,
        "gross_minor": minor,
        "fee_minor": fee,
        "net_minor": minor - fee,
        "psp_reference": f"p-{reference}" if psp_reference is None else psp_reference,
        "currency": currency,
        "booked_at": at(day, hour),
        **more,
    }


def report(
    psp: Psp,
    rows: list[dict[str, Any]],
    *,
    first: int = 1,
    last: int = 30,
    name: str = "",
    actor: Any = None,
    match: bool = True,
) -> SettlementImport:
    """A report of days of September whose rows are stored, matched; one at a time, as imports are."""
    with transaction.atomic():
        lock_psp(psp.pk)
        one = SettlementImport.objects.create(
            psp=psp,
            file_name=name or f"{first}-{last}.csv",
            sha256=f"{next(NUMBERS):064d}",
            stored_name=f"test-{next(NUMBERS)}",
            size_bytes=0,
            first_day=FIRST + dt.timedelta(days=first - 1),
            last_day=FIRST + dt.timedelta(days=last - 1),
            row_count=len(rows),
            imported_at=timezone.now(),
            imported_by=actor,
        )
        SettlementRow.objects.bulk_create(
            SettlementRow(report=one, line=place, **fields) for place, fields in enumerate(rows, start=2)
        )
        if match:
            match_report(one)
            one.save()
    return one
