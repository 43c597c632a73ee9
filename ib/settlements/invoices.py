"""Self-billing invoices: the broker writes the partner's invoice for what was credited, where the partner's terms ask for it.

Required by Art. 224 and 226 of Directive 2006/112/EC: a number of a sequence, both names and addresses, the supplier's VAT
number, the amounts with and without VAT, and the words "self-billing" and, where the recipient owes the VAT, "reverse charge".
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crm.models import Brand
from crm.rendering.report import Fingerprint
from ib.choices import VatTreatment
from ib.models import InvoiceFile, SelfBillingInvoice, Settlement
from ib.settlements.credit_notes import issue_credit_notes
from ib.settlements.vat import local_rate, local_vat, next_number, split_vat
from wallet.documents import pdf
from wallet.models import Letterhead

TEMPLATE = "ib/pdf/self_billing.html"


def issue_invoices(brand: Brand, settlements: Sequence[Settlement], now: dt.datetime) -> list[SelfBillingInvoice]:
    """Write the invoices of new settlements, numbered in their order, and before them the credit notes for what they offset.

    Call with the brand's commissions locked.
    """
    notes = issue_credit_notes(brand, settlements, now)
    offset: dict[int, Decimal] = defaultdict(Decimal)
    for note in notes:
        offset[note.settlement_id] += note.total
    wanted = [row for row in settlements if row.amount and row.terms and row.terms.vat_treatment != VatTreatment.NONE]
    if not wanted:
        return []
    series, first = next_number(SelfBillingInvoice, brand, now)
    on = now.astimezone(ZoneInfo(brand.time_zone)).date()
    rates = {currency: local_rate(brand, currency, on) for currency in {row.currency for row in wanted}}
    head = Letterhead.objects.filter(brand=brand).first()
    invoices = []
    for number, row in enumerate(wanted, start=first):
        terms = row.terms
        assert terms is not None, "filtered above"
        total = row.amount + offset[row.pk]
        net, vat = split_vat(total, row.currency, terms.vat_rate)
        invoice = SelfBillingInvoice(
            brand=brand,
            partner_id=row.partner_id,
            settlement=row,
            series=series,
            number=number,
            currency=row.currency,
            net=net,
            vat=vat,
            total=total,
            vat_treatment=terms.vat_treatment,
            vat_rate=terms.vat_rate,
            supplier_name=terms.legal_name,
            supplier_address=terms.address,
            supplier_vat_id=terms.vat_id,
            recipient_name=brand.legal_name or brand.name,
            recipient_address=head.address if head else "",
            recipient_tax_number=head.tax_number if head else "",
            issued_at=now,
            **(rates[row.currency] if vat else {}),
        )
        for name, value in local_vat(vat, invoice).items():
            setattr(invoice, name, value)
        invoices.append(invoice)
    return SelfBillingInvoice.objects.bulk_create(invoices, batch_size=1000)


def content_hash(invoice: SelfBillingInvoice) -> str:
    """Hash the invoice's figures and names: the same in every language."""
    mark = Fingerprint(f"self-billing:{invoice.reference}")
    for name in ("net", "vat", "total", "vat_rate"):
        mark.row([getattr(invoice, name)])
    for name in ("currency", "vat_treatment", "supplier_name", "supplier_address", "supplier_vat_id", "recipient_name"):
        mark.row([getattr(invoice, name)])
    return mark.hexdigest()


def make_file(settlement_id: int) -> InvoiceFile | None:
    """Set the PDF of a settlement's invoice, once; None where it has no invoice. In a worker: it takes a third of a second."""
    invoice = (
        SelfBillingInvoice.objects.select_related("brand", "partner__user", "settlement")
        .filter(settlement_id=settlement_id)
        .first()
    )
    if invoice is None:
        return None
    made = InvoiceFile.objects.filter(invoice=invoice).first()
    if made is not None:
        return made
    language = invoice.partner.user.language or invoice.brand.default_language
    with translation.override(language):
        title = _("Self-billing invoice %(number)s") % {"number": invoice.reference}
    notes = list(invoice.settlement.credit_notes.select_related("brand", "invoice__brand").order_by("pk"))
    context = {
        "invoice": invoice,
        "notes": notes,
        "title": title,
        "made_at": invoice.issued_at,
        "content_hash": content_hash(invoice),
    }
    content = pdf.letter(TEMPLATE, context, brand=invoice.brand, language=language)
    return InvoiceFile.objects.create(
        invoice=invoice, content=content, sha256=hashlib.sha256(content).hexdigest(), made_at=timezone.now()
    )
