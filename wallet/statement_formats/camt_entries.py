"""Entries of camt, and the payments in their details."""

from __future__ import annotations

import datetime as dt
import sys
from decimal import Decimal
from xml.etree.ElementTree import Element

from django.utils.translation import gettext as _

from wallet.statement_formats.camt_elements import (
    SIGNS,
    account_of,
    amount_in,
    bank_of,
    day_in,
    every,
    find,
    is_credit_in,
    text_of,
)
from wallet.statement_formats.parsed import Booking, Parsed, Party, Status, amount_of, known_currency

STATUSES = {"BOOK": Status.BOOKED, "PDNG": Status.PENDING, "FUTR": Status.PENDING}
REFERENCES = (
    ("MsgId", "message"),
    ("AcctSvcrRef", "bank"),
    ("PmtInfId", "batch"),
    ("InstrId", "instruction"),
    ("EndToEndId", "end_to_end"),
    ("TxId", "transaction"),
    ("UETR", "uetr"),
    ("MndtId", "mandate"),
    ("ChqNb", "check"),
    ("ClrSysRef", "clearing"),
)


def add_entry(statement: Parsed, element: Element, details: tuple[Booking, ...]) -> None:
    """Read an entry with its payments and add it to the statement, with what is wrong about it."""
    place = _("%(statement)s, entry %(number)s") % {"statement": statement.place, "number": len(statement.entries) + 1}
    amount = find(element, "Amt")
    number, currency = (None, "") if amount is None else amount_in(statement, place, amount)
    if amount is None:
        statement.add_error(place, _("the amount is missing."))
    is_credit = is_credit_in(statement, place, element)
    code = text_of(element, "Sts/Cd", "Sts/Prtry", "Sts").upper() or "BOOK"
    value_on = day_in(statement, place, find(element, "ValDt"))
    entry = Booking(
        place=place,
        amount=None if number is None or is_credit is None else number if is_credit else -number,
        currency=currency or statement.currency,
        booked_on=day_in(statement, place, find(element, "BookgDt")) or value_on,
        value_on=value_on,
        status=STATUSES.get(code, Status.OTHER),
        is_reversal=text_of(element, "RvslInd").lower() in ("true", "1"),
        bank_reference=text_of(element, "AcctSvcrRef"),
        batch=text_of(element, "NtryDtls/Btch/PmtInfId", "NtryDtls/Btch/MsgId"),
        code=_read_code(element),
        text=text_of(element, "AddtlNtryInf"),
    )
    if own := text_of(element, "NtryRef"):
        entry.references["entry"] = own
    if entry.booked_on is None:
        entry.booked_on = _first_day(details)
    for number_in, detail in enumerate(details, 1):
        _apply_entry(statement, entry, detail, number_in)
    if len(details) == 1:
        _merge_single_payment(entry, details[0])
    else:
        entry.details = details
    statement.entries.append(entry)


def _first_day(details: tuple[Booking, ...]) -> dt.date | None:
    return next((detail.booked_on for detail in details if detail.booked_on), None)


def _read_code(element: Element) -> str:
    """Read the bank transaction code: domain, family and sub-family, else the bank's own."""
    code = find(element, "BkTxCd")
    parts = (text_of(code, "Domn/Cd"), text_of(code, "Domn/Fmly/Cd"), text_of(code, "Domn/Fmly/SubFmlyCd"))
    return sys.intern("-".join(part for part in parts if part) or text_of(code, "Prtry/Cd"))


class _Detail(Booking):
    """A payment before its entry is known: its sign and side are not yet."""

    __slots__ = ("amounts", "parties", "side", "signed")

    amounts: list[tuple[Decimal | None, str]]
    signed: str  # an amount with a sign, which the direction is for
    parties: dict[str, Party]
    side: str


def detail_of(element: Element) -> Booking:
    """Read one payment of an entry: its references, text, amounts and both sides; `add_entry` chooses among these."""
    references = find(element, "Refs")
    ids = {name: text_of(references, tag) for tag, name in REFERENCES}
    ids |= {
        text_of(other, "Tp", "Prtry") or "proprietary": text_of(other, "Ref") for other in every(references, "Prtry")
    }
    if creditor := text_of(element, "RltdPties/Cdtr/Id/PrvtId/Othr/Id", "RltdPties/Cdtr/Pty/Id/PrvtId/Othr/Id"):
        ids["creditor"] = creditor
    text, structured = _read_remittance(element)
    if structured:
        ids["structured"] = structured
    end_to_end = ids.pop("end_to_end")
    made = _Detail(
        place="",
        amount=None,
        currency="",
        text=text,
        code=_read_code(element),
        end_to_end="" if end_to_end.upper() in ("NOTPROVIDED", "NOT PROVIDED") else end_to_end,
        bank_reference=ids.pop("bank"),
        batch=ids["batch"],
        return_reason=text_of(element, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry", "RtrInf/OrgnlBkTxCd/Prtry/Cd"),
    )
    made.references = {name: value for name, value in ids.items() if value and value.upper() != "NOTPROVIDED"}
    made.side = text_of(element, "CdtDbtInd").upper()
    amounts = [
        amount
        for path in ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/CntrValAmt/Amt", "AmtDtls/InstdAmt/Amt")
        if (amount := find(element, path)) is not None
    ]
    made.signed = next((text for amount in amounts if (text := (amount.text or "").strip()).startswith(SIGNS)), "")
    made.amounts = [(amount_of(amount.text or ""), known_currency(str(amount.get("Ccy") or ""))) for amount in amounts]
    made.parties = {side: _read_party(element, side) for side in ("Dbtr", "Cdtr")}
    return made


def _read_remittance(element: Element) -> tuple[str, str]:
    """Read the remittance text and its structured reference."""
    remittance = find(element, "RmtInf")
    paths = ("CdtrRefInf/Ref", "CdtrRefInf/CdtrRef", "RfrdDocInf/Nb", "RfrdDocInf/RfrdDocNb")
    structured = [text_of(document, *paths) for document in every(remittance, "Strd")]
    texts = [" ".join((line.text or "").split()) for line in every(remittance, "Ustrd")] + structured
    texts += [text_of(document, "AddtlRmtInf") for document in every(remittance, "Strd")]
    texts.append(text_of(element, "AddtlTxInf"))
    return " ".join(text for text in texts if text and text.upper() != "NOTPROVIDED"), next(
        (reference for reference in structured if reference), ""
    )


def _read_party(element: Element, side: str) -> Party:
    parties, agents = find(element, "RltdPties"), find(element, "RltdAgts")
    names = (f"{side}/Nm", f"{side}/Pty/Nm", f"{side}/Agt/FinInstnId/Nm", f"Ultmt{side}/Nm", f"Ultmt{side}/Pty/Nm")
    return Party(
        text_of(parties, *names), account_of(find(parties, f"{side}Acct")), bank_of(find(agents, f"{side}Agt"))
    )


def _apply_entry(statement: Parsed, entry: Booking, detail: Booking, number: int) -> None:
    """Complete a payment by its entry: place, days, status, sign, currency and other side."""
    assert isinstance(detail, _Detail)
    detail.place = _("%(entry)s, payment %(number)s") % {"entry": entry.place, "number": number}
    detail.booked_on, detail.value_on, detail.status = entry.booked_on, entry.value_on, entry.status
    detail.is_reversal = entry.is_reversal
    if detail.signed:
        message = _("“%(value)s” has a sign; CdtDbtInd sets the direction.")
        statement.add_error(detail.place, message % {"value": detail.signed[:40]})
    is_credit = detail.side == "CRDT" if detail.side in ("CRDT", "DBIT") else (entry.amount or 0) >= 0
    mine = next(
        (amount for amount, currency in detail.amounts if currency in (entry.currency, "") and amount is not None), None
    )
    detail.amount, detail.currency = None if mine is None else (mine if is_credit else -mine), entry.currency
    foreign = [(amount, currency) for amount, currency in detail.amounts if currency not in (entry.currency, "")]
    if foreign and foreign[-1][0] is not None:
        detail.original = (foreign[-1][0], foreign[-1][1])
    own = (entry.amount or 0) > 0 if detail.amount is None else detail.amount > 0
    ours, theirs = detail.parties["Cdtr" if own else "Dbtr"], detail.parties["Dbtr" if own else "Cdtr"]
    if not theirs and ours and ours.account != statement.account and entry.is_reversal:
        theirs = ours
    detail.party = theirs


def _merge_single_payment(entry: Booking, detail: Booking) -> None:
    """Give an entry of a single payment that payment's references, text and other side."""
    for name in ("end_to_end", "return_reason", "original"):
        setattr(entry, name, getattr(detail, name))
    entry.bank_reference = entry.bank_reference or detail.bank_reference
    entry.batch = entry.batch or detail.batch
    if detail.bank_reference and detail.bank_reference != entry.bank_reference:
        entry.references["bank_of_payment"] = detail.bank_reference
    entry.references |= detail.references
    entry.code = entry.code or detail.code
    entry.party = detail.party
    entry.text = " ".join(part for part in (detail.text, entry.text) if part)
