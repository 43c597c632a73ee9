"""Checks that bank statements are complete and follow each other.

Each opens as the one before it closed; a CSV, which has no end mark, needs its balances or a person's confirmation.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from crm.i18n import formats
from crm.money.amounts import Money
from wallet.bank.positions import closing_before
from wallet.models import BankFile
from wallet.psp.bank_wire.adapter import masked
from wallet.statement_formats import Statement


def summary(statement: Statement, known: list[dict[str, Any]]) -> dict[str, Any]:
    """Summarise a statement as `BankFile.statements` stores it. known: those of earlier files."""
    account = masked(statement.account)
    before = closing_before(known, account=account, currency=statement.currency, first_day=statement.first_day)
    return {
        "account": account,
        "currency": statement.currency,
        "first": statement.first_day.isoformat(),
        "last": statement.last_day.isoformat(),
        "entries": len(statement.entries),
        "opening": statement.opening_minor,
        "closing": statement.closing_minor,
        "before": before if statement.opening_minor is not None else None,
    }


def gaps_of(file: BankFile) -> list[str]:
    """List, as sentences, where a statement doesn't open with the closing balance of the one before it."""
    words = _(
        "The statement from %(day)s opens with %(opening)s, the one before it closes with %(closing)s. Is one missing?"
    )
    return [
        words
        % {
            "day": formats.day(dt.date.fromisoformat(statement["first"])),
            "opening": formats.money(Money.of_minor(statement["opening"], statement["currency"])),
            "closing": formats.money(Money.of_minor(statement["before"], statement["currency"])),
        }
        for statement in file.statements
        if statement.get("before") is not None and statement["before"] != statement["opening"]
    ]


@dataclass
class FileEnds:
    """What a person needs to confirm that a file is complete, and whether they must."""

    are_known: bool = True
    rows: int = 0
    first_day: dt.date = dt.date.max
    last_day: dt.date = dt.date.min
    totals: dict[str, dict[str, Any]] = field(default_factory=dict)
    last_row: str = ""

    def add(self, statement: Statement, before: int | None) -> None:
        self.are_known &= statement.has_end or (
            statement.ends_at_opening and before is not None and before == statement.opening_minor
        )
        self.rows += len(statement.entries)
        self.first_day, self.last_day = min(self.first_day, statement.first_day), max(self.last_day, statement.last_day)
        self.last_row = statement.tail or self.last_row
        total = self.totals.setdefault(statement.currency, {"rows": 0, "in": 0, "out": 0})
        total["rows"] += len(statement.entries)
        total["in"] += sum(entry.minor for entry in statement.entries if entry.minor > 0)
        total["out"] += sum(entry.minor for entry in statement.entries if entry.minor < 0)
        total |= {"opening": statement.opening_minor, "closing": statement.closing_minor, "before": before}
