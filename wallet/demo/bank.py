"""The bank's side of the demo: a statement a month with what PSPs paid out, and a few lines that somebody has to look at."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal

from crm.demo import Demo
from crm.money.amounts import from_minor
from wallet.bank.payout_matching import DAYS_TO_ARRIVE
from wallet.bank.statements import import_statement
from wallet.choices.reconciliation import RowType
from wallet.demo.providers import BANK_IBAN
from wallet.demo.reports import months_until
from wallet.models import BankFile, Psp, SettlementRow

CURRENCY = "EUR"
HEADER = ("date", "amount", "currency", "name", "iban", "text", "own account")
KEEPING, ENTRIES = Decimal("-12.50"), Decimal("-4.20")
NOT_ARRIVED = "northpay"  # its last payout that should be here is not

Line = tuple[dt.date, Decimal, str, str, str]


def import_statements(demo: Demo) -> None:
    """Every month's statement until yesterday, imported the next morning as one does."""
    account = Psp.objects.filter(adapter="bank_wire").select_related("brand").order_by("pk").first()
    if account is None:
        return
    yesterday = demo.now.astimezone(dt.UTC).date() - dt.timedelta(days=1)
    lines = [*_payouts(account, yesterday), *_fees(yesterday), *_of_yesterday(yesterday)]
    for first, last in months_until(yesterday):
        file = import_statement(
            psp_id=account.pk,
            file_name=f"statement-{first:%Y-%m}.csv",
            actor=None,
            is_complete=True,
            content=_statement([line for line in lines if first <= line[0] <= last]),
        )
        morning = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(7, 10), tzinfo=dt.UTC)
        BankFile.objects.filter(pk=file.pk).update(imported_at=min(morning, demo.now))


def _payouts(account: Psp, yesterday: dt.date) -> list[Line]:
    """What the brand's PSPs say they paid, a day later at the bank; one of them has not come."""
    rows = SettlementRow.objects.filter(
        report__psp__brand=account.brand, type=RowType.MERCHANT_PAYOUT, currency=CURRENCY, is_repeat=False
    )
    paid = [
        (row.booked_at.date() + dt.timedelta(days=1), row)
        for row in rows.select_related("report__psp").order_by("booked_at", "pk")
    ]
    due = [
        row
        for day, row in paid
        if row.report.psp.code == NOT_ARRIVED and day + dt.timedelta(days=DAYS_TO_ARRIVE) <= yesterday
    ]
    return [
        (day, from_minor(-row.net_minor, CURRENCY), row.report.psp.name, "", f"PAYOUT {row.psp_reference}")
        for day, row in paid
        if day <= yesterday and (not due or row.pk != due[-1].pk)
    ]


def _fees(yesterday: dt.date) -> list[Line]:
    """On the first and last day of each month: a statement without balances reaches from its first line to its last."""
    spans = months_until(yesterday)
    return [
        *((first, KEEPING, "", "", "Account keeping") for first, _last in spans),
        *((last, ENTRIES, "", "", "Fees for entries") for _first, last in spans),
    ]


def _of_yesterday(yesterday: dt.date) -> list[Line]:
    """Two payments that name no deposit."""
    return [
        (yesterday, Decimal("750.00"), "Ada Lindqvist", "DE75512108001245126199", "deposit trading"),
        (yesterday, Decimal("1200.00"), "Bruno Keller", "FR1420041010050500013M02606", "D-2345 my account"),
    ]


def _statement(lines: list[Line]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\n")
    writer.writerow(HEADER)
    for day, amount, name, iban, text in sorted(lines):
        writer.writerow((day.isoformat(), f"{amount:f}", CURRENCY, name, iban, text, BANK_IBAN))
    return out.getvalue().encode()
