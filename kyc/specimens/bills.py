"""Bills and statements as proof of address, in the languages of our clients."""

from __future__ import annotations

import datetime as dt
import io
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import reportlab
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

FONTS = Path(reportlab.__file__).parent / "fonts"


@dataclass(frozen=True)
class BillStyle:
    """What an issuer prints besides the customer: its name, the title, labels of its language, how it writes dates."""

    issuer: str
    title: str
    dated: str
    number: str
    items: tuple[str, ...]
    date: str = "%d.%m.%Y"


UTOPIAN = BillStyle(
    "Utopia Power & Water",
    "Your electricity bill",
    "Invoice date",
    "Invoice number",
    ("Consumption", "Standing charge", "Network charge", "Tax"),
)
STYLES: dict[str, BillStyle] = {
    "DE": BillStyle(
        "Stadtwerke Musterstadt",
        "Ihre Stromrechnung",
        "Rechnungsdatum",
        "Rechnungsnummer",
        ("Verbrauch in kWh", "Grundpreis", "Netzentgelt", "Umsatzsteuer"),
    ),
    "AT": BillStyle(
        "Musterbank Austria", "Kontoauszug", "Datum", "Auszug Nr.", ("Anfangssaldo", "Gutschrift", "Endsaldo")
    ),
    "FR": BillStyle(
        "Énergie de Demain",
        "Votre facture d'électricité",
        "Date de facture",
        "Facture n°",
        ("Consommation", "Abonnement", "Taxes"),
        "%d/%m/%Y",
    ),
    "ES": BillStyle(
        "Aguas del Sur",
        "Factura de agua",
        "Fecha de emisión",
        "Factura núm.",
        ("Consumo", "Cuota fija", "IVA"),
        "%d/%m/%Y",
    ),
    "IT": BillStyle(
        "Banca di Prova",
        "Estratto conto",
        "Data di emissione",
        "Estratto n.",
        ("Saldo iniziale", "Bonifico", "Saldo finale"),
        "%d/%m/%Y",
    ),
    "PL": BillStyle(
        "Energia Próbna S.A.",
        "Faktura za prąd",
        "Data wystawienia",
        "Faktura nr",
        ("Zużycie energii", "Opłata stała", "VAT"),
    ),
    "NL": BillStyle(
        "Gemeente Voorbeeld",
        "Aanslag gemeentelijke belastingen",
        "Dagtekening",
        "Aanslagnummer",
        ("Afvalstoffenheffing", "Rioolheffing"),
        "%d-%m-%Y",
    ),
    "PT": BillStyle(
        "Luz do Norte",
        "Fatura de eletricidade",
        "Data de emissão",
        "Fatura n.º",
        ("Consumo", "Potência", "IVA"),
        "%d-%m-%Y",
    ),
    "GB": BillStyle(
        "Fibreline Telecom",
        "Your broadband bill",
        "Bill date",
        "Bill number",
        ("Broadband", "Landline calls", "VAT"),
        "%d %B %Y",
    ),
}


@dataclass(frozen=True)
class UtilityBill:
    """What is printed on a bill: the customer's name and address, and the invoice's day and number."""

    name: str
    address_line: str
    postal_code: str
    city: str
    issued_on: dt.date
    country: str = ""
    number: int = 4711
    style: BillStyle = UTOPIAN


def utility_bill(bill: UtilityBill, *, is_small: bool = False) -> bytes:
    """Draw a bill as one page of PDF with a text layer.

    is_small: with the reader's own fonts, for Latin names; drawn three times as fast.
    """
    _register_pdf_fonts()
    plain, bold = ("Helvetica", "Helvetica-Bold") if is_small else ("Vera", "VeraBd")
    style = bill.style
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=1)
    canvas.setTitle("SPECIMEN utility bill")
    width, height = A4
    canvas.setFillColorRGB(0.05, 0.4, 0.45)
    canvas.rect(0, height - 26 * mm, width, 26 * mm, stroke=0, fill=1)
    canvas.setFillColorRGB(1, 1, 1)
    canvas.setFont(bold, 18)
    canvas.drawString(20 * mm, height - 17 * mm, style.issuer)
    canvas.setFillColorRGB(0.1, 0.1, 0.1)
    canvas.setFont(plain, 11)
    for row, line in enumerate([bill.name, bill.address_line, f"{bill.postal_code} {bill.city}", bill.country]):
        canvas.drawString(20 * mm, height - 50 * mm - row * 5.5 * mm, line)
    canvas.drawRightString(width - 20 * mm, height - 50 * mm, f"{style.dated}: {bill.issued_on.strftime(style.date)}")
    canvas.drawRightString(width - 20 * mm, height - 55.5 * mm, f"{style.number}: {bill.number}")
    canvas.setFont(bold, 14)
    canvas.drawString(20 * mm, height - 92 * mm, style.title)
    canvas.setFont(plain, 10)
    amounts = random.Random(bill.number)  # noqa: S311 — figures on a specimen
    for row, item in enumerate(style.items):
        top = height - 106 * mm - row * 7 * mm
        canvas.drawString(20 * mm, top, item)
        canvas.drawRightString(width - 20 * mm, top, f"{amounts.randint(300, 9900) / 100:.2f} EUR")
        canvas.line(20 * mm, top - 2 * mm, width - 20 * mm, top - 2 * mm)
    _stamp(canvas, bold)
    canvas.save()
    return out.getvalue()


def _stamp(canvas: Canvas, font: str) -> None:
    width, height = A4
    canvas.saveState()
    canvas.translate(width / 2, height / 2.6)
    canvas.rotate(35)
    canvas.setFillColorRGB(0.8, 0.1, 0.1, alpha=0.14)
    canvas.setFont(font, 84)
    canvas.drawCentredString(0, 0, "SPECIMEN")
    canvas.restoreState()


@cache
def _register_pdf_fonts() -> None:
    pdfmetrics.registerFont(TTFont("Vera", str(FONTS / "Vera.ttf")))
    pdfmetrics.registerFont(TTFont("VeraBd", str(FONTS / "VeraBd.ttf")))
