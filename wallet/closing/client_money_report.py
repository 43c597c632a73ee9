"""The daily calculation of client money as a regulator reads it: one month of a brand, as PDF, workbook or CSV."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

from django.utils import timezone
from django.utils.translation import gettext as _

from crm.models import Brand
from crm.money.amounts import Money
from crm.rendering.cell_text import cell_text
from crm.rendering.report import Column, Named, Report, Section
from wallet.choices.month_end import Cover
from wallet.closing.client_money import newest
from wallet.core.months import Month
from wallet.documents.pdf import look_of
from wallet.models import ClientMoneyDay

CSV_COLUMNS = (
    "day",
    "currency",
    "version",
    "cover",
    "clients",
    "wallets",
    "trading",
    "debit",
    "unallocated",
    "requirement",
    "bank_books",
    "bank_statement",
    "statement_on",
    "bank",
    "transit",
    "transit_counts",
    "resource",
    "difference",
    "content_hash",
    "made_at",
)


def days_of(brand: Brand, month: Month) -> list[ClientMoneyDay]:
    """List the last version of each day and currency of a month, by currency and day."""
    rows = newest(ClientMoneyDay.objects.filter(brand=brand, day__range=(month.first, month.last)))
    return sorted(rows, key=lambda row: (row.currency, row.day))


def report_of(brand: Brand, month: Month) -> Report:
    """Build the month's report: requirement, resource, difference and action per day; a chapter per currency."""
    rows = days_of(brand, month)
    currencies = sorted({row.currency for row in rows}, key=lambda code: (code != brand.base_currency, code))
    return Report(
        key=f"client-money:{brand.code}:{month}",
        title=_("Daily client money calculation"),
        look=look_of(brand),
        subtitle=f"{month}",
        made_at=timezone.now(),
        facts=_facts(brand, month, rows),
        sections=[
            section for code in currencies for section in _sections(code, [row for row in rows if row.currency == code])
        ],
    )


def _facts(brand: Brand, month: Month, rows: list[ClientMoneyDay]) -> list[tuple[str, str | int | Named]]:
    transit = all(row.transit_counts for row in rows)
    return [
        (_("Firm"), brand.legal_name),
        (_("Licence"), brand.licence_number),
        (_("Month"), str(month)),
        (_("Days calculated"), len({row.day for row in rows})),
        (_("Days with a shortfall"), len({row.day for row in rows if row.cover == Cover.SHORT})),
        (_("Money at PSPs included"), Named("yes", _("Yes")) if transit else Named("no", _("No"))),
        (
            _("Method"),
            Named("clients", _("Client balances without netting negative balances; days end at midnight UTC")),
        ),
    ]


def _sections(currency: str, rows: list[ClientMoneyDay]) -> tuple[Section, Section]:
    """Build the tables of what is owed and what is held: two, so that large sums fit the page."""
    lowest = min(rows, key=lambda row: row.difference_minor)
    owed = Section(
        _("Requirement in %(currency)s") % {"currency": currency},
        columns=[
            Column(_("Day")),
            Column(_("Wallets"), end=True),
            Column(_("On platforms"), end=True),
            Column(_("Negative balances"), end=True),
            Column(_("Unallocated"), end=True),
            Column(_("Requirement"), end=True),
        ],
        rows=[
            [row.day, *_money(row, row.wallets, row.trading, row.debit, row.unallocated, row.requirement)]
            for row in rows
        ],
    )
    held = Section(
        _("Resource in %(currency)s") % {"currency": currency},
        facts=[
            (_("Lowest difference"), Money(lowest.difference, currency)),
            (_("Lowest on"), lowest.day),
            (_("Days with a bank statement"), sum(row.statement_on == row.day for row in rows)),
        ],
        columns=[
            Column(_("Day")),
            Column(_("Bank"), end=True),
            Column(_("At PSPs"), end=True),
            Column(_("Resource"), end=True),
            Column(_("Difference"), end=True),
            Column(_("Action"), weight=1.6),
        ],
        rows=[
            [row.day, *_money(row, row.bank, row.transit, row.resource, row.difference), action_of(row)] for row in rows
        ],
    )
    return owed, held


def _money(row: ClientMoneyDay, *amounts: Decimal) -> list[Money]:
    return [Money(amount, row.currency) for amount in amounts]


def action_of(row: ClientMoneyDay) -> Named:
    """Return what the day requires: paying in, money at PSPs, or nothing."""
    if row.difference < 0:
        return Named("pay", _("Transfer %(money)s") % {"money": cell_text(Money(row.bank_short, row.currency))})
    if row.bank_short:
        return Named("transit", _("%(money)s held at PSPs") % {"money": cell_text(Money(row.bank_short, row.currency))})
    return Named("none", _("None"))


def write_csv(brand: Brand, month: Month, path: Path) -> int:
    """Write every day and currency, a line each, amounts in major units. Returns how many."""
    rows = days_of(brand, month)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(CSV_COLUMNS)
        for row in rows:
            writer.writerow(["" if (value := getattr(row, name)) is None else value for name in CSV_COLUMNS])
    return len(rows)
