"""MT940 (statement) and MT942 (report in the day) of SWIFT, in the dialects of many banks.

Read by tag and line; what surrounds the messages (SWIFT blocks, banks' own headers and trailers) is ignored. Field :86: is read
as German subfields (`?20`, `~20`, `<20`), as `/KEY/value/`, as SEPA's `EREF+`, or as plain text. A statement that
spans several messages (`:60M:`, `:62M:`) is a statement for each of them.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _

from wallet.statement_formats.errors import BadStatement, bad
from wallet.statement_formats.lines import text_lines
from wallet.statement_formats.parsed import Balance, Booking, Claim, Parsed, Weight, amount_of, known_currency
from wallet.statement_formats.swift_text import read_field_86

TAG = re.compile(
    r"\s{0,3}:(13|13D|20|21|25|25P|28|28C|34F|60F|60M|61|62F|62M|64|65|86|90C|90D|NS|940|942|9400):(.*)", re.IGNORECASE
)
AFTER_BLOCK = re.compile(r"^\s*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|\{4:)+\s*(?=:)")
BALANCE = re.compile(
    r"\s{0,9}(R?[CD])\s{0,9}(\d{6}|\d{8}(?=[A-Za-z]))?\s{0,9}([A-Za-z]{3})?\s{0,9}([+-]?[\d.,' ]{1,60})", re.IGNORECASE
)
LINE = re.compile(
    r"\s{0,9}(?P<value>\d{6})\s?(?P<entry>\d{4}(?=\s?(?:[RE]?[CD]))|\s{4})?\s?(?P<side>[RE]?[CD])(?P<funds>[A-Z])?\s?(?P<amount>\d[\d.']{0,40}(?:,\d{0,20})?|,\d{1,20})(?![\d.,'])"
    r"\s{0,9}(?P<type>(?!NONREF)[A-Z][A-Z0-9]{3}|[A-Z][A-Z0-9]{2}\s|[A-Z]\s{3})?(?P<rest>.*)",
    re.IGNORECASE,
)
SUMMARY = re.compile(r"\s{0,9}(\d{1,6})\s{0,9}([A-Z]{3})\s{0,9}([\d.,]{1,60})", re.IGNORECASE)
YEARS = range(1900, 2200)
FIELD_LINES_MAX = 1_000
FIELDS_MAX = 1_000_000
REPORT = ("34F", "13D", "90C", "90D")
NOTHING = {"NONREF", "NOREF", "NOTPROVIDED", ""}
OPENING, CLOSING = ("60F", "60M"), ("62F", "62M")
CONTENT_TAGS = {
    "25",
    "25P",
    "34F",
    "61",
    "64",
    "65",
    "86",
    "90C",
    "90D",
    *OPENING,
    *CLOSING,
}  # else there is nothing in a message


def read_mt940(file: BinaryIO) -> Iterator[Parsed]:
    """Read the messages of an MT940 or MT942 file.

    Raises: BadStatement (there is none in it).
    """
    statement: Parsed | None = None
    for number, fields in enumerate(_messages(text_lines(file)), 1):
        if statement is not None:
            yield statement
        statement = _Message(number, fields).read()
    if statement is None:
        raise BadStatement(_("The file has no MT940 or MT942 message: no line starts with “:20:” or “:25:”."))
    if (closing := statement.balance("closing")) and closing.code == ":62M:":
        statement.add_trouble(
            statement.place, _("it ends with an interim balance (:62M:): its last page is missing."), Weight.NEEDED
        )
    yield statement


class _Field:
    """A tag with the lines that belong to it."""

    __slots__ = ("line", "lines", "tag")

    def __init__(self, tag: str, line: int, text: str) -> None:
        self.tag, self.line, self.lines = tag.upper(), line, [text]

    @property
    def text(self) -> str:
        return self.lines[0].strip()


def _messages(lines: Iterator[tuple[int, str]]) -> Iterator[list[_Field]]:
    """Split the file into messages: one starts at `:20:`, or after a closing balance at an account or opening balance."""
    fields: list[_Field] = []
    cut = ""
    is_closed = False
    for number, line in lines:
        line = cut + AFTER_BLOCK.sub("", line)
        cut = ":" if line.strip() == ":" else ""
        if cut:
            continue
        match = TAG.fullmatch(line)
        if match is None:
            if line.strip() in ("-", "-}", "--", "") or line.lstrip().startswith(("-}", "{", "$")):
                if fields and line.strip() and fields[-1].tag != "end":
                    fields.append(_Field("end", number, ""))
            elif fields:
                if len(fields[-1].lines) >= FIELD_LINES_MAX:
                    raise bad(_("Line %(line)s") % {"line": number}, _("the field has too many lines."))
                fields[-1].lines.append(line)
            continue
        tag = match[1].upper()
        starts = tag == "20" or (tag in ("25", "25P", *OPENING) and is_closed)
        if starts and any(field.tag != "end" for field in fields):
            if any(field.tag in CONTENT_TAGS for field in fields):
                yield fields
            fields, is_closed = [], False
        if not (tag.startswith("94") and not fields):
            if len(fields) >= FIELDS_MAX:
                raise bad(_("Line %(line)s") % {"line": number}, _("the message has too many fields."))
            fields.append(_Field(tag, number, match[2]))
            is_closed |= tag in CLOSING
    if any(field.tag in CONTENT_TAGS for field in fields):
        yield fields


class _Message:
    def __init__(self, number: int, fields: list[_Field]) -> None:
        self.fields = fields
        self.statement = Parsed(place=_("Statement %(id)s") % {"id": number})

    def read(self) -> Parsed:
        statement = self.statement
        statement.id = self._first("20")
        statement.number = self._first("28C", "28")
        statement.account, statement.currency = _split_account(self._first("25", "25P"))
        if not statement.account:
            statement.add_trouble(statement.place, _("the account is missing."), Weight.NEEDED)
        for field in self.fields:
            self._add_balance(field)
        opening = statement.balance("opening")
        statement.currency = (opening.currency if opening else "") or statement.currency
        if not statement.currency and (floor := re.match(r"[A-Z]{3}", self._first("34F").upper())):
            statement.currency = floor[0]
        for at, field in enumerate(self.fields):
            if field.tag == "61":
                self._add_entry(field, at + 1)
        has_floor = self._has_floor()
        for field in self.fields:
            if field.tag in ("90C", "90D") and not has_floor and (match := SUMMARY.match(field.text)):
                side = 1 if field.tag == "90C" else -1
                statement.claims.append(Claim(f":{field.tag}:", int(match[1]), amount_of(match[3]), side))
        self._require_both_balances()
        if stamp := re.match(r"\d{6}", self._first("13D", "13")):
            statement.settle()
            days = [day for day in (self._day(stamp[0], self.fields[0]), statement.last_day) if day]
            statement.last_day = max(days, default=None)
        statement.settle()
        return statement

    def _has_floor(self) -> bool:
        """Check for a floor limit: bookings below it are left out of a report but counted in its sums, which prove nothing then."""
        limits = [re.search(r"\d[\d.]*,?\d*", field.text) for field in self.fields if field.tag == "34F"]
        has_floor = any(limit is not None and amount_of(limit[0]) for limit in limits)
        if has_floor:
            self.statement.add_trouble(self.statement.place, _("it leaves out entries below the floor limit (:34F:)."))
        return has_floor

    def _first(self, *tags: str) -> str:
        return next((field.text for tag in tags for field in self.fields if field.tag == tag and field.text), "")

    def _place(self, field: _Field) -> str:
        return _("%(statement)s, line %(line)s") % {"statement": self.statement.place, "line": field.line}

    def _require_both_balances(self) -> None:
        """Require both balances of an MT940: without one of them nothing is proved.

        Of an MT942 none is expected: it ends with its sums, or with the end of its block.
        """
        statement = self.statement
        tags = {field.tag for field in self.fields}
        is_report = bool(tags & {*REPORT}) and not tags & {*OPENING}
        if not is_report and (statement.balance("opening") is None or statement.balance("closing") is None):
            statement.add_trouble(statement.place, _("its opening or closing balance is missing."), Weight.NEEDED)
        if is_report and not tags & {"90C", "90D", "end"}:
            statement.add_trouble(
                statement.place, _("its end is missing: it has neither sums (:90D:, :90C:) nor “-”."), Weight.NEEDED
            )

    def _add_balance(self, field: _Field) -> None:
        kind = {
            "60F": "opening",
            "60M": "opening",
            "62F": "closing",
            "62M": "closing",
            "64": "available",
            "65": "forward available",
        }.get(field.tag)
        if kind is None or (kind in ("opening", "closing") and self.statement.balance(kind)):
            return
        match = BALANCE.match(field.text)
        amount = amount_of(match[4].replace("'", "")) if match else None
        if match is None or amount is None:
            if field.text:
                place = self._place(field)
                self.statement.add_error(
                    place,
                    _("“:%(tag)s:%(value)s” is not a balance like C261031EUR1234,56.")
                    % {"tag": field.tag, "value": field.text[:40]},
                )
            return
        sign = -1 if match[1].upper() in ("D", "RC") else 1
        self.statement.balances.append(
            Balance(kind, sign * amount, known_currency(match[3] or ""), self._day(match[2], field), f":{field.tag}:")
        )

    def _day(self, text: str | None, field: _Field) -> dt.date | None:
        """Read YYMMDD or YYYYMMDD.

        30 February, of banks that count thirty days a month, becomes its last day, with a note.
        """
        if not text:
            return None
        if not text.strip("0"):
            self.statement.add_trouble(
                self._place(field), _("“%(value)s” is not a date and is left out.") % {"value": text}
            )
            return None
        year, month, day = int(text[:-4]), int(text[-4:-2]), int(text[-2:])
        year += (2000 if year < 80 else 1900) if len(text) == 6 else 0
        if year in YEARS and 1 <= month <= 12 and 1 <= day <= 31:
            last = calendar.monthrange(year, month)[1]
            if day > last:
                message = _("“%(value)s” is not a calendar date; the last day of the month is used.") % {"value": text}
                is_february = month == 2 and day == 30
                self.statement.add_trouble(self._place(field), message, Weight.NOTE if is_february else Weight.NEEDED)
            return dt.date(year, month, min(day, last))
        self.statement.add_error(self._place(field), _("“%(value)s” is not a date.") % {"value": text})
        return None

    def _add_entry(self, field: _Field, behind: int) -> None:
        statement, place = self.statement, self._place(field)
        if not re.search(r"\d[.,\s]|,\d", field.lines[0][10:]) and len(field.lines) > 1:  # cut in the middle
            field.lines[:2] = [field.lines[0] + field.lines[1].strip()]
        match = LINE.match(field.lines[0])
        amount = amount_of(match["amount"].replace("'", "")) if match else None
        if match is None or amount is None:
            statement.add_error(
                place,
                _("“:61:%(value)s” is not a booking like 2610311031C12,50NTRFreference.") % {"value": field.text[:60]},
            )
            return
        side = match["side"].upper()
        value_on = self._day(match["value"], field)
        entry = Booking(
            place=place,
            amount=amount if side in ("C", "RD", "EC") else -amount,
            currency=statement.currency,
            value_on=value_on,
            booked_on=self._entry_day((match["entry"] or "").strip(), value_on, field) or value_on,
            is_reversal=side.startswith("R"),
            code=(match["type"] or "").strip().upper(),
            status="pending" if side.startswith("E") else "booked",
        )
        self._split_references(entry, match["rest"], field.lines[1:])
        texts, more = [], []
        for other in map(self.fields.__getitem__, range(behind, len(self.fields))):
            if other.tag == "86":
                texts.append(other.lines)
            elif other.tag == "NS":
                more.append(" ".join(line.strip()[2:] if line[:2].isdigit() else line.strip() for line in other.lines))
            else:
                break
        for lines in texts:
            read_field_86(entry, lines)
        entry.text = " ".join(part for part in (entry.text, *more) if part)
        if converted := re.search(
            r"/?OCMT/([A-Z]{3})([\d.]*,\d*)", f"{entry.text} OCMT/{entry.references.get('ocmt', '')}"
        ):
            number = amount_of(converted[2])
            entry.original = (number, converted[1]) if number is not None else None
        statement.entries.append(entry)

    def _entry_day(self, text: str, value_on: dt.date | None, field: _Field) -> dt.date | None:
        """Read MMDD in the year in which it is nearest to the value date; None where that can't be read."""
        if not text or value_on is None or not (1 <= int(text[:2]) <= 12 and 1 <= int(text[2:]) <= 31):
            return None
        month, day = int(text[:2]), int(text[2:])
        days = [
            dt.date(year, month, min(day, calendar.monthrange(year, month)[1]))
            for year in (value_on.year - 1, value_on.year, value_on.year + 1)
        ]
        return min(days, key=lambda day: abs(day - value_on))

    def _split_references(self, entry: Booking, rest: str, more: list[str]) -> None:
        """Split the customer's reference, `//` and the bank's; then a line of additional text."""
        customer, _slashes, bank = rest.strip().partition("//")
        if not bank and len(customer) > 16:  # 16 letters by the standard; some banks write a name behind it
            customer, spare = customer[:16], customer[16:]
            if not spare.startswith(" ") and not customer.endswith(" "):
                customer, spare = (customer + spare).partition("  ")[::2]
            more = [spare.strip(), *more]
        customer, bank = customer.strip(), bank.strip()
        if customer.upper() not in NOTHING:
            entry.references["customer"] = customer
        if bank.upper() not in NOTHING:
            entry.bank_reference = bank
        added = " ".join(part for line in more if (part := " ".join(line.split())))
        entry.text = added


def _split_account(text: str) -> tuple[str, str]:
    """Split off the currency that some banks write behind the account."""
    plain = "".join(text.split()).rstrip("/")
    match = re.fullmatch(r"(.*\d)[/]?([A-Z]{3})", plain)
    if match and known_currency(match[2]):
        return match[1], match[2]
    return plain, ""
