"""OFX 1 (SGML) and 2 (XML), and the QFX and QBO files made of it: bank, credit card and the cash of investment accounts.

Read tag by tag: a tag with a text is a value, whether it is closed or not, so what banks leave out does not matter.
"""

from __future__ import annotations

import codecs
import datetime as dt
import html
import re
from collections.abc import Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _

from wallet.statement_formats.errors import BadStatement
from wallet.statement_formats.parsed import Balance, Booking, Parsed, Status, Weight, amount_of, known_currency

TOKEN = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9._]*)\s*(?:/\s*)?>([^<]*)")
CDATA, CDATA_END = "<![CDATA[", "]]>"
PIECE_BYTES = 2**20
VALUE_CHARS_MAX = 2**20
ENTRY_VALUES_MAX = 500
STATEMENTS = {"STMTRS", "CCSTMTRS", "INVSTMTRS", "LOANSTMTRS"}
# Aggregates whose name distinguishes the values in them.
INSIDE = {
    "PAYEE",
    "BANKACCTTO",
    "CCACCTTO",
    "CURRENCY",
    "ORIGCURRENCY",
    "LEDGERBAL",
    "AVAILBAL",
    "BANKACCTFROM",
    "CCACCTFROM",
    "INVACCTFROM",
    "BAL",
    "INVBAL",
}
LISTS = {"BANKTRANLIST", "INVTRANLIST", "BANKTRANLISTP"}
TRANSACTIONS = {"STMTTRN": Status.BOOKED, "STMTTRNP": Status.PENDING}
TRADES = {"INVBUY", "INVSELL", "INCOME", "INVEXPENSE", "RETOFCAP", "MARGININTEREST"}


def read_ofx(file: BinaryIO) -> Iterator[Parsed]:
    """Read the statements of an OFX file.

    Raises: BadStatement (there is none in it).
    """
    reader = _Reader()
    yield from reader.read(_tokens(file))
    if not reader.count:
        message = _("The file has no statement: no STMTRS, CCSTMTRS or INVSTMTRS of OFX.")
        raise BadStatement(f"{message} {reader.message}".strip())


def _tokens(file: BinaryIO) -> Iterator[tuple[bool, str, str]]:
    """Split the file into tags (is it an end, name, text after it), a piece of the file at a time."""
    head = file.read(2_000)
    file.seek(0)
    decoder = codecs.getincrementaldecoder(_encoding(file, head))(errors="replace")
    text = ""
    while True:
        piece = file.read(PIECE_BYTES)
        text += decoder.decode(piece, final=not piece)
        cut = _find_cut(text) if piece else len(text)
        if len(text) - cut > VALUE_CHARS_MAX or (cut <= 0 and len(text) > VALUE_CHARS_MAX):
            raise BadStatement(_("A value in the file is too long for OFX. Nothing was imported."))
        for token in TOKEN.finditer(_unwrap_cdata(text[: max(cut, 0)])):
            yield bool(token[1]), token[2].upper(), " ".join(html.unescape(token[3]).split())
        text = text[cut:] if cut > 0 else text
        if not piece:
            return


def _find_cut(text: str) -> int:
    """Find where the last tag begins, whose value may continue in the next piece; -1 where none does yet."""
    opened = text.rfind(CDATA)
    cut = opened if opened > text.rfind(CDATA_END) else text.rfind("<")
    while cut > 0 and text.startswith("<!", cut):
        cut = text.rfind("<", 0, cut)
    return cut


def _unwrap_cdata(text: str) -> str:
    """Write `<![CDATA[a < b]]>` as `a &lt; b`; one without an end is dropped."""
    first, *rest = text.split(CDATA)
    return first + "".join(
        f"{html.escape(inside)}{after}" if mark else ""
        for inside, mark, after in (part.partition(CDATA_END) for part in rest)
    )


def _encoding(file: BinaryIO, head: bytes) -> str:
    """Choose UTF-16 by its mark, UTF-8 where all bytes are; else the header's code page (CHARSET), or Windows' Latin."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        while piece := file.read(PIECE_BYTES):
            decoder.decode(piece)
    except UnicodeDecodeError:
        charset = re.search(rb"CHARSET:\s*(\d{3,5})", head)
        name = f"cp{charset[1].decode()}" if charset else "cp1252"
        try:
            return codecs.lookup(name).name
        except LookupError:
            return "cp1252"
    finally:
        file.seek(0)
    return "utf-8-sig"


class _Reader:
    def __init__(self) -> None:
        self.count = 0
        self.statement: Parsed | None = None
        self.inside: list[str] = []
        self.entry: dict[str, str] | None = None
        self.entry_kind = ""
        self.values: dict[str, str] = {}
        self.bank = self.message = ""
        self.is_list_open = self.is_over = False

    def read(self, tokens: Iterator[tuple[bool, str, str]]) -> Iterator[Parsed]:
        done: Parsed | None = None  # handed on when what follows shows that the file goes on, or ends as it should
        for is_end, name, text in tokens:
            if is_end:
                self._close(name)
            if name in STATEMENTS and self.statement is not None:
                if not is_end:
                    self._note_cut_off(self.statement, name)
                if done is not None:
                    yield done
                done, self.statement = self._finish(self.statement), None
            if is_end:
                continue
            self.is_over = False
            if name in STATEMENTS:
                self.count += 1
                self.statement, self.values, self.inside = (
                    Parsed(place=_("Statement %(id)s") % {"id": self.count}),
                    {},
                    [],
                )
                self.is_list_open = False
            elif name in LISTS:
                self.is_list_open = True
            elif name in TRANSACTIONS or name in TRADES:
                self._finish_entry()
                self.entry, self.entry_kind = {}, name
            elif name in INSIDE and not text:
                self.inside.append(name)
            elif text:
                self._store_value(name, text)
        if self.statement is not None:
            self._finish_entry()
            if done is not None:
                yield done
            done = self._finish(self.statement)
        if done is not None:
            if not self.is_over:
                self._note_cut_off(done, "OFX")
            yield done

    def _note_cut_off(self, statement: Parsed, name: str) -> None:
        """Note that the file ends in the middle: it may lack entries, or the end of an amount."""
        statement.add_trouble(
            statement.place, _("</%(name)s> is missing: the file was cut off.") % {"name": name}, Weight.NEEDED
        )

    def _close(self, name: str) -> None:
        if name == self.entry_kind or name in LISTS:
            self._finish_entry()
        self.is_over |= name == "OFX"
        self.is_list_open &= name not in LISTS
        if name in STATEMENTS and self.is_list_open and self.statement is not None:
            self._finish_entry()
            self._note_cut_off(self.statement, "BANKTRANLIST")
        if name in self.inside:
            while self.inside and self.inside.pop() != name:
                continue

    def _store_value(self, name: str, text: str) -> None:
        key = f"{self.inside[-1]}/{name}" if self.inside else name
        if self.statement is None:
            if name == "MESSAGE":
                self.message = text[:200]
            elif name == "ORG":
                self.bank = text
        elif self.entry is not None:
            if len(self.entry) < ENTRY_VALUES_MAX:
                self.entry.setdefault(key, text)
        else:
            if key.startswith("BAL/"):  # investment accounts list any number of balances, by name
                return
            if len(self.values) < ENTRY_VALUES_MAX:
                self.values.setdefault(key, text)

    def _finish_entry(self) -> None:
        values, self.entry = self.entry, None
        self.inside = [name for name in self.inside if name in ("INVBAL",)]
        statement = self.statement
        if values is None or statement is None or not (values.keys() & {"TRNAMT", "TOTAL", "FITID"}):
            return
        place = _("%(statement)s, entry %(number)s") % {
            "statement": statement.place,
            "number": len(statement.entries) + 1,
        }
        written = values.get("TRNAMT") or values.get("TOTAL") or ""
        amount = amount_of(written)
        if amount is None:
            if not written and self.entry_kind in TRADES:
                return  # shares that moved without money
            statement.add_error(place, _("“%(value)s” is not an amount (TRNAMT).") % {"value": written[:40]})
        day = self._day(
            values.get("DTPOSTED") or values.get("DTTRAN") or values.get("DTTRADE") or values.get("DTSETTLE") or "",
            place,
        )
        user_day = values.get("DTUSER", "")
        entry = Booking(
            place=place,
            amount=amount,
            currency="",
            booked_on=day or self._day(user_day, place),
            value_on=self._day(values.get("DTAVAIL") or values.get("DTSETTLE") or user_day, place),
            status=TRANSACTIONS.get(self.entry_kind, Status.BOOKED),
            bank_reference=_drop_zeros(values.get("FITID", "")),
            code=values.get("TRNTYPE", "" if self.entry_kind == "STMTTRN" else self.entry_kind),
            text=values.get("MEMO", ""),
        )
        if entry.booked_on is None:
            statement.add_trouble(place, _("the date is missing (DTPOSTED)."), Weight.NEEDED)
        entry.party.name = values.get("PAYEE/NAME") or values.get("NAME", "")
        entry.party.account = values.get("BANKACCTTO/ACCTID") or values.get("CCACCTTO/ACCTID", "")
        entry.party.bic = values.get("BANKACCTTO/BANKID", "")
        entry.text = entry.text or values.get("NAME", "")
        names = {
            "CHECKNUM": "check",
            "REFNUM": "customer",
            "SRVRTID": "server",
            "CORRECTFITID": "corrects",
            "EXTDNAME": "name",
        }
        entry.references = {label: values[name] for name, label in names.items() if values.get(name)}
        self._set_currency(entry, values)
        statement.entries.append(entry)

    def _set_currency(self, entry: Booking, values: dict[str, str]) -> None:
        """Set the entry's currency from CURRENCY; keep ORIGCURRENCY, which it was converted from, with its rate as references."""
        entry.currency = known_currency(values.get("CURRENCY/CURSYM", ""))
        original, rate = (
            known_currency(values.get("ORIGCURRENCY/CURSYM", "")),
            amount_of(values.get("ORIGCURRENCY/CURRATE", "")),
        )
        if original and rate and entry.amount is not None:
            entry.references["original_currency"], entry.references["rate"] = original, str(rate)

    def _day(self, text: str, place: str) -> dt.date | None:
        """Read YYYYMMDD or YYYY-MM-DD, with or without a time and a zone after it."""
        plain = re.sub(r"[-/.]", "", text[:10]) if re.match(r"\d{4}[-/.]", text) else text
        if not plain.strip():
            return None
        if not plain[:8].strip("0"):
            self._note_odd_day(text, place)
            return None
        try:
            return dt.datetime.strptime(plain[:8], "%Y%m%d").date()  # noqa: DTZ007 (a day)
        except ValueError:
            if self.statement is not None:
                self.statement.add_error(place, _("“%(value)s” is not a date like 20261031.") % {"value": text[:30]})
            return None

    def _note_odd_day(self, text: str, place: str) -> None:
        if self.statement is not None:
            self.statement.add_trouble(place, _("“%(value)s” is not a date and is left out.") % {"value": text[:30]})

    def _finish(self, statement: Parsed) -> Parsed:
        values = self.values
        self._note_shared_ids(statement)
        origin = next(
            (name for name in ("BANKACCTFROM", "CCACCTFROM", "INVACCTFROM") if f"{name}/ACCTID" in values), ""
        )
        statement.account = "".join(values.get(f"{origin}/ACCTID", "").split())
        statement.bank = values.get(f"{origin}/BANKID") or values.get(f"{origin}/BROKERID") or self.bank
        statement.currency = known_currency(values.get("CURDEF", ""))
        if not statement.account:
            statement.add_trouble(statement.place, _("the account is missing."), Weight.NEEDED)
        statement.first_day = self._day(values.get("DTSTART", ""), statement.place)
        statement.last_day = self._day(values.get("DTEND", ""), statement.place)
        for kind, name in (("closing", "LEDGERBAL"), ("available", "AVAILBAL")):
            if amount_text := values.get(f"{name}/BALAMT"):
                amount = amount_of(amount_text)
                if amount is None:
                    statement.add_error(
                        statement.place,
                        _("“%(value)s” is not a balance (%(name)s).") % {"value": amount_text[:40], "name": name},
                    )
                else:
                    on = self._day(values.get(f"{name}/DTASOF", ""), statement.place)
                    statement.balances.append(Balance(kind, amount, statement.currency, on, name))
        for entry in statement.entries:
            entry.currency = entry.currency or statement.currency
        if not statement.currency:
            statement.add_trouble(statement.place, _("the currency is missing (CURDEF)."), Weight.NEEDED)
        statement.settle()
        return statement

    def _note_shared_ids(self, statement: Parsed) -> None:
        """Note entries that share a FITID but differ: it is unique in the account, so they can't both be right."""
        seen: dict[str, Booking] = {}
        for entry in statement.entries:
            other = seen.setdefault(entry.bank_reference, entry) if entry.bank_reference else entry
            if (other.amount, other.booked_on) != (entry.amount, entry.booked_on):
                message = _("FITID “%(id)s” already belongs to another entry with a different amount or date.")
                statement.add_trouble(entry.place, message % {"id": entry.bank_reference[:40]}, Weight.NEEDED)


def _drop_zeros(text: str) -> str:
    """Return a reference; empty where it is only zeros."""
    return text if text.strip("0") else ""
