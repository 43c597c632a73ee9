"""Self-billing invoices: the tax fields of the terms, numbers without gaps, a PDF that never changes."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from crm import events
from ib import settlement
from ib.models import InvoiceFile, SelfBillingInvoice, Settlement
from ib.settlements.invoices import split_vat
from tests.ib.factories import make_partner
from tests.ib.test_settlement_pages import agree, trade
from tests.ib.test_statements import text_of_pdf
from wallet.models import Letterhead

pytestmark = pytest.mark.django_db
COMPANY = {"legal_name": "Sub Partners GmbH", "address": "Hauptstr. 1, 10115 Berlin", "vat_id": "DE123456789"}


@pytest.fixture
def invoiced(network, cast):
    """Three partners of one trade: VAT included, reverse charge, and none; the brand's letterhead names its tax number."""
    Letterhead.objects.create(
        brand=cast.brand, address="1 Harbour St", tax_number="CY10259033P", changed_at=dt.datetime.now(dt.UTC)
    )
    agree(cast, network.sub, cycle="daily", vat_treatment="standard", vat_rate=Decimal(19), **COMPANY)
    agree(cast, network.master, cycle="daily", vat_treatment="reverse", **COMPANY)
    agree(cast, network.top, cycle="daily")
    trade(network)
    settlement.settle_cycles(brand=cast.brand)
    return network


def test_an_invoice_states_what_was_credited_with_its_vat(invoiced):
    rows = {row.partner: row for row in SelfBillingInvoice.objects.all()}
    assert set(rows) == {invoiced.sub, invoiced.master}
    sub, master = rows[invoiced.sub], rows[invoiced.master]
    assert (sub.net, sub.vat, sub.total) == (Decimal("5.04"), Decimal("0.96"), Decimal(6))
    assert (master.net, master.vat, master.total) == (Decimal(3), 0, Decimal(3))
    assert {sub.number, master.number} == {1, 2} and sub.recipient_tax_number == "CY10259033P"
    assert sub.reference.startswith("MERIDIAN-SB-") and sub.reference.endswith(f"{sub.number:06}")


def test_the_pdf_is_made_once_and_downloaded_by_partner_and_staff(invoiced, cast, browse):
    row = Settlement.objects.get(partner=invoiced.master)
    assert browse(invoiced.master.user).get(reverse("partner_invoice", args=[row.pk])).status_code == 404
    events.drain()
    events.drain()
    assert InvoiceFile.objects.count() == 2
    answer = browse(invoiced.master.user).get(reverse("partner_invoice", args=[row.pk]))
    text = text_of_pdf(answer.content)
    for part in (
        "Self-billing",
        row.invoice.reference,
        "Sub Partners GmbH",
        "DE123456789",
        "CY10259033P",
        "Reverse charge",
        "€3.00",
    ):
        assert part in text
    assert browse(cast.finance).get(reverse("ib_invoice", args=[row.pk])).content == answer.content
    assert row.invoice.reference in browse(cast.finance).get(reverse("ib_settlement", args=[row.pk])).content.decode()
    assert browse(make_partner(cast.brand).user).get(reverse("partner_invoice", args=[row.pk])).status_code == 404


@pytest.mark.parametrize(
    ("total", "currency", "rate", "net", "vat"),
    [
        ("119", "EUR", "19", "100.00", "19.00"),
        ("0.01", "EUR", "19", "0.01", "0.00"),
        ("100", "JPY", "10", "91", "9"),
        ("6", "EUR", "0", "6.00", "0.00"),
    ],
)
def test_vat_is_part_of_the_commission(total, currency, rate, net, vat):
    assert split_vat(Decimal(total), currency, Decimal(rate)) == (Decimal(net), Decimal(vat))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"number": 4}, "without a gap"),
        ({"number": 2}, "without a gap"),
        ({"number": 3, "total": 7, "net": 7}, "credited"),
    ],
)
def test_the_database_refuses_gaps_and_other_amounts(invoiced, changes, text):
    """Also a number twice: two at once can't both find the same last one."""
    row = SelfBillingInvoice.objects.get(partner=invoiced.master)
    row.pk, row.settlement = None, Settlement.objects.get(partner=invoiced.top)
    row.partner, row.net, row.total = invoiced.top, Decimal(1), Decimal(1)
    for name, value in changes.items():
        setattr(row, name, value)
    with pytest.raises(DatabaseError, match=text), transaction.atomic():
        row.save(force_insert=True)


def test_an_issued_invoice_never_changes(invoiced):
    row = SelfBillingInvoice.objects.first()
    row.supplier_name = "Somebody else"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        row.save()
