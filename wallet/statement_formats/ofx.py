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
# Aggregates whose values are told apart by their name.
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
        words = _("There is no statement in the file: no STMTRS, CCSTMTRS or INVSTMTRS of OFX.")
        raise BadStatement(f"{words} {reader.message}".strip())


def _tokens(file: BinaryIO) -> Iterator[tuple[bool, str, str]]:
    """(is it an end, name, text behind it), a piece of the file at a time."""
    head = file.read(2_000)
    file.seek(0)
    decoder = codecs.getincrementaldecoder(_encoding(file, head))(errors="replace")
    text = ""
    while True:
        piece = file.read(PIECE_BYTES)
        text += decoder.decode(piece, final=not piece)
        cut = _cut(text) if piece else len(text)
        if len(text) - cut > VALUE_CHARS_MAX or (cut <= 0 and len(text) > VALUE_CHARS_MAX):
            raise BadStatement(_("A value in the file is too long for OFX. Nothing was imported."))
        for found in TOKEN.finditer(_without_cdata(text[: max(cut, 0)])):
            yield bool(found[1]), found[2].upper(), " ".join(html.unescape(found[3]).split())
        text = text[cut:] if cut > 0 else text
        if not piece:
            return


def _cut(text: str) -> int:
    """Where the last tag begins whose value may go on in the next piece; -1: nowhere yet."""
    opened = text.rfind(CDATA)
    cut = opened if opened > text.rfind(CDATA_END) else text.rfind("<")
    while cut > 0 and text.startswith("<!", cut):
        cut = text.rfind("<", 0, cut)
    return cut


def _without_cdata(text: str) -> str:
    """`<![CDATA[a < b]]>` as `a &lt; b`; one that has no end is no text."""
    first, *rest = text.split(CDATA)
    return first + "".join(
        f"{html.escape(inside)}{after}" if mark else ""
        for inside, mark, after in (part.partition(CDATA_END) for part in rest)
    )


def _encoding(file: BinaryIO, head: bytes) -> str:
    """Choose the encoding that the file names, where that is true of its bytes; else Windows' Latin."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        while piece := file.read(PIECE_BYTES):
            decoder.decode(piece)
    except UnicodeDecodeError:
        told = re.search(rb"CHARSET:\s*(\d{3,5})", head)
        name = f"cp{told[1].decode()}" if told else "cp1252"
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
        self.one: Parsed | None = None
        self.inside: list[str] = []
        self.entry: dict[str, str] | None = None
        self.entry_kind = ""
        self.told: dict[str, str] = {}
        self.bank = self.message = ""
        self.is_list_open = self.is_over = False

    def read(self, tokens: Iterator[tuple[bool, str, str]]) -> Iterator[Parsed]:
        done: Parsed | None = None  # handed on when what follows shows that the file goes on, or ends as it should
        for is_end, name, text in tokens:
            if is_end:
                self._close(name)
            if name in STATEMENTS and self.one is not None:
                if not is_end:
                    self._cut_off(self.one, name)
                if done is not None:
                    yield done
                done, self.one = self._finished(self.one), None
            if is_end:
                continue
            self.is_over = False
            if name in STATEMENTS:
                self.count += 1
                self.one, self.told, self.inside = Parsed(place=_("Statement %(id)s") % {"id": self.count}), {}, []
                self.is_list_open = False
            elif name in LISTS:
                self.is_list_open = True
            elif name in TRANSACTIONS or name in TRADES:
                self._end_entry()
                self.entry, self.entry_kind = {}, name
            elif name in INSIDE and not text:
                self.inside.append(name)
            elif text:
                self._value(name, text)
        if self.one is not None:
            self._end_entry()
            if done is not None:
                yield done
            done = self._finished(self.one)
        if done is not None:
            if not self.is_over:
                self._cut_off(done, "OFX")
            yield done

    def _cut_off(self, one: Parsed, name: str) -> None:
        """Note that the file ends in the middle: it may lack entries, or the end of an amount."""
        one.odd(one.place, _("</%(name)s> is missing: the file was cut off.") % {"name": name}, Weight.NEEDED)

    def _close(self, name: str) -> None:
        if name == self.entry_kind or name in LISTS:
            self._end_entry()
        self.is_over |= name == "OFX"
        self.is_list_open &= name not in LISTS
        if name in STATEMENTS and self.is_list_open and self.one is not None:
            self._end_entry()
            self._cut_off(self.one, "BANKTRANLIST")
        if name in self.inside:
            while self.inside and self.inside.pop() != name:
                continue

    def _value(self, name: str, text: str) -> None:
        key = f"{self.inside[-1]}/{name}" if self.inside else name
        if self.one is None:
            if name == "MESSAGE":
                self.message = text[:200]
            elif name == "ORG":
                self.bank = text
        elif self.entry is not None:
            if len(self.entry) < ENTRY_VALUES_MAX:
                self.entry.setdefault(key, text)
        else:
            if key.startswith("BAL/"):  # investment accounts tell any number of balances, by name
                return
            if len(self.told) < ENTRY_VALUES_MAX:
                self.told.setdefault(key, text)

    def _end_entry(self) -> None:
        told, self.entry = self.entry, None
        self.inside = [name for name in self.inside if name in ("INVBAL",)]
        one = self.one
        if told is None or one is None or not (told.keys() & {"TRNAMT", "TOTAL", "FITID"}):
            return
        place = _("%(statement)s, entry %(number)s") % {"statement": one.place, "number": len(one.entries) + 1}
        written = told.get("TRNAMT") or told.get("TOTAL") or ""
        amount = amount_of(written)
        if amount is None:
            if not written and self.entry_kind in TRADES:
                return  # shares that moved without money
            one.wrong(place, _("“%(value)s” is not an amount (TRNAMT).") % {"value": written[:40]})
        day = self._day(
            told.get("DTPOSTED") or told.get("DTTRAN") or told.get("DTTRADE") or told.get("DTSETTLE") or "", place
        )
        user_day = told.get("DTUSER", "")
        entry = Booking(
            place=place,
            amount=amount,
            currency="",
            booked_on=day or self._day(user_day, place),
            value_on=self._day(told.get("DTAVAIL") or told.get("DTSETTLE") or user_day, place),
            status=TRANSACTIONS.get(self.entry_kind, Status.BOOKED),
            bank_reference=_reference(told.get("FITID", "")),
            code=told.get("TRNTYPE", "" if self.entry_kind == "STMTTRN" else self.entry_kind),
            text=told.get("MEMO", ""),
        )
        if entry.booked_on is None:
            one.odd(place, _("it names no day (DTPOSTED)."), Weight.NEEDED)
        entry.party.name = told.get("PAYEE/NAME") or told.get("NAME", "")
        entry.party.account = told.get("BANKACCTTO/ACCTID") or told.get("CCACCTTO/ACCTID", "")
        entry.party.bic = told.get("BANKACCTTO/BANKID", "")
        entry.text = entry.text or told.get("NAME", "")
        names = {
            "CHECKNUM": "check",
            "REFNUM": "customer",
            "SRVRTID": "server",
            "CORRECTFITID": "corrects",
            "EXTDNAME": "name",
        }
        entry.references = {label: told[name] for name, label in names.items() if told.get(name)}
        self._currency(entry, told)
        one.entries.append(entry)

    def _currency(self, entry: Booking, told: dict[str, str]) -> None:
        """CURRENCY: the amount is in it. ORIGCURRENCY: it was, before it was converted."""
        entry.currency = known_currency(told.get("CURRENCY/CURSYM", ""))
        original, rate = (
            known_currency(told.get("ORIGCURRENCY/CURSYM", "")),
            amount_of(told.get("ORIGCURRENCY/CURRATE", "")),
        )
        if original and rate and entry.amount is not None:
            entry.references["original_currency"], entry.references["rate"] = original, str(rate)

    def _day(self, text: str, place: str) -> dt.date | None:
        """YYYYMMDD with or without a time and a zone behind it."""
        plain = re.sub(r"[-/.]", "", text[:10]) if re.match(r"\d{4}[-/.]", text) else text
        if not plain.strip():
            return None
        if not plain[:8].strip("0"):
            self._odd_day(text, place)
            return None
        try:
            return dt.datetime.strptime(plain[:8], "%Y%m%d").date()  # noqa: DTZ007 (a day)
        except ValueError:
            if self.one is not None:
                self.one.wrong(place, _("“%(value)s” is not a date like 20261031.") % {"value": text[:30]})
            return None

    def _odd_day(self, text: str, place: str) -> None:
        if self.one is not None:
            self.one.odd(place, _("“%(value)s” is not a date; it is left out.") % {"value": text[:30]})

    def _finished(self, one: Parsed) -> Parsed:
        told = self.told
        self._same_id(one)
        origin = next((name for name in ("BANKACCTFROM", "CCACCTFROM", "INVACCTFROM") if f"{name}/ACCTID" in told), "")
        one.account = "".join(told.get(f"{origin}/ACCTID", "").split())
        one.bank = told.get(f"{origin}/BANKID") or told.get(f"{origin}/BROKERID") or self.bank
        one.currency = known_currency(told.get("CURDEF", ""))
        if not one.account:
            one.odd(one.place, _("it names no account."), Weight.NEEDED)
        one.first_day = self._day(told.get("DTSTART", ""), one.place)
        one.last_day = self._day(told.get("DTEND", ""), one.place)
        for kind, name in (("closing", "LEDGERBAL"), ("available", "AVAILBAL")):
            if amount_text := told.get(f"{name}/BALAMT"):
                amount = amount_of(amount_text)
                if amount is None:
                    one.wrong(
                        one.place,
                        _("“%(value)s” is not a balance (%(name)s).") % {"value": amount_text[:40], "name": name},
                    )
                else:
                    on = self._day(told.get(f"{name}/DTASOF", ""), one.place)
                    one.balances.append(Balance(kind, amount, one.currency, on, name))
        for entry in one.entries:
            entry.currency = entry.currency or one.currency
        if not one.currency:
            one.odd(one.place, _("it names no currency (CURDEF)."), Weight.NEEDED)
        one.settle()
        return one

    def _same_id(self, one: Parsed) -> None:
        """FITID tells an entry from every other one of the account; two that share it can't both be right."""
        seen: dict[str, Booking] = {}
        for entry in one.entries:
            other = seen.setdefault(entry.bank_reference, entry) if entry.bank_reference else entry
            if (other.amount, other.booked_on) != (entry.amount, entry.booked_on):
                words = _("FITID “%(id)s” is already that of another entry, with another amount or day.")
                one.odd(entry.place, words % {"id": entry.bank_reference[:40]}, Weight.NEEDED)


def _reference(text: str) -> str:
    """Nothing but zeros names nothing."""
    return text if text.strip("0") else ""
