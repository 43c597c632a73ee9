"""What the columns of a bank's table mean: guessed by their names in many languages, and by their contents."""

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
    """Recognise a header cell: its meaning ("" where unknown), its rank among that meaning's names (0: best), its currency."""
    name = name.strip().strip('"')
    if len(name) > NAME_CHARS_MAX:
        return "", 0, ""
    bare_name = plain(name)
    if bare_name in KNOWN:
        return *KNOWN[bare_name], ""
    match = WITH_CURRENCY.search(name)
    code = match[1] if match and match[1] in CURRENCY_WORDS else ""
    if match and code and (bare := plain(name[: match.start()])) in KNOWN:
        return *KNOWN[bare], code
    if name.endswith((")", "]")) and (bare := plain(re.split(r"[(\[]", name, maxsplit=1)[0])) in KNOWN:
        return *KNOWN[bare], ""
    if len(bare_name) <= 40:
        for meaning, form in LOOSE:
            if form.search(bare_name):
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
    """Map a header's columns by meaning, and find the currency in its names. The best name of each meaning wins.

    A lone debit or credit beside an amount is dropped; the value date serves as the date where that is missing.
    """
    candidates: dict[str, list[tuple[int, int]]] = {}
    currency = ""
    for at, cell in enumerate(row):
        meaning, rank, code = meaning_of(str(cell))
        if meaning:
            candidates.setdefault(meaning, []).append((rank, at))
            currency = currency or (code if meaning in ("amount", "debit", "credit", "balance") else "")
    columns = {
        meaning: [at for _rank, at in (places if meaning in SEVERAL else sorted(places)[:1])]
        for meaning, places in candidates.items()
    }
    if "debit" in columns and "credit" not in columns and "amount" in columns:
        del columns["debit"]
    if "credit" in columns and "debit" not in columns and "amount" in columns:
        del columns["credit"]
    if "date" not in columns and "value" in columns:
        columns["date"] = columns["value"]
    return columns, currency


def by_content(rows: list[list[Any]]) -> dict[str, list[int]]:
    """Map the columns of a table without names by their contents; empty where it has no days or no amounts.

    The first column of days is the date, the second the value date. See `_amounts` for the amounts. The text is the four
    columns of text that vary most.
    """
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
    places_of: dict[str, list[int]] = {"date": days[:1]}
    if len(days) > 1:
        places_of["value"] = days[1:2]
    places_of |= _amounts(columns, amounts)
    currencies = [
        at for at, cells in enumerate(filled) if cells and all(str(cell).strip() in CURRENCY_WORDS for cell in cells)
    ]
    if currencies:
        places_of["currency"] = currencies[:1]
    taken = {at for places in places_of.values() for at in places}
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
        places_of["indicator"] = sides[:1]
    if texts := [at for at in texts if at not in sides]:
        places_of["text"] = sorted(texts, key=lambda at: -len(set(map(str, filled[at]))))[:4]
        places_of["text"].sort()
    return places_of


def _amounts(columns: list[list[Any]], amounts: list[int]) -> dict[str, list[int]]:
    """Map columns of amounts.

    Two of which each row fills one (the other is empty or zero) are debit and credit; a further full one is the balance. Whether it
    is one shows when the running balance is proved.
    """
    for left_at, right_at in itertools.pairwise(amounts):
        pairs = list(zip(columns[left_at], columns[right_at], strict=True))
        if len(pairs) > 1 and all(_is_nothing(left) != _is_nothing(right) for left, right in pairs):
            rest = [at for at in amounts if at > right_at and all(str(cell).strip() for cell in columns[at])]
            return {"debit": [left_at], "credit": [right_at]} | ({"balance": rest[:1]} if rest else {})
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
