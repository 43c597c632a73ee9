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

from wallet.statements_in.errors import BadStatement
from wallet.statements_in.parsed import Balance, Booking, Parsed, Status, Weight, amount_of, known_currency

TOKEN = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9._]*)\s*(?:/\s*)?>([^<]*(?:<!\[CDATA\[.*?\]\]>[^<]*)?)", re.DOTALL)
CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
PIECE_BYTES = 2**20
STATEMENTS = {"STMTRS", "CCSTMTRS", "INVSTMTRS", "LOANSTMTRS"}
# Aggregates whose values are told apart by their name.
INSIDE = {"PAYEE", "BANKACCTTO", "CCACCTTO", "CURRENCY", "ORIGCURRENCY", "LEDGERBAL", "AVAILBAL", "BANKACCTFROM", "CCACCTFROM",
          "INVACCTFROM", "BAL", "INVBAL"}  # fmt: skip
TRANSACTIONS = {"STMTTRN": Status.BOOKED, "STMTTRNP": Status.PENDING}
TRADES = {"INVBUY", "INVSELL", "INCOME", "INVEXPENSE", "RETOFCAP", "MARGININTEREST"}


def read_ofx(file: BinaryIO) -> Iterator[Parsed]:
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
        cut = len(text) if not piece else text.rfind("<")
        for found in TOKEN.finditer(text, 0, max(cut, 0)):
            value = CDATA.sub(r"\1", found[3])
            yield bool(found[1]), found[2].upper(), " ".join(html.unescape(value).split())
        text = text[cut:] if cut > 0 else text
        if not piece:
            return


def _encoding(file: BinaryIO, head: bytes) -> str:
    """What the file says, where that is true of its bytes; else Windows' Latin."""
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

    def read(self, tokens: Iterator[tuple[bool, str, str]]) -> Iterator[Parsed]:
        for is_end, name, text in tokens:
            if is_end:
                self._close(name)
            if (is_end and name in STATEMENTS) or (not is_end and name in STATEMENTS):
                if self.one is not None:
                    yield self._finished(self.one)
                self.one = None
            if is_end:
                continue
            if name in STATEMENTS:
                self.count += 1
                self.one, self.told, self.inside = Parsed(place=_("Statement %(id)s") % {"id": self.count}), {}, []
            elif name in TRANSACTIONS or name in TRADES:
                self._end_entry()
                self.entry, self.entry_kind = {}, name
            elif name in INSIDE and not text:
                self.inside.append(name)
            elif text:
                self._value(name, text)
        if self.one is not None:
            self._end_entry()
            yield self._finished(self.one)

    def _close(self, name: str) -> None:
        if name == self.entry_kind or name in ("BANKTRANLIST", "INVTRANLIST", "BANKTRANLISTP"):
            self._end_entry()
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
            self.entry.setdefault(key, text)
        else:
            if key.startswith("BAL/"):  # investment accounts tell any number of balances, by name
                return
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
            place=place, amount=amount, currency="", booked_on=day or self._day(user_day, place),
            value_on=self._day(told.get("DTAVAIL") or told.get("DTSETTLE") or user_day, place),
            status=TRANSACTIONS.get(self.entry_kind, Status.BOOKED), bank_reference=told.get("FITID", ""),
            code=told.get("TRNTYPE", "" if self.entry_kind == "STMTTRN" else self.entry_kind), text=told.get("MEMO", ""),
        )  # fmt: skip
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
        if not plain.strip() or not plain[:8].strip("0"):
            return None
        try:
            return dt.datetime.strptime(plain[:8], "%Y%m%d").date()  # noqa: DTZ007 (a day)
        except ValueError:
            if self.one is not None:
                self.one.wrong(place, _("“%(value)s” is not a date like 20261031.") % {"value": text[:30]})
            return None

    def _finished(self, one: Parsed) -> Parsed:
        told = self.told
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
