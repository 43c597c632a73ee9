"""What `import_statement --dry-run --json` prints of a file. The shape is described in docs/statements.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from wallet.statement_formats.errors import BadStatement
from wallet.statement_formats.parsed import Balance, Booking, Parsed, Weight, written


def entry_json(entry: Booking) -> dict[str, Any]:
    """Describe an entry as JSON; amounts are text in major units."""
    references = {"bank": entry.bank_reference, "end_to_end": entry.end_to_end, "batch": entry.batch} | entry.references
    told: dict[str, Any] = {
        "date": entry.booked_on.isoformat() if entry.booked_on else None,
        "value_date": entry.value_on.isoformat() if entry.value_on else None,
        "amount": written(entry.amount, entry.currency),
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
        told["is_reversal"] = True
    if entry.return_reason:
        told["return_reason"] = entry.return_reason
    if entry.original:
        told["original"] = {"amount": written(*entry.original), "currency": entry.original[1]}
    if entry.balance_after is not None:
        told["balance_after"] = written(entry.balance_after, entry.currency)
    if entry.details:
        told["details"] = [entry_json(one) for one in entry.details]
    return told


def balance_json(balance: Balance | None, currency: str) -> dict[str, Any] | None:
    """Describe a balance as JSON; None where there is none."""
    if balance is None:
        return None
    return {
        "amount": written(balance.amount, balance.currency or currency),
        "currency": balance.currency or currency or None,
        "date": balance.on.isoformat() if balance.on else None,
        "code": balance.code or None,
    }


def head_json(one: Parsed) -> dict[str, Any]:
    """All of a statement but its entries."""
    opening, closing = one.balance("opening"), one.balance("closing")
    others = [
        {"kind": balance.kind} | (balance_json(balance, one.currency) or {})
        for balance in one.balances
        if balance is not opening and balance is not closing
    ]
    amounts = [entry.amount for entry in one.booked if entry.amount is not None]
    credits, debits = (sum((amount for amount in amounts if amount * sign > 0), Decimal(0)) for sign in (1, -1))
    problems = [str(trouble) for trouble in one.troubles if trouble.weight == Weight.PROOF]
    return {
        "place": one.place,
        "id": one.id or None,
        "number": one.number or None,
        "account": one.account or None,
        "owner": one.owner or None,
        "bank": one.bank or None,
        "currency": one.currency or None,
        "from": one.first_day.isoformat() if one.first_day else None,
        "to": one.last_day.isoformat() if one.last_day else None,
        "balances": {
            "opening": balance_json(opening, one.currency),
            "closing": balance_json(closing, one.currency),
            "others": others,
        },
        "totals": {
            "entries": len(one.entries),
            "booked": len(one.booked),
            "credits": written(credits, one.currency),
            "debits": written(debits, one.currency),
            "net": written(credits + debits, one.currency),
        },
        "proof": {"ok": not problems, "checks": list(dict.fromkeys(one.checks)), "problems": problems},
        "warnings": [str(trouble) for trouble in one.troubles if trouble.weight != Weight.PROOF],
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
            for one in self.statements:
                yield from self._statement(one)
        except BadStatement as error:
            self.problems.append(error.message)
        end = {
            "ok": not self.problems,
            "totals": {"statements": self.count, "entries": self.entries},
            "problems": self.problems,
        }
        yield "\n ]," + json.dumps(end, ensure_ascii=False, indent=1)[1:]

    def _statement(self, one: Parsed) -> Iterator[str]:
        told = head_json(one)
        self.problems += told["proof"]["problems"]
        yield ("," if self.count else "") + "\n  " + json.dumps(told, ensure_ascii=False)[:-1] + ', "entries": ['
        self.count += 1
        for number, entry in enumerate(one.entries):
            yield ("," if number else "") + "\n   " + json.dumps(entry_json(entry), ensure_ascii=False)
        self.entries += len(one.entries)
        yield "]}"
