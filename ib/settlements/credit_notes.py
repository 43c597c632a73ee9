"""Credit notes: what a clawback or a correction takes from commissions that a self-billing invoice was issued for.

A document that amends an invoice refers to it and is treated as one (Art. 219 of Directive 2006/112/EC); VAT is reduced by
the invoice's own rate (Art. 90). It is issued by the settlement that offsets the correction against new earnings, whose
invoice then states the earnings in full: invoice − credit notes = what the ledger credited, in every settlement. What is
negative meanwhile waits (`InvoiceCorrection`); what is written off was never repaid, and gets no note.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final

from django.db import connection
from django.db.models import Exists, OuterRef, Sum
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crm.i18n import formats
from crm.models import Brand
from crm.money import amounts
from crm.rendering.report import Fingerprint
from ib.models import CreditNote, CreditNoteFile, InvoiceCorrection, InvoiceFile, SelfBillingInvoice, Settlement
from ib.settlements.vat import local_vat, next_number, split_vat
from wallet.documents import pdf

TEMPLATE = "ib/pdf/credit_note.html"
NOTES_SHOWN: Final = 50
# Corrections in new settlements, summed by the invoice that the corrected line was in: the first one of its settlement or after
# it, as what is carried is invoiced later. Lines as in `lines_of`; the periods keep the index (partner, period).
BY_INVOICE = """
WITH fresh AS (
  SELECT s.id, s.partner_id, s.currency, s.to_id, s.to_at, p.to_id AS from_id, p.to_at AS from_at, p.settled_at
  FROM ib_settlement s LEFT JOIN ib_settlement p ON p.id = s.previous_id
  WHERE s.id = ANY (%(settlements)s)
    AND EXISTS (SELECT FROM ib_selfbillinginvoice i WHERE i.partner_id = s.partner_id AND i.currency = s.currency)
), lines AS (
  SELECT f.id AS settlement_id, f.partner_id, f.currency, a.corrects_id, a.amount
  FROM fresh f
  JOIN ib_settlementperiod q ON q.brand_id = %(brand)s
    AND (f.from_id IS NULL OR q.closed_at IS NULL OR q.closed_at > f.settled_at OR q.ends_at > f.from_at)
  JOIN ib_accrual a ON a.partner_id = f.partner_id AND a.period_id = q.id AND a.currency = f.currency
  WHERE a.corrects_id IS NOT NULL AND a.id <= f.to_id AND a.closed_at < f.to_at
    AND (f.from_id IS NULL OR a.id > f.from_id OR a.closed_at >= f.from_at)
    AND NOT EXISTS (SELECT FROM ib_heldline h WHERE h.accrual_id = a.id AND h.passed_id = f.id)
  UNION ALL
  SELECT f.id, f.partner_id, f.currency, a.corrects_id, a.amount
  FROM fresh f JOIN ib_heldline h ON h.taken_id = f.id JOIN ib_accrual a ON a.id = h.accrual_id
  WHERE a.corrects_id IS NOT NULL
)
SELECT l.settlement_id, i.id, -sum(l.amount)
FROM lines l
JOIN ib_accrual k ON k.id = l.corrects_id
LEFT JOIN ib_heldline kh ON kh.accrual_id = k.id
JOIN LATERAL (
  SELECT o.id FROM ib_settlement o
  WHERE CASE WHEN kh.id IS NULL
    THEN o.partner_id = k.partner_id AND o.currency = k.currency AND o.to_id >= k.id AND o.to_at > k.closed_at
    ELSE o.id = kh.taken_id END
  ORDER BY o.id LIMIT 1
) o ON true
JOIN LATERAL (
  SELECT i.id FROM ib_selfbillinginvoice i
  WHERE i.partner_id = l.partner_id AND i.currency = l.currency AND i.settlement_id >= o.id AND i.settlement_id < l.settlement_id
  ORDER BY i.settlement_id LIMIT 1
) i ON true
GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass
class Open:
    """An invoice of a partner with what is corrected of it: `waiting` has no credit note yet, `room` is what may be credited."""

    invoice: SelfBillingInvoice
    waiting: Decimal
    room: Decimal
    changes: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def change(self, settlement: Settlement, amount: Decimal) -> Decimal:
        """Take more or less from it, never more than is left of it nor less than nothing; return the change."""
        after = min(max(self.waiting + amount, Decimal(0)), self.room)
        change, self.waiting = after - self.waiting, after
        self.changes[settlement.pk] += change
        return change


def issue_credit_notes(brand: Brand, settlements: Sequence[Settlement], now: dt.datetime) -> list[CreditNote]:
    """Write the credit notes of new settlements, before their invoices. Call with the brand's commissions locked."""
    partners = {row.partner_id for row in settlements}
    invoices = list(SelfBillingInvoice.objects.filter(partner_id__in=partners).order_by("settlement_id"))
    if not invoices:
        return []
    opened = _open(invoices)
    taken = _corrections(brand, settlements)
    notes: list[CreditNote] = []
    for row in sorted(settlements, key=lambda row: row.pk):
        own = [one for one in opened.values() if _is_of(one.invoice, row)]
        for one in own:
            one.change(row, taken.get((row.pk, one.invoice.pk), Decimal(0)))
        _forgive(own, row)
        if row.amount:
            notes += [note for one in own if (note := _note(one, row, now)) is not None]
    InvoiceCorrection.objects.bulk_create(
        InvoiceCorrection(invoice=one.invoice, settlement_id=settlement_id, amount=amount)
        for one in opened.values()
        for settlement_id, amount in one.changes.items()
        if amount
    )
    series, number = next_number(CreditNote, brand, now)
    for offset, note in enumerate(notes):
        note.brand, note.series, note.number = brand, series, number + offset
    return CreditNote.objects.bulk_create(notes, batch_size=1000)


def _is_of(invoice: SelfBillingInvoice, row: Settlement) -> bool:
    return invoice.partner_id == row.partner_id and invoice.currency == row.currency


def _open(invoices: Sequence[SelfBillingInvoice]) -> dict[int, Open]:
    """Read what is corrected of invoices, and what of that has a credit note."""
    corrected = dict(
        InvoiceCorrection.objects.filter(invoice__in=invoices).values_list("invoice").annotate(Sum("amount")).order_by()
    )
    noted = dict(
        CreditNote.objects.filter(invoice__in=invoices).values_list("invoice").annotate(Sum("total")).order_by()
    )
    return {
        invoice.pk: Open(
            invoice,
            corrected.get(invoice.pk, Decimal(0)) - noted.get(invoice.pk, Decimal(0)),
            invoice.total - noted.get(invoice.pk, Decimal(0)),
        )
        for invoice in invoices
    }


def _corrections(brand: Brand, settlements: Sequence[Settlement]) -> dict[tuple[int, int], Decimal]:
    with connection.cursor() as cursor:
        cursor.execute(BY_INVOICE, {"brand": brand.pk, "settlements": [row.pk for row in settlements]})
        return {(settlement_id, invoice_id): amount for settlement_id, invoice_id, amount in cursor.fetchall()}


def _forgive(own: Sequence[Open], row: Settlement) -> None:
    """End the newest corrections with a negative sum that is written off: it was never repaid."""
    left = row.written_off
    for one in reversed(own):
        left -= one.change(row, left)


def _note(one: Open, row: Settlement, now: dt.datetime) -> CreditNote | None:
    """Credit what was offset, in whole smallest units; what is finer waits for the next note."""
    total = amounts.quantize(one.waiting, row.currency, rounding=ROUND_FLOOR)
    if total <= 0:
        return None
    one.waiting -= total
    one.room -= total
    invoice = one.invoice
    net, vat = split_vat(total, row.currency, invoice.vat_rate)
    return CreditNote(
        partner_id=row.partner_id,
        invoice=invoice,
        settlement=row,
        currency=row.currency,
        net=net,
        vat=vat,
        total=total,
        vat_rate=invoice.vat_rate,
        issued_at=now,
        **local_vat(vat, invoice),
    )


def content_hash(note: CreditNote) -> str:
    """Hash the note's figures and what it corrects: the same in every language."""
    mark = Fingerprint(f"credit-note:{note.reference}")
    mark.row([note.invoice.reference, note.currency])
    mark.row([note.net, note.vat, note.total, note.vat_rate])
    return mark.hexdigest()


def make_files(settlement_id: int) -> list[CreditNoteFile]:
    """Set the PDFs of a settlement's credit notes, each once. In a worker."""
    notes = CreditNote.objects.filter(settlement_id=settlement_id, file__isnull=True).order_by("pk")
    return [_make_file(note) for note in notes.select_related("brand", "partner__user", "settlement", "invoice__brand")]


def _make_file(note: CreditNote) -> CreditNoteFile:
    language = note.partner.user.language or note.brand.default_language
    with translation.override(language):
        title = _("Credit note %(number)s") % {"number": note.reference}
    context = {"note": note, "title": title, "made_at": note.issued_at, "content_hash": content_hash(note)}
    content = pdf.letter(TEMPLATE, context, brand=note.brand, language=language)
    return CreditNoteFile.objects.create(
        note=note, content=content, sha256=hashlib.sha256(content).hexdigest(), made_at=timezone.now()
    )


def documents_of(settlement: Settlement) -> dict[str, Any]:
    """Gather a settlement's invoice, the credit notes that it offset, and later ones about its invoice; three statements."""
    made = Exists(InvoiceFile.objects.filter(invoice=OuterRef("pk")))
    invoice = (
        SelfBillingInvoice.objects.filter(settlement=settlement).select_related("brand").annotate(has_file=made).first()
    )
    notes = CreditNote.objects.select_related("brand", "invoice__brand", "settlement")
    notes = notes.annotate(has_file=Exists(CreditNoteFile.objects.filter(note=OuterRef("pk"))))
    later = notes.filter(invoice=invoice).order_by("pk")[:NOTES_SHOWN] if invoice else []
    return {
        "invoice": invoice,
        "notes": list(notes.filter(settlement=settlement).order_by("pk")[:NOTES_SHOWN]),
        "later_notes": [(note, formats.money(note.total, note.currency)) for note in later],
    }
