"""Any bank's CSV, or sheet of a workbook (XLSX, XLS, ODS): rows by a mapping of its columns, guessed where none is given."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from wallet.statement_formats.cells import CURRENCIES, bare_amount, days_of, number_of, plain
from wallet.statement_formats.columns import CREDITS, DEBITS
from wallet.statement_formats.errors import BadStatement
from wallet.statement_formats.mapping import SAMPLE_ROWS, Mapping, guess
from wallet.statement_formats.parsed import Balance, Booking, Parsed, Party, Status, Weight, known_currency
from wallet.statement_formats.table_rows import Rows, csv_rows
from wallet.statement_formats.workbooks import sheets

PENDING = (
    "pending",
    "vorgemerkt",
    "authori",
    "processing",
    "in progress",
    "reserved",
    "oczekuj",
    "en attente",
    "pendiente",
    "upcoming",
)
NOTHING_MOVED = (
    "declined",
    "reverted",
    "failed",
    "cancelled",
    "canceled",
    "rejected",
    "denied",
    "voided",
    "expired",
    "abgelehnt",
    "storniert vor",
    "not settled",
)
TAIL_CHARS_MAX = 300
OPENING_PHRASES = (
    "opening balance",
    "balance brought forward",
    "brought forward",
    "anfangssaldo",
    "alter kontostand",
    "balance b f",
    "saldo inicial",
    "solde initial",
    "begin saldo",
    "beginsaldo",
    "alter saldo",
    "saldo anterior",
    "saldo poczatkowe",
    "starting balance",
    "beginning balance",
)
CLOSING_PHRASES = (
    "closing balance",
    "carried forward",
    "endsaldo",
    "neuer kontostand",
    "balance c f",
    "saldo final",
    "solde final",
    "eindsaldo",
    "neuer saldo",
    "saldo koncowe",
    "ending balance",
    "kontostand vom",
    "kontostand",
    "balance at end of period",
    "ledger balance",
    "saldo contabile",
)


def read_csv(file: BinaryIO, mapping: Mapping | None = None) -> Iterator[Parsed]:
    """Read the statements of a CSV file.

    Raises: BadStatement (no table, or none with days and amounts).
    """
    yield from read_rows(csv_rows(file), mapping, has_end_mark=False)


def read_workbook(file: BinaryIO, mapping: Mapping | None = None) -> Iterator[Parsed]:
    """Read the first sheet that has a statement in it.

    Raises: BadStatement (what is wrong with the first sheet, where none has one).
    """
    refusal: BadStatement | None = None
    for name, rows in sheets(file):
        try:
            yield from read_rows(iter(rows), mapping, name)
            return
        except BadStatement as error:
            refusal = refusal or error
    raise refusal or BadStatement(_("The workbook has no sheet."))


# ── a statement of each account and currency ─────────────────────────────────────────────────────────────────────────


def read_rows(rows: Rows, mapping: Mapping | None, sheet: str = "", *, has_end_mark: bool = True) -> Iterator[Parsed]:
    """Read the rows of a table as statements, one for each account and currency.

    has_end_mark: the file around the rows can't have been cut off (a workbook's directory is at its end).

    Raises: BadStatement (no mapping given, and no columns of days and amounts recognised).
    """
    head = list(itertools.islice(rows, SAMPLE_ROWS))
    mapping = mapping or guess([row for _number, row in head])
    if mapping is None:
        raise BadStatement(
            _("No date and amount columns were recognised in the table. Map the columns on the mapping page.")
        )
    reader = _Table(mapping, sheet, has_end_mark=has_end_mark)
    for number, row in head[: mapping.header + 1]:
        reader.read_above(number, row)
    for number, row in itertools.chain(head[mapping.header + 1 :], rows):
        reader.read_row(number, row)
    yield from reader.statements()


class _Table:
    def __init__(self, mapping: Mapping, sheet: str, *, has_end_mark: bool) -> None:
        self.mapping, self.sheet, self.has_end_mark = mapping, sheet, has_end_mark
        self.names: list[str] = []
        self.by_account: dict[tuple[str, str], Parsed] = {}
        self.fees: dict[int, Decimal] = {}
        self.notes: list[tuple[str, str]] = []
        self.opening: Decimal | None = None
        self.closing: Decimal | None = None
        self.has_two_balances = False
        self.last_row: tuple[int, list[Any]] | None = None
        # Fewest cells of a booking row but the last; cells of the last row with a day, its line, and whether it books.
        self.width_min, self.last_width, self.last_line, self.last_books = 0, 0, 0, False

    def read_above(self, number: int, row: list[Any]) -> None:
        """Keep the names of the columns, and balances above the table."""
        self.names = [str(cell) for cell in row]
        self._read_balance_row(row)

    def _read_balance_row(self, row: list[Any]) -> bool:
        """Read a row like “Opening balance …” or “Closing balance …” with an amount; False where it is none."""
        text = plain(" ".join(str(cell) for cell in row if isinstance(cell, str)))
        amounts = [
            number
            for cell in row
            if str(cell).strip()
            and not days_of(cell)
            and (number := number_of(cell, self.mapping.decimal or ".")) is not None
        ]
        if not amounts:
            return False
        if any(text.startswith(phrase) or f" {phrase}" in text for phrase in OPENING_PHRASES):
            self.has_two_balances |= self.opening not in (None, amounts[-1])
            self.opening = amounts[-1]
        elif any(text.startswith(phrase) for phrase in CLOSING_PHRASES):
            self.has_two_balances |= self.closing not in (None, amounts[-1])
            self.closing = amounts[-1]
        else:
            return False
        return True

    def cell(self, row: list[Any], meaning: str) -> Any:
        at = self.mapping.column(meaning)
        return row[at] if 0 <= at < len(row) else ""

    def text(self, row: list[Any], meaning: str) -> str:
        places = self.mapping.columns.get(meaning, [])
        texts = [" ".join(str(row[at]).split()) for at in places if at < len(row)]
        return " ".join(dict.fromkeys(text for text in texts if text))

    def number(self, row: list[Any], meaning: str) -> Decimal | None:
        cell = self.cell(row, meaning)
        return number_of(cell, self.mapping.decimal) if str(cell).strip() else None

    def place(self, number: int, meaning: str = "") -> str:
        place = _("Line %(line)s") % {"line": number}
        at = self.mapping.column(meaning)
        if meaning and at >= 0:
            name = self.names[at] if self.mapping.header >= 0 and at < len(self.names) else str(at + 1)
            place = _("Line %(line)s, column “%(column)s”") % {"line": number, "column": name}
        return f"{self.sheet}: {place}" if self.sheet else place

    def read_row(self, number: int, row: list[Any]) -> None:
        self.last_row = (number, row)
        day_cell = self.cell(row, "date")
        days = days_of(day_cell)
        day = days.get(self.mapping.order) or next(iter(days.values()), None)
        amount, trouble, side_currency = self._read_signed_amount(row)
        if day is None and not days_of(self.cell(row, "value")):
            self._read_row_without_day(number, row, day_cell, amount)
            return
        if amount is None and not trouble:
            if not self._read_balance_row(row):
                self.notes.append((self.place(number), _("the row has no amount and is left out.")))
                self._remember_row(number, row, is_booking=False)
            return
        currency = (
            known_currency(CURRENCIES.get(self.text(row, "currency"), self.text(row, "currency")))
            or side_currency
            or self.mapping.currency
        )
        statement = self._statement(self.text(row, "own_account").replace(" ", "") or self.mapping.account, currency)
        if trouble:
            cell = str(self.cell(row, trouble))[:40]
            place = self.place(number, trouble)
            if amount is None:
                statement.add_error(place, _("“%(value)s” is not an amount.") % {"value": cell})
            else:
                message = _("“%(value)s” could mean two different amounts. Write decimals with two digits.") % {
                    "value": cell
                }
                statement.add_trouble(place, message, Weight.NEEDED)
        if (
            self.text(row, "currency")
            and not known_currency(self.text(row, "currency"))
            and self.text(row, "currency") not in CURRENCIES
        ):
            statement.add_error(
                self.place(number, "currency"),
                _("“%(value)s” isn't a currency code.") % {"value": self.text(row, "currency")[:10]},
            )
        statement.entries.append(self._entry(statement, number, row, day, amount, currency))
        self._remember_row(number, row, is_booking=True)

    def _remember_row(self, number: int, row: list[Any], *, is_booking: bool) -> None:
        if self.last_books:
            self.width_min = min(self.width_min or self.last_width, self.last_width)
        self.last_width, self.last_line, self.last_books = len(row), number, is_booking

    def _read_row_without_day(self, number: int, row: list[Any], cell: Any, amount: Decimal | None) -> None:
        if self._read_balance_row(row):
            return
        if str(cell).strip() and any(letter.isdigit() for letter in str(cell)) and amount is not None:
            statement = self._statement(self.mapping.account, self.mapping.currency)
            statement.add_error(
                self.place(number, "date"), _("“%(value)s” is not a date like 2026-10-31.") % {"value": str(cell)[:30]}
            )
        elif amount is not None and str(cell).strip() and any(word in plain(str(cell)) for word in PENDING):
            statement = self._statement(self.mapping.account, self.mapping.currency)
            entry = self._entry(statement, number, row, None, amount, self.mapping.currency)
            entry.status = Status.PENDING
            statement.entries.append(entry)
        elif any(str(other).strip() for other in row):
            self.notes.append((self.place(number), _("the row has no date and is left out.")))

    def _statement(self, account: str, currency: str) -> Parsed:
        key = (account, currency)
        if key not in self.by_account:
            name = " ".join(part for part in (account, currency) if part)
            place = _("The file") if not self.by_account or not name else _("Statement %(id)s") % {"id": name}
            self.by_account[key] = Parsed(place=place, account=account, currency=currency)
        return self.by_account[key]

    def _read_signed_amount(self, row: list[Any]) -> tuple[Decimal | None, str, str]:
        """Read the signed amount; which column has none or one that could mean two; and a currency beside it."""
        mapping = self.mapping
        if "amount" in mapping.columns:
            cell = self.cell(row, "amount")
            if not str(cell).strip():
                return None, "", ""
            number, trouble = self._read_amount(cell), ""
            if number is None:
                return None, "amount", ""
            if number_of(cell, mapping.decimal) is None:
                trouble = "amount"
            side = self.text(row, "indicator").upper()
            if side in DEBITS or side in CREDITS:
                number = abs(number) if side in CREDITS else -abs(number)
            code = bare_amount(cell)[1] if isinstance(cell, str) else ""
            return (-number if mapping.is_inverted else number), trouble, code
        total, code, is_stated, trouble = Decimal(0), "", False, ""
        for meaning, sign in (("debit", 1 if mapping.is_debit_negative else -1), ("credit", 1)):
            cell = self.cell(row, meaning)
            if not str(cell).strip() or str(cell).strip() in ("-", "--"):
                continue
            number = self._read_amount(cell)
            if number is None:
                return None, meaning, ""
            trouble = trouble or (meaning if number_of(cell, mapping.decimal) is None else "")
            is_stated, total = True, total + sign * number
            code = code or (bare_amount(cell)[1] if isinstance(cell, str) else "")
        return (total if is_stated else None), trouble, code

    def _read_amount(self, cell: Any) -> Decimal | None:
        """Read an amount; where the decimal mark is unknown, take the one in the cell (the caller marks the row as doubtful)."""
        number = number_of(cell, self.mapping.decimal)
        if number is None and not self.mapping.decimal:
            number = number_of(cell, "," if "," in str(cell) else ".")
        return number

    def _entry(
        self, statement: Parsed, number: int, row: list[Any], day: dt.date | None, amount: Decimal | None, currency: str
    ) -> Booking:
        values = days_of(self.cell(row, "value"))
        value_on = values.get(self.mapping.order) or next(iter(values.values()), None)
        status = self.text(row, "status").lower()
        entry = Booking(
            place=self.place(number),
            amount=amount,
            currency=currency,
            booked_on=day or value_on,
            value_on=value_on,
            status=Status.PENDING
            if any(word in status for word in PENDING)
            else Status.OTHER
            if any(word in status for word in NOTHING_MOVED)
            else Status.BOOKED,
            bank_reference=self.text(row, "bank_reference"),
            end_to_end=self.text(row, "end_to_end"),
            text=self.text(row, "text"),
            code=self.text(row, "code"),
            balance_after=self.number(row, "balance"),
            party=Party(self.text(row, "name"), self.text(row, "iban").replace(" ", ""), self.text(row, "bic")),
        )
        entry.references = {name: value for name in ("customer", "mandate") if (value := self.text(row, name))}
        original = self.number(row, "original_amount")
        code = known_currency(self.text(row, "original_currency"))
        if original is not None and code and code != currency:
            entry.original = (original, code)
        fee = self.number(row, "fee")
        if fee:
            entry.references["fee"] = str(fee)
            self.fees[id(entry)] = fee
        return entry

    def statements(self) -> Iterator[Parsed]:
        if not self.by_account:
            statement = self._statement(self.mapping.account, self.mapping.currency)
            statement.add_trouble(statement.place, _("it contains no entries."), Weight.NEEDED)
        for number, statement in enumerate(self.by_account.values()):
            if not number and self.last_width < (
                self.width_min or (len(self.names) if self.mapping.header >= 0 else 0)
            ):
                message = _("it has fewer cells than the rows above: the file was cut off.")
                statement.add_trouble(self.place(self.last_line), message, Weight.NEEDED)
            if not number:
                for place, message in self.notes[:50]:
                    statement.add_trouble(place, message)
                for doubt in self.mapping.doubts:
                    statement.add_trouble(_("The file"), describe_doubts()[doubt], Weight.NEEDED)
            if not statement.currency:
                statement.add_trouble(statement.place, _("the currency is missing."), Weight.NEEDED)
            self._derive_balances(statement)
            self._judge_end(statement)
            if len(self.by_account) == 1:
                self._add_stated_balances(statement)
            statement.settle()
            yield statement

    def _judge_end(self, statement: Parsed) -> None:
        """Judge whether balances prove that no row is missing after the last one, and keep that row for the reader.

        A running balance must end at the balance above or below the table that belongs to that end; without one, opening +
        entries = closing. A table has no end mark, so a file that was cut off looks complete otherwise.
        """
        if self.last_row is not None and (cells := [str(cell) for cell in self.last_row[1] if str(cell).strip()]):
            statement.tail = f"{self.place(self.last_row[0])}: {' · '.join(cells)}"[:TAIL_CHARS_MAX].replace("\0", " ")
        if self.has_end_mark:
            return
        entries = [entry for entry in statement.booked if entry.amount is not None]
        opening, closing = statement.balance("opening"), statement.balance("closing")
        is_single = len(self.by_account) == 1 and not self.has_two_balances
        if opening is None or closing is None:
            total = sum((entry.amount or Decimal(0) for entry in entries), Decimal(0))
            is_stated = self.opening is not None and self.closing is not None
            statement.has_end = is_single and is_stated and (self.opening or Decimal(0)) + total == self.closing
            return
        can_rise, can_fall = _is_running(entries), _is_running(entries[::-1])  # oldest or newest first; one row is both
        statement.ends_at_opening = can_fall and not can_rise
        opens = self.opening == opening.amount or (can_rise and not can_fall)
        closes = self.closing == closing.amount or statement.ends_at_opening
        statement.has_end = is_single and opens and closes

    def _add_stated_balances(self, statement: Parsed) -> None:
        for kind, amount in (("opening", self.opening), ("closing", self.closing)):
            if amount is not None and statement.balance(kind) is None:
                statement.balances.append(Balance(kind, amount, statement.currency, None, kind, is_interim=True))

    def _derive_balances(self, statement: Parsed) -> None:
        """Derive opening and closing from the running balance, oldest or newest first; a row that doesn't follow is an error.

        A column without a name that doesn't run was no balance: it is dropped instead.
        """
        entries = [entry for entry in statement.booked if entry.amount is not None]
        if not entries or all(entry.balance_after is None for entry in entries):
            return
        if not _is_running(entries) and not _is_running(entries[::-1]):
            self._include_fees(entries)
        ordered = (
            entries if _is_running(entries) else entries[::-1] if _is_running(entries[::-1]) else _order_by_day(entries)
        )
        if not _is_running(ordered) and "columns" in self.mapping.doubts:
            for entry in statement.entries:  # a column without a name was no balance
                entry.balance_after = None
            return
        if not _is_running(ordered):
            wrong = _first_break(
                entries if len(_find_breaks(entries)) <= len(_find_breaks(entries[::-1])) else entries[::-1]
            )
            statement.add_error(wrong.place, _("its balance doesn't follow from the previous line."))
            statement.checks.append("running balance")
            return
        statement.checks.append("running balance")
        statement.balances.append(_end_balance(ordered[::-1], statement, -1))
        statement.balances.append(_end_balance(ordered, statement, 1))

    def _include_fees(self, entries: list[Booking]) -> None:
        """Include the fees in the amounts where only then the running balance adds up."""
        if not any(id(entry) in self.fees for entry in entries):
            return
        for sign in (-1, 1):
            changed = [entry.amount for entry in entries]
            for entry in entries:
                entry.amount = (entry.amount or Decimal(0)) + sign * self.fees.get(id(entry), Decimal(0))
            if _is_running(entries) or _is_running(entries[::-1]):
                return
            for entry, amount in zip(entries, changed, strict=True):
                entry.amount = amount


def _end_balance(ordered: list[Booking], statement: Parsed, sign: int) -> Balance:
    """Compute the balance behind the last row (sign 1), or before the first of rows in reverse order (-1)."""
    known = next(at for at in range(len(ordered) - 1, -1, -1) if ordered[at].balance_after is not None)
    beyond = ordered[known + 1 :] if sign > 0 else ordered[known:]
    moved = sum((entry.amount or Decimal(0) for entry in beyond), Decimal(0))
    amount = (ordered[known].balance_after or Decimal(0)) + sign * moved
    return Balance(
        "closing" if sign > 0 else "opening", amount, statement.currency, ordered[-1].booked_on, "running balance"
    )


def describe_doubts() -> dict[str, str]:
    """Describe what a table leaves open, for the person who imports it, in their language."""
    return {
        "order": _("day and month could be the other way round."),
        "decimal": _("it's unclear whether “,” or “.” is the decimal separator."),
        "columns": _("the column headings weren't recognised or are missing; their meaning is guessed."),
    }


def _find_breaks(entries: list[Booking]) -> list[Booking]:
    breaks, balance, since = [], None, Decimal(0)
    for entry in entries:
        since += entry.amount or Decimal(0)
        if entry.balance_after is None:
            continue
        if balance is not None and balance + since != entry.balance_after:
            breaks.append(entry)
        balance, since = entry.balance_after, Decimal(0)
    return breaks


def _is_running(entries: Iterable[Booking]) -> bool:
    return not _find_breaks(list(entries))


def _first_break(entries: list[Booking]) -> Booking:
    return _find_breaks(entries)[0]


def _order_by_day(entries: list[Booking]) -> list[Booking]:
    """Order entries whose days run one way and their rows the other; unchanged where neither order makes the balance run."""
    for is_reverse in (False, True):
        groups = [list(group) for _day, group in itertools.groupby(entries, key=lambda entry: entry.booked_on)]
        ordered = [
            entry
            for group in (groups if not is_reverse else groups[::-1])
            for entry in (group[::-1] if not is_reverse else group)
        ]
        if _is_running(ordered):
            return ordered
    return entries
