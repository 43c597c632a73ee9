"""camt.052 (report), .053 (statement) and .054 (notification) of ISO 20022, of every version, by local names.

Namespaces are ignored: banks write their own, and envelopes around the document. A file is read entry by entry, and what was read
is dropped, so that its size does not matter. Entries that are not booked yet are pending. A batch booking is one entry with its
payments as details.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from django.utils.translation import gettext as _

from wallet.statement_formats.camt_elements import (
    account_of,
    amount_in,
    bank_of,
    day_in,
    day_of,
    every,
    find,
    is_credit_in,
    local,
    text_of,
)
from wallet.statement_formats.camt_entries import add_entry, detail_of
from wallet.statement_formats.errors import BadStatement, bad
from wallet.statement_formats.parsed import (
    Balance,
    Booking,
    Claim,
    Parsed,
    Status,
    Weight,
    amount_of,
    count_of,
    known_currency,
)

GROUPS = {"Stmt": "BkToCstmrStmt", "Rpt": "BkToCstmrAcctRpt", "Ntfctn": "BkToCstmrDbtCdtNtfctn"}
KINDS = {
    "OPBD": "opening",
    "CLBD": "closing",
    "PRCD": "previous",
    "ITBD": "interim",
    "CLAV": "available",
    "OPAV": "opening available",
    "ITAV": "interim available",
    "FWAV": "forward available",
    "XPCD": "expected",
    "INFO": "information",
}
OTHER_ENCODING = re.compile(rb"encoding=[\"'](?!utf-8)", re.IGNORECASE)
PIECE_BYTES = 2**20
READ_BYTES = 2**16
TEXT_BYTES_MAX = 2**20
DEPTH_MAX = 100
OPEN_ELEMENTS_MAX = 200_000  # elements of one entry, or around the entries


def read_camt(file: BinaryIO) -> Iterator[Parsed]:
    """Read the statements of a camt.052, .053 or .054 file.

    Raises: BadStatement (not XML, not camt, or with a DTD or entities in it).
    """
    reader = _Reader(file)
    yield from reader.statements()
    if not reader.count:
        raise BadStatement(_("This isn't a camt.052, .053 or .054 file: “%(name)s”.") % {"name": reader.root[:40]})


class _Reader:
    """Walks the file; `path` is the elements that are open."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = _skip_preamble(file)
        self.path: list[Element] = []
        self.statement: Parsed | None = None
        self.count = 0
        self.details: list[Booking] = []
        self.root = ""
        self.open_elements = 0

    def statements(self) -> Iterator[Parsed]:
        try:
            for event, element in ElementTree.iterparse(_Bounded(self.file), events=("start", "end"), forbid_dtd=True):
                if event == "start":
                    self._start(element)
                else:
                    done = self._end(element)
                    if done is not None:
                        yield done
        except ParseError as error:
            line, column = error.position
            if not self.path and self.root and "junk after document element" in str(error):
                return  # whatever a download left after the document
            place = _("Line %(line)s, column %(column)s") % {"line": line, "column": column + 1}
            if self.statement is None:
                raise bad(place, _("this isn't XML."))
            yield self._cut_off(self.statement, place)
        except DefusedXmlException as error:
            raise BadStatement(_("The file contains a DTD or entities, which banks don't send.")) from error
        except (ValueError, LookupError) as error:
            raise BadStatement(_("The file's encoding can't be read.")) from error

    def _cut_off(self, statement: Parsed, place: str) -> Parsed:
        """Keep what was read of a statement before the file stopped being XML."""
        part = next(element for element in reversed(self.path) if element.tag in GROUPS)
        _read_head(statement, part)
        statement.add_error(place, _("this isn't XML."))
        _read_tail(statement, part)
        return statement

    def _start(self, element: Element) -> None:
        name = element.tag = local(element.tag)
        self.open_elements += 1
        if len(self.path) >= DEPTH_MAX or self.open_elements > OPEN_ELEMENTS_MAX:
            raise BadStatement(_("The file's elements are nested too deeply. Nothing was imported."))
        self.root = self.root or name
        inside = self.path[-1].tag if self.path else ""
        if self.statement is None and name in GROUPS and inside.startswith(GROUPS[name]):
            self.count += 1
            self.statement = Parsed(place=_("Statement %(id)s") % {"id": self.count})
        self.path.append(element)

    def _end(self, element: Element) -> Parsed | None:
        self.path.pop()
        parent = self.path[-1] if self.path else None
        name = element.tag
        statement = self.statement
        if statement is None:
            if parent is not None and len(self.path) > 1:
                parent.remove(element)
                self.open_elements = 0
            return None
        if name == "TxDtls":
            self.details.append(detail_of(element))
            if parent is not None:
                parent.remove(element)
                self.open_elements = 0
        elif name == "Ntry" and parent is not None:
            if not statement.entries:
                _read_head(statement, parent)
            add_entry(statement, element, tuple(self.details))
            self.details = []
            parent.remove(element)
            self.open_elements = 0
        elif name in GROUPS and parent is not None and parent.tag.startswith(GROUPS[name]):
            _read_head(statement, element)
            _read_tail(statement, element)
            parent.remove(element)
            self.open_elements = 0
            self.statement = None
            return statement
        return None


class _Bounded:
    """The file in pieces, refused where a text goes on for longer than any bank's: the parser would keep all of it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.since_tag = file, 0

    def read(self, size: int = READ_BYTES) -> bytes:
        piece = self.file.read(min(size, READ_BYTES) if size > 0 else READ_BYTES)
        last = piece.rfind(b"<")
        self.since_tag = len(piece) - last if last >= 0 else self.since_tag + len(piece)
        if self.since_tag > TEXT_BYTES_MAX:
            raise BadStatement(_("A value in the file is too long for camt. Nothing was imported."))
        return piece


def _skip_preamble(file: BinaryIO) -> BinaryIO:
    """Return the file from its first `<` on; converted from Windows' Latin where it claims to be UTF-8 and isn't."""
    head = file.read(4096)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        file.seek(0)
        return file
    start = max(head.find(b"<"), 0)
    file.seek(start)
    if OTHER_ENCODING.search(head[start : start + 100]):
        return file
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := file.read(PIECE_BYTES):
            decoder.decode(piece)
    except UnicodeDecodeError:
        file.seek(start)
        text = re.sub(r"^<\?xml[^>]*\?>", "", file.read().decode("cp1252", "replace"))
        return io.BytesIO(text.encode())
    file.seek(start)
    return file


# ── a statement ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_head(statement: Parsed, part: Element) -> None:
    """Read whose statement it is, before its entries are read: their places name it."""
    statement.id = text_of(part, "Id")
    if statement.id:
        statement.place = _("Statement %(id)s") % {"id": statement.id[:35]}
    account = find(part, "Acct")
    statement.account, statement.currency = account_of(account), known_currency(text_of(account, "Ccy"))
    statement.owner = text_of(account, "Ownr/Nm", "Ownr/Pty/Nm", "Nm")
    statement.bank = bank_of(find(account, "Svcr"))
    statement.number = text_of(part, "ElctrncSeqNb", "LglSeqNb")


def _read_tail(statement: Parsed, part: Element) -> None:
    if not statement.account:
        statement.add_trouble(statement.place, _("the account is missing."), Weight.NEEDED)
    for element in every(part, "Bal"):
        _add_balance(statement, element)
    _choose_balances(statement)
    _add_claims(statement, find(part, "TxsSummry"))
    statement.settle()
    if period := find(part, "FrToDt"):
        statement.first_day = (
            day_of(statement, statement.place, text_of(period, "FrDtTm", "FrDt")) or statement.first_day
        )
        statement.last_day = day_of(statement, statement.place, text_of(period, "ToDtTm", "ToDt")) or statement.last_day
    if statement.first_day is None:
        statement.first_day = statement.last_day = day_of(statement, statement.place, text_of(part, "CreDtTm"))
        if statement.first_day is None:
            statement.add_trouble(statement.place, _("the date is missing."), Weight.NEEDED)
    _fill_entry_days(statement)


def _fill_entry_days(statement: Parsed) -> None:
    """Give booked entries without a day the statement's last day, which is certain only where it covers a single day."""
    for entry in statement.entries:
        if entry.booked_on is None and entry.status == Status.BOOKED:
            entry.booked_on = statement.last_day
            for part in entry.details:
                part.booked_on = statement.last_day
            message = (
                _("the date is missing; the statement's date is used.")
                if statement.last_day
                else _("the date is missing.")
            )
            is_known = statement.last_day is not None and statement.first_day == statement.last_day
            statement.add_trouble(entry.place, message, Weight.NOTE if is_known else Weight.NEEDED)


def _add_balance(statement: Parsed, element: Element) -> None:
    amount = find(element, "Amt")
    code = text_of(element, "Tp/CdOrPrtry/Cd", "Tp/CdOrPrtry/Prtry", "Tp/Cd", "Tp/Prtry", "Tp")
    if amount is None:
        statement.add_trouble(statement.place, _("its balance %(code)s has no amount.") % {"code": code})
        return
    number, currency = amount_in(statement, statement.place, amount)
    if find(element, "CdtDbtInd") is None:
        statement.add_trouble(
            statement.place, _("its balance %(code)s has no direction and is treated as a credit.") % {"code": code}
        )
        is_credit: bool | None = True
    else:
        is_credit = is_credit_in(statement, statement.place, element)
    if number is None or is_credit is None:
        return
    is_page = text_of(element, "Tp/SubTp/Cd").upper() == "INTM"
    statement.balances.append(
        Balance(
            kind=KINDS.get(code.upper(), code or "unknown"),
            amount=number if is_credit else -number,
            currency=currency,
            on=day_in(statement, statement.place, find(element, "Dt")),
            code=code,
            is_interim=is_page,
        )
    )


def _choose_balances(statement: Parsed) -> None:
    """Choose the opening balance (OPBD, else PRCD, else the first of several ITBD) and the closing one (CLBD, else the last ITBD).

    Interim balances need not add up. Of an account in several currencies, balances in its own currency come first.
    """
    if statement.currency:  # accounts in several currencies list each
        mine = [balance for balance in statement.balances if balance.currency in (statement.currency, "")]
        statement.balances = mine + [balance for balance in statement.balances if balance not in mine]
    interim = [balance for balance in statement.balances if balance.kind == "interim"]
    if statement.balance("opening") is None:
        opening = statement.balance("previous") or (interim[0] if len(interim) > 1 else None)
        if opening is not None:
            opening.kind, opening.is_interim = "opening", opening.code.upper() == "ITBD"
    if statement.balance("closing") is None and interim and interim[-1].kind == "interim":
        interim[-1].kind, interim[-1].is_interim = "closing", True


def _add_claims(statement: Parsed, summary: Element | None) -> None:
    for name, side in (("TtlNtries", 0), ("TtlCdtNtries", 1), ("TtlDbtNtries", -1)):
        total = find(summary, name)
        if total is None:
            continue
        count, amount = count_of(text_of(total, "NbOfNtries")), amount_of(text_of(total, "Sum"))
        if count is not None or amount is not None:
            statement.claims.append(Claim(f"{name}", count, amount, side))
        net, direction = (
            amount_of(text_of(total, "TtlNetNtryAmt", "TtlNetNtry/Amt")),
            text_of(total, "CdtDbtInd", "TtlNetNtry/CdtDbtInd"),
        )
        if net is not None and direction in ("CRDT", "DBIT"):
            statement.claims.append(
                Claim(f"{name}/TtlNetNtry", None, net if direction == "CRDT" else -net, 0, is_net=True)
            )
