"""Documents of the demo: a letterhead per brand, last month's fees invoiced, and what the demo's clients find in the room."""

from __future__ import annotations

import datetime as dt
import io
import math

from PIL import Image, ImageDraw

from crm.choices import Role
from crm.demo import Demo
from crm.models import Brand, User
from wallet.choices.deposits import DepositState
from wallet.documents import invoices, making, receipts, statement
from wallet.documents.letterhead import change_letterhead
from wallet.documents.policies import can_make_for_brand, can_manage_letterhead
from wallet.models import Deposit, FeeInvoice

ADDRESSES = ("1 Harbour Road\n3030 Limassol\nCyprus", "12 Collins Street\nMelbourne VIC 3000\nAustralia")
TAX_NOTE = "Payment services are exempt from VAT."


def write_documents(demo: Demo) -> None:
    """By the verbs that finance and clients use."""
    people = demo.by_role.get(Role.FINANCE.value, [])
    month = (demo.now.astimezone(dt.UTC).date().replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    for place, brand in enumerate(demo.brands):
        _letterhead(brand, ADDRESSES[place % len(ADDRESSES)], people)
        able = next((person for person in people if can_make_for_brand(person, brand.pk)), None)
        if able is not None:
            invoices.issue_fee_invoices(brand_id=brand.pk, month=month, actor=able)
    _papers_of_a_client(month)


def _letterhead(brand: Brand, address: str, people: list[User]) -> None:
    able = next((person for person in people if can_manage_letterhead(person, brand.pk)), None)
    if able is not None:
        texts = {"address": address, "tax_number": f"{brand.code[:2].upper()}0000000X", "tax_note": TAX_NOTE}
        change_letterhead(brand_id=brand.pk, texts=texts, logo=_logo(brand), actor=able)


def _logo(brand: Brand) -> bytes:
    """A mark in the brand's colours; a real broker uploads its own."""
    words = ImageDraw.Draw(Image.new("RGBA", (1, 1))).textlength(brand.name, font_size=58)
    picture = Image.new("RGBA", (190 + math.ceil(words), 150), (255, 255, 255, 0))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((0, 0, 150, 150), 34, fill=brand.colour)
    draw.polygon([(34, 112), (75, 34), (116, 112)], outline="white", width=10)
    draw.text((178, 42), brand.name, fill="#1a2230", font_size=58)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _papers_of_a_client(month: dt.date) -> None:
    """A receipt, the month's statement and, where there were fees, an invoice for one client with a login for the demo."""
    deposits = Deposit.objects.filter(client__user__preferences__demo_login=True, state=DepositState.SETTLED)
    deposit = deposits.select_related("client__brand", "client__user", "psp", "wallet").order_by("-id").first()
    if deposit is None:
        return
    client, language = deposit.client, making.language_of(deposit.client)
    making.make(receipts.draft_of(deposit, language), made_by=client.user)
    figures = statement.gather(client, *invoices.month_of(month))
    making.make(statement.draft_of(figures, language), made_by=client.user)
    invoice = FeeInvoice.objects.filter(client=client).select_related("client__brand", "brand").first()
    if invoice is not None:
        making.make(invoices.draft_of(invoice, language), made_by=client.user)
