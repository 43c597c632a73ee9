"""BAI2 (Cash Management Balance Reporting, version 2): records 01, 02, 03, 16, 88, 49, 98, 99.

An account in a group (03 … 49) is a statement. Amounts have no point: the currency says where it is. Control totals and numbers of
records are checked at all three levels. Type codes 100 to 399 are credits, 400 to 699 debits.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import BinaryIO

from django.utils.translation import gettext as _

from crm.money.amounts import exponent
from wallet.statement_formats.errors import BadStatement, bad
from wallet.statement_formats.lines import text_lines
from wallet.statement_formats.parsed import Balance, Booking, Claim, Parsed, Weight, count_of, known_currency

RECORD = re.compile(r"\s*(01|02|03|16|49|88|98|99)\s*,(.*)", re.DOTALL)
# Some banks write several records into one line.
NEXT = re.compile(r"/\s+(?=(?:02|03|16|49|88|98|99),)")
NEXT_OF_ONE_LINE = re.compile(r"/\s*(?=(?:02|03|16|49|88|98|99),)")
AMOUNT = re.compile(r"[+-]?\d{1,18}(?:\.\d{0,6})?", re.ASCII)
TYPE_CODE = re.compile(r"\d{3}", re.ASCII)
NAMED = re.compile(r"\b(?:BO1|BN1|NAME|ORIG NAME|ORIG CO NAME)[:=]")
NEXT_KEY = re.compile(r"\s[A-Z][A-Z0-9 ]{1,12}[:=]")
NAME_CHARS_MAX = 140
PARTS_MAX = 10_000
PART_CHARS_MAX = 100_000
BALANCES = {
    "010": ("opening", False),
    "015": ("closing", False),
    "040": ("opening available", False),
    "045": ("available", False),
    "060": ("interim available", False),
    "030": ("interim", True),
}
DEFAULT_CURRENCY = "USD"
GROUP_STATUS = {"2": "deletion", "3": "correction", "4": "test"}
PIECES_MAX = 3


@dataclass(slots=True)
class Record:
    """A record with the 88s that continue it; each of `parts` is a physical record's text after its code."""

    code: str
    line: int
    parts: list[str] = field(default_factory=list)
    physical: int = 1

    def fields(self) -> list[tuple[int, str]]:
        """Split into (which part, value): text fields keep their commas, which `_join_text` restores by part."""
        return [(at, value.strip()) for at, part in enumerate(self.parts) for value in part.split(",")]

    def values(self) -> list[str]:
        return [value for _at, value in self.fields()]


@dataclass(slots=True)
class Level:
    """The figures that a trailer is checked against: the sum so far, the records, and what it counts (accounts, groups)."""

    total: int = 0
    records: int = 0
    parts: int = 0


def read_bai2(file: BinaryIO) -> Iterator[Parsed]:
    """Read the statements of a BAI2 file.

    Raises: BadStatement (no account in it, or a record that is too long).
    """
    yield from _Reader().read(_records(file))


def _records(file: BinaryIO) -> Iterator[Record]:
    """Join lines into logical records: an 88 continues the record before it, and a line without a code the text before it."""
    made: Record | None = None
    for number, line in text_lines(file):
        cut = NEXT if len(line) < 2_000 or line.count("/") < PIECES_MAX else NEXT_OF_ONE_LINE
        for piece in cut.split(line):
            match = RECORD.fullmatch(piece)
            if match is None:
                if made is not None and piece.strip() and made.code in ("16", "03", "88"):
                    _append_text(made, number, piece)
                continue
            code, text = match[1], _strip_slash(match[2])
            if code == "88" and made is not None:
                if len(made.parts) >= PARTS_MAX:
                    raise bad(_("Line %(line)s") % {"line": number}, _("the record is too long."))
                made.parts.append(text)
                made.physical += 1
                continue
            if made is not None:
                yield made
            made = Record(code, number, [text])
    if made is not None:
        yield made


def _append_text(record: Record, line: int, text: str) -> None:
    """Append a line without a code to the text before it."""
    if len(record.parts[-1]) > PART_CHARS_MAX:
        raise bad(_("Line %(line)s") % {"line": line}, _("the record is too long."))
    record.parts[-1] = f"{record.parts[-1]} {_strip_slash(text)}"


def _strip_slash(text: str) -> str:
    text = text.rstrip()
    return text[:-1] if text.endswith("/") else text


class _Reader:
    def __init__(self) -> None:
        self.statement: Parsed | None = None
        self.group: list[str] = []
        self.currency = ""
        self.day: dt.date | None = None
        self.file_level, self.group_level, self.account_level = Level(), Level(), Level()
        self.is_open = False
        # Trailers that are still to come: 98 of a group, 99 of the file.
        self.awaited: list[str] = ["99"]

    def read(self, records: Iterator[Record]) -> Iterator[Parsed]:
        """Read statement by statement.

        One is complete only when the next one starts: the trailers behind it may still show that it is wrong.
        """
        has_account = False
        for record in records:
            if record.code == "03" and self.statement is not None:
                self._note_missing_trailers("49")
                yield self._finish(self.statement)
                has_account, self.statement = True, None
            self._read_record(record)
        if self.statement is not None:
            self._note_missing_trailers("49", *self.awaited)
            has_account = True
            yield self._finish(self.statement)
        if not has_account:
            raise BadStatement(_("The file has no account: there is no BAI2 record 03."))

    def _read_record(self, record: Record) -> None:
        self.file_level.records += record.physical
        self.group_level.records += record.physical
        self.account_level.records += record.physical
        values = record.values()
        if record.code == "01":
            self._note_missing_trailers(*(self.awaited if self.statement is not None else ()))
            self.file_level, self.awaited = Level(records=record.physical), ["99"]
        elif record.code == "02":
            self._note_missing_trailers(*(code for code in self.awaited if code == "98"))
            self._start_group(record, [*values, *[""] * 8])
            self.awaited = ["98", "99"]
        elif record.code == "03":
            self._start_account(record)
        elif record.code == "16" and self.statement is not None:
            self._add_entry(self.statement, record)
        elif record.code == "49":
            self._check_trailer(record, values, self.account_level, None)
            self.group_level.total += self.account_level.total
            self.is_open = False
        elif record.code == "98":
            self._check_trailer(record, values, self.group_level, self.group_level.parts)
            self.file_level.total += self.group_level.total
            self.awaited = ["99"]
        elif record.code == "99":
            self._note_missing_trailers(*(code for code in self.awaited if code == "98"))
            self._check_trailer(record, values, self.file_level, self.file_level.parts)
            self.awaited = []

    def _start_group(self, record: Record, values: list[str]) -> None:
        self.file_level.parts += 1
        self.group_level = Level(records=record.physical)
        self.group = values
        self.currency = known_currency(values[5])
        self.day = _day(values[3])

    def _start_account(self, record: Record) -> None:
        self.group_level.parts += 1
        self.account_level = Level(records=record.physical)
        values = record.values()
        account, currency = values[0], known_currency(values[1] if len(values) > 1 else "")
        group = self.group or [""] * 8
        statement = self.statement = Parsed(
            place=_("Line %(line)s, account %(account)s") % {"line": record.line, "account": account or "?"},
            account=account,
            currency=currency or self.currency or DEFAULT_CURRENCY,
            bank=group[1],
            first_day=self.day,
            last_day=self.day,
            id=f"{group[3]}-{group[4]}".strip("-"),
        )
        self.is_open = True
        if not account:
            statement.add_trouble(statement.place, _("the account is missing."), Weight.NEEDED)
        if self.day is None:
            statement.add_trouble(statement.place, _("its group (record 02) has no date."), Weight.NEEDED)
        if group[2] in GROUP_STATUS:
            statement.add_trouble(
                statement.place, _("its group is a %(status)s.") % {"status": GROUP_STATUS[group[2]]}, Weight.NEEDED
            )
        self._add_summaries(statement, record)

    def _add_summaries(self, statement: Parsed, record: Record) -> None:
        """Add the balances and totals of an account record: type, amount, number of items, kind of funds, repeated."""
        for kind, amount, count in _split_summaries(record.fields()[2:]):
            minor = self._minor(statement, record, amount)
            if minor is None:
                continue
            self.account_level.total += minor
            kind = kind.zfill(3)
            if kind in BALANCES:
                name, is_interim = BALANCES[kind]
                statement.balances.append(
                    Balance(
                        name,
                        _to_major(minor, amount, statement.currency),
                        statement.currency,
                        self.day,
                        kind,
                        is_interim,
                    )
                )
            elif kind in ("100", "400"):
                statement.claims.append(
                    Claim(
                        f"{kind} total",
                        count_of(count),
                        _to_major(minor, amount, statement.currency),
                        1 if kind == "100" else -1,
                    )
                )

    def _minor(self, statement: Parsed, record: Record, amount: str) -> int | None:
        """Read an amount as the control totals add it up, without its point; None, noted as wrong, where it is no amount."""
        if not AMOUNT.fullmatch(amount):
            statement.add_error(
                _("Line %(line)s") % {"line": record.line}, _("“%(value)s” is not an amount.") % {"value": amount[:40]}
            )
            return None
        return int(amount.replace(".", ""))

    def _add_entry(self, statement: Parsed, record: Record) -> None:
        fields = record.fields()
        kind, amount = ([*(value for _at, value in fields[:2]), "", ""])[:2]
        place = _("Line %(line)s, account %(account)s") % {"line": record.line, "account": statement.account}
        minor = self._minor(statement, record, amount) if amount else 0
        if minor is None:
            return
        self.account_level.total += minor
        at, value_on = _skip_funds_type([value for _at, value in fields], 2)
        rest = fields[at:]
        bank, customer = ([*(value for _at, value in rest[:2]), "", ""])[:2]
        number = int(kind) if TYPE_CODE.fullmatch(kind) else 0
        if number == 890 or not amount:
            if text := _join_text(rest[2:]):
                statement.add_trouble(place, _("note: %(text)s") % {"text": text[:200]})
            return
        is_credit = 100 <= number < 400 or 920 <= number < 960
        is_debit = 400 <= number < 700 or 960 <= number <= 999
        value = _to_major(minor, amount, statement.currency)
        entry = Booking(
            place=place,
            amount=-value if is_debit else value,
            currency=statement.currency,
            booked_on=self.day,
            value_on=value_on or self.day,
            bank_reference=bank,
            text=_join_text(rest[2:]),
            code=kind,
        )
        if not is_credit and not is_debit:
            statement.add_error(place, _("type code “%(code)s” is neither a credit nor a debit.") % {"code": kind[:10]})
        if customer:
            entry.references["customer"] = customer
        _add_party(entry)
        statement.entries.append(entry)

    def _check_trailer(self, record: Record, values: list[str], level: Level, parts: int | None) -> None:
        """Check a control record. 49: total, records. 98: total, accounts, records. 99: total, groups, records."""
        statement = self.statement
        if statement is None:
            return
        names = {"49": _("account"), "98": _("group"), "99": _("file")}
        place = _("Line %(line)s, control total of the %(level)s") % {"line": record.line, "level": names[record.code]}
        stated = [value.replace(" ", "") for value in values]
        computed = [
            ("", level.total),
            *([(_("parts"), parts)] if parts is not None else []),
            (_("records"), level.records),
        ]
        for at, (name, expected) in enumerate(computed):
            value = stated[at] if at < len(stated) else ""
            if not value:
                statement.add_trouble(place, _("no %(what)s given.") % {"what": name or _("sum")}, Weight.NEEDED)
            elif not AMOUNT.fullmatch(value):
                statement.add_error(place, _("“%(value)s” is not a number.") % {"value": value[:40]})
            elif int(value.replace(".", "")) != expected:
                message = (
                    _("it is %(told)s, but the amounts add up to %(found)s.")
                    if not at
                    else _("it counts %(told)s %(name)s, but there are %(found)s.")
                )
                statement.add_error(place, message % {"told": value, "found": expected, "name": name})
        statement.checks.append(f"{record.code} control total")

    def _note_missing_trailers(self, *codes: str) -> None:
        """Note control totals that should have come by now: without them the file may have been cut off."""
        for code in codes:
            if self.statement is not None and (code != "49" or self.is_open):
                message = _("its control total (record %(code)s) is missing.") % {"code": code}
                self.statement.add_trouble(self.statement.place, message, Weight.NEEDED)
        self.is_open = self.is_open and "49" not in codes

    def _finish(self, statement: Parsed) -> Parsed:
        """Complete a statement: drop totals that its details don't explain, as banks leave details out where that is agreed.

        Without any details, opening + totals = closing is checked instead.
        """
        _drop_placeholder_balances(statement)
        opening, closing = statement.balance("opening"), statement.balance("closing")
        totals = {claim.side: claim.total or Decimal(0) for claim in statement.claims}
        for claim in [*statement.claims]:
            amounts = [entry.amount for entry in statement.entries if entry.amount and entry.amount * claim.side > 0]
            if claim.total is not None and sum((abs(amount) for amount in amounts), Decimal(0)) == claim.total:
                _accept_lump_sum(statement, claim, len(amounts))
            elif claim.total is not None:
                statement.claims.remove(claim)
                statement.add_trouble(
                    statement.place,
                    _("its total of type %(code)s isn't explained by details.") % {"code": claim.what[:3]},
                )
        if opening and closing and not statement.entries and len(totals) == 2:
            statement.checks.append("opening + totals = closing")
            if opening.amount + totals[1] - totals[-1] != closing.amount:
                statement.add_error(
                    statement.place, _("opening balance and totals don't add up to the closing balance.")
                )
            closing.is_interim = True
        statement.settle()
        return statement


def _split_summaries(fields: list[tuple[int, str]]) -> Iterator[tuple[str, str, str]]:
    """Split into (type, amount, number of items).

    Whatever is left out at the end of a record is empty: the 88 that continues it begins with the next type. Some banks write a
    comma more there, or fewer.
    """
    values = [value for _part, value in fields]

    def is_next(at: int) -> bool:
        return 0 < at < len(fields) and fields[at][0] != fields[at - 1][0] and bool(TYPE_CODE.fullmatch(values[at]))

    at = 0
    while at < len(values):
        kind, amount, count = values[at], "", ""
        at += 1
        if not kind:
            continue
        if at < len(values) and not is_next(at):
            amount, at = values[at], at + 1
            if at < len(values) and not is_next(at):
                count, at = values[at], at + 1
                if not is_next(at):
                    at = _skip_funds_type(values, at)[0]
        if amount:
            yield kind, amount, count


def _drop_placeholder_balances(statement: Parsed) -> None:
    """Drop an opening and closing balance of zero where the bank's own totals moved: a bank that gives none fills in zeros."""
    ends = [balance for balance in statement.balances if balance.kind in ("opening", "closing")]
    moved = sum(claim.side * (claim.total or 0) for claim in statement.claims)
    if len(ends) == 2 and moved and not any(balance.amount for balance in ends):
        statement.balances = [balance for balance in statement.balances if balance not in ends]
        statement.add_trouble(statement.place, _("its balances are zero although money moved, so they are ignored."))


def _accept_lump_sum(statement: Parsed, claim: Claim, entry_count: int) -> None:
    """Accept a total that counts items where the bank books many of them in one entry."""
    if claim.number is not None and claim.number > entry_count > 0:
        message = _("its total of type %(code)s counts %(count)s items, booked in %(found)s entries.")
        statement.add_trouble(
            statement.place, message % {"code": claim.what[:3], "count": claim.number, "found": entry_count}
        )
        claim.number = None


def _skip_funds_type(values: list[str], at: int) -> tuple[int, dt.date | None]:
    """Find the field after the kind of funds (S has three more, V a day and a time, D pairs), and V's day."""
    kind = values[at].upper() if at < len(values) else ""
    if kind == "S":
        return at + 4, None
    if kind == "V":
        return at + 3, _day(values[at + 1]) if at + 1 < len(values) else None
    if kind == "D":
        count = values[at + 1] if at + 1 < len(values) else ""
        return at + 2 + 2 * (int(count) if TYPE_CODE.fullmatch(count.zfill(3)) else 0), None
    return at + 1, None


def _to_major(minor: int, written: str, currency: str) -> Decimal:
    """Read an amount: a bank that writes a decimal point means it, else the number is in minor units."""
    return Decimal(written) if "." in written else Decimal(minor).scaleb(-exponent(currency))


def _join_text(fields: list[tuple[int, str]]) -> str:
    """Join text fields: those of one physical record were one text with commas."""
    parts: dict[int, list[str]] = {}
    for at, value in fields:
        parts.setdefault(at, []).append(value)
    return " ".join(" ".join(text.split()) for values in parts.values() if (text := ",".join(values).strip(", ")))


def _add_party(entry: Booking) -> None:
    """Find the other side's name where a bank writes `BO1:DOE JO` (by order of) and the account into the text."""
    if match := NAMED.search(entry.text):
        rest = entry.text[match.end() :][:NAME_CHARS_MAX]
        key = NEXT_KEY.search(rest)
        entry.party.name = (rest[: key.start()] if key else rest.partition(":")[0]).strip()
    if match := re.search(r"\bTRID:(\S+)", entry.text):
        entry.references["transaction"] = match[1]


def _day(text: str) -> dt.date | None:
    """Read YYMMDD, or YYYYMMDD of banks that write it; None where it is no day."""
    plain = text.strip()
    if not (plain.isascii() and plain.isdigit()) or len(plain) not in (6, 8):
        return None
    year = int(plain[:-4]) + (0 if len(plain) == 8 else 2000)
    try:
        return dt.date(year, int(plain[-4:-2]), int(plain[-2:]))
    except ValueError:
        return None
