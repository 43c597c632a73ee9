"""camt.052 (report), .053 (statement) and .054 (notification) of ISO 20022, versions .001.02 to .08, by local names.

Namespaces are not looked at: banks write their own. Only booked entries count. A batch booking counts payment by payment
where its details say their amounts, else as one; details that do not add up to their entry are refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from django.utils.translation import gettext as _

from wallet.statements_in.base import BadStatement, Entry, Statement, bad, currency_of, minor_of

GROUPS = {"Stmt": "BkToCstmrStmt", "Rpt": "BkToCstmrAcctRpt", "Ntfctn": "BkToCstmrDbtCdtNtfctn"}
OPENING, CLOSING = ("OPBD", "PRCD"), ("CLBD",)
TEXT_MAX = 500


def read_camt(content: bytes) -> Iterator[Statement]:
    """Raises BadStatement: not XML, not camt, or with a DTD or entities in it."""
    try:
        root = ElementTree.fromstring(content, forbid_dtd=True)
    except ParseError as error:
        line, column = error.position
        raise bad(_("Line %(line)s, column %(column)s") % {"line": line, "column": column + 1}, _("this is not XML."))
    except DefusedXmlException as error:
        raise BadStatement(_("The file has a DTD or entities in it; no bank sends those.")) from error
    except (ValueError, LookupError) as error:
        raise BadStatement(_("The file's encoding can't be read.")) from error
    found = False
    for group in root:
        for part in group:
            if GROUPS.get(_name(part)) == _name(group):
                found = True
                yield _statement(part, _("Statement %(id)s") % {"id": _text(part, "Id")[:35] or "?"})
    if not found:
        raise BadStatement(_("This is no camt.052, .053 or .054 file: “%(name)s”.") % {"name": _name(root)[:40]})


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _find(element: Element | None, path: str) -> Element | None:
    for name in path.split("/"):
        if element is None:
            return None
        element = next((child for child in element if _name(child) == name), None)
    return element


def _all(element: Element | None, name: str) -> list[Element]:
    return [] if element is None else [child for child in element if _name(child) == name]


def _text(element: Element | None, *paths: str) -> str:
    """The first of the paths that has a text."""
    for path in paths:
        found = _find(element, path)
        if found is not None and found.text and found.text.strip():
            return found.text.strip()
    return ""


def _statement(part: Element, place: str) -> Statement:
    account = _text(part, "Acct/Id/IBAN", "Acct/Id/Othr/Id").replace(" ", "")
    if not account:
        raise bad(place, _("it names no account."))
    entries = tuple(
        one
        for number, entry in enumerate(_all(part, "Ntry"), 1)
        for one in _entries(entry, _("%(statement)s, entry %(number)s") % {"statement": place, "number": number})
    )
    balances = {_balance_code(one): one for one in reversed(_all(part, "Bal"))}
    opening = next((balances[code] for code in OPENING if code in balances), None)
    closing = next((balances[code] for code in CLOSING if code in balances), None)
    currency = _text(part, "Acct/Ccy") or _currency(opening) or (entries[0].currency if entries else "")
    currency = currency_of(place, currency)
    if other := next((one for one in entries if one.currency != currency), None):
        raise bad(
            other.place, _("it is in %(other)s, the account is in %(c)s.") % {"other": other.currency, "c": currency}
        )
    days = [one.booked_on for one in entries]
    days += [
        day for bal in (opening, closing) if bal is not None and (day := _day(place, _find(bal, "Dt"))) is not None
    ]
    created = _day(place, _find(part, "CreDtTm"), is_text=True)
    days = days or ([created] if created else [])
    if not days:
        raise bad(place, _("it names no day."))
    return Statement(
        place=place, account=account, currency=currency, first_day=min(days), last_day=max(days), entries=entries,
        opening_minor=_signed(place, opening), closing_minor=_signed(place, closing), told=_told(part, place, currency),
    )  # fmt: skip


def _balance_code(balance: Element) -> str:
    return _text(balance, "Tp/CdOrPrtry/Cd", "Tp/CdOrPrtry/Prtry")


def _currency(element: Element | None) -> str:
    amount = _find(element, "Amt")
    return "" if amount is None else str(amount.get("Ccy") or "")


def _signed(place: str, element: Element | None) -> int | None:
    """Amount with its direction: credits above zero."""
    amount = _find(element, "Amt")
    if amount is None:
        return None
    minor = minor_of(place, amount.text or "", currency_of(place, str(amount.get("Ccy") or "")))
    side = _text(element, "CdtDbtInd")
    if side not in ("CRDT", "DBIT"):
        raise bad(place, _("“%(value)s” is neither CRDT nor DBIT.") % {"value": side[:10]})
    return minor if side == "CRDT" else -minor


def _told(part: Element, place: str, currency: str) -> tuple[int | None, int | None]:
    """The bank's own count and net sum of entries, where it gives both with a direction."""
    total = _find(part, "TxsSummry/TtlNtries")
    if total is None or (_all(part, "Ntry") and any(_status(one) != "BOOK" for one in _all(part, "Ntry"))):
        return None, None
    count = _text(total, "NbOfNtries")
    net = _text(total, "TtlNetNtryAmt", "TtlNetNtry/Amt")
    side = _text(total, "CdtDbtInd", "TtlNetNtry/CdtDbtInd")
    minor = minor_of(place, net, currency) if net and side in ("CRDT", "DBIT") else None
    return (int(count) if count.isdigit() else None), (-minor if minor is not None and side == "DBIT" else minor)


def _status(entry: Element) -> str:
    return _text(entry, "Sts/Cd", "Sts") or "BOOK"


def _day(place: str, element: Element | None, *, is_text: bool = False) -> dt.date | None:
    text = (element.text or "").strip() if is_text and element is not None else _text(element, "Dt", "DtTm")
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        raise bad(place, _("“%(value)s” is not a date.") % {"value": text[:30]})


def _entries(entry: Element, place: str) -> Iterator[Entry]:
    """None for what is not booked yet; one, or one per payment of a batch."""
    if _status(entry) != "BOOK":
        return
    minor = _signed(place, entry)
    if minor is None:
        raise bad(place, _("it has no amount."))
    currency = _currency(entry)
    booked_on = _day(place, _find(entry, "BookgDt")) or _day(place, _find(entry, "ValDt"))
    if booked_on is None:
        raise bad(place, _("it names no day."))
    common: dict[str, Any] = {
        "place": place, "booked_on": booked_on, "value_on": _day(place, _find(entry, "ValDt")), "currency": currency,
        "bank_reference": _text(entry, "AcctSvcrRef")[:100],
        "batch": _text(entry, "NtryDtls/Btch/PmtInfId", "NtryDtls/Btch/MsgId")[:60],
    }  # fmt: skip
    details = [one for group in _all(entry, "NtryDtls") for one in _all(group, "TxDtls")]
    added = _text(entry, "AddtlNtryInf")
    if len(details) <= 1:
        detail = details[0] if details else None
        yield Entry(**common | _told_by(detail, minor, added), minor=minor)
        return
    amounts = [_detail_minor(one, place, currency, minor) for one in details]
    if any(one is None for one in amounts):
        texts = " ".join(_told_by(one, minor, "")["text"] for one in details)
        yield Entry(**common, minor=minor, text=f"{added} {texts}".strip()[:TEXT_MAX])
        return
    if sum(one or 0 for one in amounts) != minor:
        raise bad(place, _("the payments of the batch do not add up to the entry."))
    for number, (detail, part) in enumerate(zip(details, amounts, strict=True), 1):
        told = _told_by(detail, part or 0, added)
        own = _text(detail, "Refs/AcctSvcrRef")[:100]
        yield Entry(**common | told | {"bank_reference": own or common["bank_reference"]}, minor=part or 0, part=number)


def _detail_minor(detail: Element, place: str, currency: str, whole: int) -> int | None:
    """A payment's amount in the account's currency, with its direction; None where it is not told."""
    for path in ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/CntrValAmt/Amt"):
        amount = _find(detail, path)
        if amount is not None and amount.get("Ccy") == currency:
            minor = minor_of(place, amount.text or "", currency)
            side = _text(detail, "CdtDbtInd")
            is_credit = side == "CRDT" if side else whole > 0
            return minor if is_credit else -minor
    return None


def _told_by(detail: Element | None, minor: int, added: str) -> dict[str, str]:
    """References, texts and the other side: who paid us, or whom we paid."""
    parties, side = _find(detail, "RltdPties"), "Dbtr" if minor > 0 else "Cdtr"
    remittance = _find(detail, "RmtInf")
    structured = [
        _text(one, "CdtrRefInf/Ref", "CdtrRefInf/CdtrRef") for one in _all(remittance, "Strd")
    ] + [_text(one, "AddtlRmtInf") for one in _all(remittance, "Strd")]  # fmt: skip
    texts = [(one.text or "").strip() for one in _all(remittance, "Ustrd")] + structured
    texts += [_text(detail, "AddtlTxInf"), added]
    end_to_end = _text(detail, "Refs/EndToEndId")
    return {
        "end_to_end": "" if end_to_end == "NOTPROVIDED" else end_to_end[:60],
        "text": " ".join(text for text in texts if text)[:TEXT_MAX],
        "party_name": _text(parties, f"{side}/Nm", f"{side}/Pty/Nm", f"Ultmt{side}/Nm", f"Ultmt{side}/Pty/Nm")[:140],
        "party_account": _text(parties, f"{side}Acct/Id/IBAN", f"{side}Acct/Id/Othr/Id").replace(" ", "")[:40],
        "party_bic": _text(detail, f"RltdAgts/{side}Agt/FinInstnId/BICFI", f"RltdAgts/{side}Agt/FinInstnId/BIC")[:11],
        "return_reason": _text(detail, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry")[:20],
    }  # fmt: skip
