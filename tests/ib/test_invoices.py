"""Self-billing invoices: the tax fields of the terms, numbers without gaps, a PDF that never changes."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from crm import events
from ib import engine, settlement
from ib.models import Accrual, CreditNote, InvoiceFile, SelfBillingInvoice, Settlement
from ib.settlements import forfeits
from ib.settlements.vat import local_rate, local_vat, split_vat
from tests.ib.factories import load_rates, make_partner
from tests.ib.test_settlement_pages import agree, trade
from tests.ib.test_statements import text_of_pdf
from trading.models import Deal
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


def test_a_clawback_of_an_invoiced_commission_gets_a_credit_note(invoiced, cast, browse):
    """Two lots are invoiced as three, less a note for the one that was clawed back, by the first invoice's VAT."""
    first = SelfBillingInvoice.objects.get(partner=invoiced.sub)
    forfeits.declare(client_id=cast.client.pk, cause="fraud")
    agree(cast, invoiced.sub, cycle="instant", vat_treatment="standard", vat_rate=Decimal(7), **COMPANY)
    settlement.settle_cycles(brand=cast.brand)
    assert not CreditNote.objects.exists()  # nothing to offset it against yet
    forfeits.lift(client_id=cast.client.pk, cause="fraud")
    settlement.settle_cycles(brand=cast.brand)
    row = trade(invoiced, lots="2")
    take_back_one(first, cast)
    settlement.settle_cycles(brand=cast.brand)
    note = CreditNote.objects.get()
    latest = SelfBillingInvoice.objects.latest("id")
    assert (note.invoice, note.total, note.net, note.vat) == (first, Decimal(6), Decimal("5.04"), Decimal("0.96"))
    assert latest.total == row.amount == 12 and latest.settlement == note.settlement
    assert latest.settlement.amount == 6 == latest.total - note.total
    assert note.reference == f"MERIDIAN-CN-{note.series}-000001"
    for _time in range(2):
        events.drain()
    page = browse(invoiced.sub.user).get(reverse("partner_settlement", args=[latest.settlement_id])).content.decode()
    assert note.reference in page and latest.reference in page and first.reference in page
    assert (
        note.reference
        in browse(cast.finance).get(reverse("ib_settlement", args=[first.settlement_id])).content.decode()
    )
    answer = browse(invoiced.sub.user).get(reverse("partner_credit_note", args=[note.pk]))
    text = text_of_pdf(answer.content)
    assert first.reference in text and note.reference in text and "−€6.00" in text
    assert browse(cast.finance).get(reverse("ib_credit_note", args=[note.pk])).content == answer.content
    assert browse(invoiced.top.user).get(reverse("partner_credit_note", args=[note.pk])).status_code == 404


def take_back_one(invoice, cast):
    """The first trade's deal is changed to no trade on the platform: what it earned is corrected by the engine."""
    first = Accrual.objects.filter(partner=invoice.partner, kind="original").earliest("id")
    Deal.objects.filter(pk=first.deal_id).update(action=14, revision=1)
    engine.run_for_deals(deal_ids=[first.deal_id], corrects=True)


def test_the_database_keeps_a_credit_note_within_its_invoice(invoiced, cast):
    invoice = SelfBillingInvoice.objects.get(partner=invoiced.sub)
    trade(invoiced)
    agree(cast, invoiced.sub, cycle="instant")
    settlement.settle_cycles(brand=cast.brand)
    later = Settlement.objects.latest("id")
    fields = {
        "brand": invoice.brand,
        "partner": invoice.partner,
        "invoice": invoice,
        "settlement": later,
        "series": 2026,
    }
    fields |= {"currency": "EUR", "vat_rate": 19, "issued_at": later.settled_at}
    for number, total, text in ((2, 1, "without a gap"), (1, 7, "never more")):
        with pytest.raises(DatabaseError, match=text), transaction.atomic():
            CreditNote.objects.create(**fields, number=number, total=total, net=total, vat=0)


def test_vat_in_another_currency_is_stated_in_the_brands_too(cast):
    on = dt.date(2026, 3, 2)
    load_rates(on)
    assert local_rate(cast.brand, "EUR", on) == {}
    rate = local_rate(cast.brand, "USD", on)
    assert rate["local_currency"] == "EUR" and rate["local_on"] <= on
    invoice = SelfBillingInvoice(currency="USD", **rate)
    assert local_vat(Decimal("19.00"), invoice) == {"local_vat": round(Decimal("19.00") * rate["local_rate"], 2)}
    assert local_vat(Decimal(0), invoice) == {} and local_rate(cast.brand, "XXX", on) == {}
