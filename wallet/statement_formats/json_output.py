"""The JSON that `import_statement --dry-run --json` prints of a file. The shape is described in docs/statements.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from wallet.statement_formats.errors import BadStatement
from wallet.statement_formats.parsed import Balance, Booking, Parsed, Weight, format_amount


def entry_json(entry: Booking) -> dict[str, Any]:
    """Describe an entry as JSON; amounts are text in major units."""
    references = {"bank": entry.bank_reference, "end_to_end": entry.end_to_end, "batch": entry.batch} | entry.references
    fields: dict[str, Any] = {
        "date": entry.booked_on.isoformat() if entry.booked_on else None,
        "value_date": entry.value_on.isoformat() if entry.value_on else None,
        "amount": format_amount(entry.amount, entry.currency),
        "currency": entry.currency or None,
        "status": str(entry.status),
        "references": {name: value for name, value in references.items() if value},
        "party": {
            "name": entry.party.name or None,
            "account": entry.party.account or None,
            "bic": entry.party.bic or None,
        }
        if entry.party
        else None,
        "description": entry.text,
        "code": entry.code or None,
        "place": entry.place,
    }
    if entry.is_reversal:
        fields["is_reversal"] = True
    if entry.return_reason:
        fields["return_reason"] = entry.return_reason
    if entry.original:
        fields["original"] = {"amount": format_amount(*entry.original), "currency": entry.original[1]}
    if entry.balance_after is not None:
        fields["balance_after"] = format_amount(entry.balance_after, entry.currency)
    if entry.details:
        fields["details"] = [entry_json(part) for part in entry.details]
    return fields


def balance_json(balance: Balance | None, currency: str) -> dict[str, Any] | None:
    """Describe a balance as JSON; None where there is none."""
    if balance is None:
        return None
    return {
        "amount": format_amount(balance.amount, balance.currency or currency),
        "currency": balance.currency or currency or None,
        "date": balance.on.isoformat() if balance.on else None,
        "code": balance.code or None,
    }


def head_json(statement: Parsed) -> dict[str, Any]:
    """Describe a statement as JSON, without its entries."""
    opening, closing = statement.balance("opening"), statement.balance("closing")
    others = [
        {"kind": balance.kind} | (balance_json(balance, statement.currency) or {})
        for balance in statement.balances
        if balance is not opening and balance is not closing
    ]
    amounts = [entry.amount for entry in statement.booked if entry.amount is not None]
    credits, debits = (sum((amount for amount in amounts if amount * sign > 0), Decimal(0)) for sign in (1, -1))
    problems = [str(trouble) for trouble in statement.troubles if trouble.weight == Weight.PROOF]
    return {
        "place": statement.place,
        "id": statement.id or None,
        "number": statement.number or None,
        "account": statement.account or None,
        "owner": statement.owner or None,
        "bank": statement.bank or None,
        "currency": statement.currency or None,
        "from": statement.first_day.isoformat() if statement.first_day else None,
        "to": statement.last_day.isoformat() if statement.last_day else None,
        "balances": {
            "opening": balance_json(opening, statement.currency),
            "closing": balance_json(closing, statement.currency),
            "others": others,
        },
        "totals": {
            "entries": len(statement.entries),
            "booked": len(statement.booked),
            "credits": format_amount(credits, statement.currency),
            "debits": format_amount(debits, statement.currency),
            "net": format_amount(credits + debits, statement.currency),
        },
        "proof": {"ok": not problems, "checks": list(dict.fromkeys(statement.checks)), "problems": problems},
        "warnings": [str(trouble) for trouble in statement.troubles if trouble.weight != Weight.PROOF],
    }


class Report:
    """Writes the JSON as the file is read: no more of it is in memory than one statement."""

    def __init__(self, head: dict[str, Any], statements: Iterator[Parsed]) -> None:
        self.head, self.statements = head, statements
        self.problems: list[str] = []
        self.count = self.entries = 0

    def lines(self) -> Iterator[str]:
        yield json.dumps(self.head, ensure_ascii=False, indent=1)[:-2] + ',\n "statements": ['
        try:
            for statement in self.statements:
                yield from self._statement(statement)
        except BadStatement as error:
            self.problems.append(error.message)
        end = {
            "ok": not self.problems,
            "totals": {"statements": self.count, "entries": self.entries},
            "problems": self.problems,
        }
        yield "\n ]," + json.dumps(end, ensure_ascii=False, indent=1)[1:]

    def _statement(self, statement: Parsed) -> Iterator[str]:
        head = head_json(statement)
        self.problems += head["proof"]["problems"]
        yield ("," if self.count else "") + "\n  " + json.dumps(head, ensure_ascii=False)[:-1] + ', "entries": ['
        self.count += 1
        for number, entry in enumerate(statement.entries):
            yield ("," if number else "") + "\n   " + json.dumps(entry_json(entry), ensure_ascii=False)
        self.entries += len(statement.entries)
        yield "]}"
