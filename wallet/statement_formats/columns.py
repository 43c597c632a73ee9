"""What the columns of a bank's table mean: guessed by their names in many languages, and by what stands in them."""

from __future__ import annotations

import itertools
import re
from typing import Any

from wallet.statement_formats.cells import CURRENCY_WORDS, days_of, is_amount, plain
from wallet.statement_formats.column_names import NAMES

KNOWN = {name: (meaning, rank) for meaning, names in reversed(NAMES.items()) for rank, name in enumerate(names)}
SEVERAL = {"text"}
VALUE = re.compile(r"[-+(€$£]?\s*\d")
# A name with a currency or unit in it: Betrag (EUR), Amount GBP, Withdrawals (SGD), Kwota (zł).
WITH_CURRENCY = re.compile(r"[(\[]?\b([A-Z]{3})\b[)\]]?\Z")
NAME_CHARS_MAX = 120
LOOSE = (
    ("balance", re.compile(r"\b(balance|saldo|solde|kontostand|zustatek)\b")),
    ("value", re.compile(r"\b(value date|valuta ?datum|wertstellung|valeur)\b")),
    ("date", re.compile(r"\b(date|datum|datums|fecha|data|dato|tag|time)\b")),
    ("debit", re.compile(r"\b(debits?|withdrawals?|paid out|money out|soll|belastung|debet)\b")),
    ("credit", re.compile(r"\b(credits?|deposits?|paid in|money in|haben|gutschrift)\b")),
    ("amount", re.compile(r"\b(amount|betrag|bedrag|montant|importe|importo|kwota|castka|belopp|valor|summe)\b")),
    ("currency", re.compile(r"\b(currency|wahrung|waehrung|devise|divisa|moneda)\b")),
    ("name", re.compile(r"\b(counterparty|payee|beneficiary|empfanger|auftraggeber|merchant|tegenpartij)\b")),
    (
        "text",
        re.compile(
            r"\b(description|details|narrative|verwendungszweck|purpose|memo|omschrijving|libelle|remarks?|particulars)\b"
        ),
    ),
)


def meaning_of(name: str) -> tuple[str, int, str]:
    """Of one header cell: its meaning, how far down its list it stands, and the currency in it. ("", …): unknown."""
    name = name.strip().strip('"')
    if len(name) > NAME_CHARS_MAX:
        return "", 0, ""
    told = plain(name)
    if told in KNOWN:
        return *KNOWN[told], ""
    found = WITH_CURRENCY.search(name)
    code = found[1] if found and found[1] in CURRENCY_WORDS else ""
    if found and code and (bare := plain(name[: found.start()])) in KNOWN:
        return *KNOWN[bare], code
    if name.endswith((")", "]")) and (bare := plain(re.split(r"[(\[]", name, maxsplit=1)[0])) in KNOWN:
        return *KNOWN[bare], ""
    if len(told) <= 40:
        for meaning, form in LOOSE:
            if form.search(told):
                return meaning, 100, code
    return "", 0, ""


def is_header(row: list[Any]) -> bool:
    """Recognise a row of names: at least two known, one a day and one money, and no day or amount in it."""
    cells = [str(cell) for cell in row if str(cell).strip()]
    known = {meaning_of(cell)[0] for cell in cells} - {""}
    has_values = any(
        days_of(cell) or (is_amount(cell) and VALUE.match(str(cell).lstrip())) for cell in row if str(cell).strip()
    )
    return bool(known & {"date", "value"}) and bool(known & {"amount", "debit", "credit", "balance"}) and not has_values


def by_names(row: list[Any]) -> tuple[dict[str, list[int]], str]:
    """Meaning → columns of a header, and the currency that its names tell. The best name of each meaning wins."""
    told: dict[str, list[tuple[int, int]]] = {}
    currency = ""
    for at, cell in enumerate(row):
        meaning, rank, code = meaning_of(str(cell))
        if meaning:
            told.setdefault(meaning, []).append((rank, at))
            currency = currency or (code if meaning in ("amount", "debit", "credit", "balance") else "")
    found = {
        meaning: [at for _rank, at in (places if meaning in SEVERAL else sorted(places)[:1])]
        for meaning, places in told.items()
    }
    if "debit" in found and "credit" not in found and "amount" in found:
        del found["debit"]
    if "credit" in found and "debit" not in found and "amount" in found:
        del found["credit"]
    if "date" not in found and "value" in found:
        found["date"] = found["value"]
    return found, currency


def by_content(rows: list[list[Any]]) -> dict[str, list[int]]:
    """Of a table without names: the first column of days, the amounts, and texts. Two columns of amounts of which each row fills
    one are debit and credit; a second amount whose differences are the first is a balance (told by whoever proves it)."""
    width = max((len(row) for row in rows), default=0)
    columns = [[row[at] if at < len(row) else "" for row in rows] for at in range(width)]
    filled = [[cell for cell in column if str(cell).strip()] for column in columns]
    days = [
        at
        for at, cells in enumerate(filled)
        if cells and sum(bool(days_of(cell)) for cell in cells) >= 0.8 * len(cells) and len(cells) >= 0.6 * len(rows)
    ]
    amounts = [
        at
        for at, cells in enumerate(filled)
        if at not in days
        and cells
        and all(is_amount(cell) for cell in cells)
        and any(_has_decimals(cell) for cell in cells)
    ]
    if not amounts:
        amounts = [
            at
            for at, cells in enumerate(filled)
            if at not in days and cells and all(is_amount(cell) and len(str(cell)) < 12 for cell in cells)
        ][-1:]
    if not days or not amounts:
        return {}
    found: dict[str, list[int]] = {"date": days[:1]}
    if len(days) > 1:
        found["value"] = days[1:2]
    found |= _amounts(columns, amounts)
    currencies = [
        at for at, cells in enumerate(filled) if cells and all(str(cell).strip() in CURRENCY_WORDS for cell in cells)
    ]
    if currencies:
        found["currency"] = currencies[:1]
    taken = {at for places in found.values() for at in places}
    texts = [
        at
        for at, cells in enumerate(filled)
        if at not in taken
        and at not in amounts
        and cells
        and any(re.search(r"[A-Za-z]{3}", str(cell)) for cell in cells)
    ]
    sides = [
        at
        for at in range(width)
        if at not in taken and filled[at] and {str(cell).strip().upper() for cell in filled[at]} <= SIDES
    ]
    if sides and len(filled[sides[0]]) >= 0.9 * len(rows):
        found["indicator"] = sides[:1]
    if texts := [at for at in texts if at not in sides]:
        found["text"] = sorted(texts, key=lambda at: -len(set(map(str, filled[at]))))[:4]
        found["text"].sort()
    return found


def _amounts(columns: list[list[Any]], amounts: list[int]) -> dict[str, list[int]]:
    """Two columns of which each row fills one (the other is empty or zero) are debit and credit; a further one is the balance."""
    for one, two in itertools.pairwise(amounts):
        pairs = list(zip(columns[one], columns[two], strict=True))
        if len(pairs) > 1 and all(_is_nothing(left) != _is_nothing(right) for left, right in pairs):
            rest = [at for at in amounts if at > two and all(str(cell).strip() for cell in columns[at])]
            return {"debit": [one], "credit": [two]} | ({"balance": rest[:1]} if rest else {})
    full = [at for at in amounts if all(str(cell).strip() for cell in columns[at])]
    halves = [at for at in amounts if at not in full]
    if full:
        return {"amount": full[:1]} | ({"balance": full[1:2]} if len(full) > 1 else {})
    if len(halves) >= 2:
        return {"debit": halves[:1], "credit": halves[1:2]}
    return {"amount": amounts[:1]}


def _is_nothing(cell: Any) -> bool:
    return not re.search(r"[1-9]", str(cell))


def _has_decimals(cell: Any) -> bool:
    return isinstance(cell, float) or bool(re.search(r"[.,]\d{1,2}\D*$", str(cell)))


DEBITS = {
    "D",
    "DR",
    "DB",
    "DBIT",
    "DEBIT",
    "DEBET",
    "S",
    "SOLL",
    "AF",
    "OUT",
    "-",
    "OUTFLOW",
    "OUTGOING",
    "WITHDRAWAL",
    "DARE",
    "CARGO",
    "DEBITO",
    "DÉBIT",
    "DEBE",
    "O",
    "L",
    "B-",
    "KIADAS",
    "KIADÁS",
    "SPENT",
    "SENT",
}
CREDITS = {
    "C",
    "CR",
    "CRDT",
    "CREDIT",
    "KREDIT",
    "H",
    "HABEN",
    "BIJ",
    "IN",
    "+",
    "INFLOW",
    "INCOMING",
    "DEPOSIT",
    "AVERE",
    "ABONO",
    "CREDITO",
    "CRÉDIT",
    "HABER",
    "I",
    "K",
    "B+",
    "BEVETEL",
    "BEVÉTEL",
    "RECEIVED",
}
SIDES = DEBITS | CREDITS
