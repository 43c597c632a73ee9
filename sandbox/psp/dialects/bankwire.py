"""A bank without an API: clients wire money to it, payment files are handed to it, its statements tell what happened.

| call | does |
|---|---|
| `POST /_control/bankwire/wires` `{"text", "amount_minor", "currency", "payer_name", "payer_iban"}` | a client wires money |
| `POST /_control/bankwire/returns` `{"end_to_end"}` | the other bank sends a payment back |
| `POST /bankwire/pain001` (the file) | what a person does in the bank's portal: the payments are booked |
| `GET /bankwire/camt053?from=&to=` | the statement, a `Stmt` per currency |
"""

import hmac
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from defusedxml import ElementTree

from sandbox.psp.api import read_period
from sandbox.psp.faults import Faults
from sandbox.psp.money import exponent, major
from sandbox.psp.payments import ApiError, read_amount, read_currency, read_text
from sandbox.psp.server import Request, Response, as_json, router
from sandbox.psp.store import Store, new_id, now

IBAN, BIC, HOLDER, BANK = "DE89370400440532013000", "COBADEFFXXX", "Keelson Markets Ltd", "First Bank of Sand"
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


def _book(store: Store, kind: str, minor: int, currency: str, details: dict[str, Any]) -> str:
    reference = new_id("wire")
    with store.transaction():
        store.insert(
            "movements",
            psp="bankwire",
            type=kind,
            psp_reference=reference,
            merchant_reference=details.get("end_to_end") or details.get("text", ""),
            gross_minor=minor,
            fee_minor=0,
            currency=currency,
            method="wire",
            created_at=details.pop("at", None) or now(),
        )
        store.note("bankwire", reference, "details", json.dumps(details))
    return reference


@router.route("POST", "/_control/{psp:bankwire}/wires")
def client_wires(request: Request) -> Response:
    """Wire money to the merchant as a client does."""
    body = request.json
    details = {
        "text": read_text(body, "text", required=False),
        "name": read_text(body, "payer_name", required=False),
        "iban": read_text(body, "payer_iban", required=False),
        "at": body.get("at"),
    }
    currency = read_currency(body, request.character)
    return as_json({"reference": _book(request.store, "payment", read_amount(body), currency, details)}, 201)


@router.route("POST", "/_control/{psp:bankwire}/returns")
def send_back(request: Request) -> Response:
    """Return a payment of the merchant's, as the receiving bank does."""
    end_to_end = read_text(request.json, "end_to_end")
    sent = request.store.row(
        "SELECT * FROM movements WHERE psp = 'bankwire' AND type = 'payout' AND merchant_reference = ?", end_to_end
    )
    if sent is None:
        raise ApiError(404, "unknown_payment", f"There is no payment {end_to_end}.")
    details = {"end_to_end": end_to_end, "text": "Return", "reason": "AC04"}
    reference = _book(request.store, "payout_returned", -sent["gross_minor"], sent["currency"], details)
    return as_json({"reference": reference}, 201)


def _text(element: Element, *names: str) -> str:
    for child in element.iter():
        if str(child.tag).rpartition("}")[2] in names and child.text:
            return child.text.strip()
    return ""


@router.route("POST", "/{psp:bankwire}/pain001")
def take_payment_file(request: Request) -> Response:
    """Books each payment of a pain.001, once per EndToEndId; the control sum must hold."""
    try:
        root = ElementTree.fromstring(request.body, forbid_dtd=True)
    except (ElementTree.ParseError, ValueError):
        raise ApiError(400, "not_xml", "This is not a payment file.") from None
    transactions = [element for element in root.iter() if str(element.tag).rpartition("}")[2] == "CdtTrfTxInf"]
    payments = []
    for element in transactions:
        amount = next(child for child in element.iter() if str(child.tag).rpartition("}")[2] == "InstdAmt")
        currency = amount.get("Ccy", "")
        whole, _, fraction = (amount.text or "").partition(".")
        minor = int(whole + fraction.ljust(exponent(currency), "0"))
        payments.append((_text(element, "EndToEndId"), minor, currency, _text(element, "Nm"), _text(element, "IBAN")))
    total = sum(minor for _id, minor, _currency, _name, _iban in payments)
    if not payments or _text(root, "CtrlSum") != major(total, payments[0][2]):
        raise ApiError(400, "control_sum", "The control sum does not hold.")
    booked = 0
    for end_to_end, minor, currency, name, iban in payments:
        if not request.store.row(
            "SELECT 1 FROM movements WHERE psp = 'bankwire' AND type = 'payout' AND merchant_reference = ?", end_to_end
        ):
            _book(request.store, "payout", -minor, currency, {"end_to_end": end_to_end, "name": name, "iban": iban})
            booked += 1
    return as_json({"booked": booked}, 201)


@router.route("GET", "/{psp:bankwire}/camt053")
def download_statement(request: Request) -> Response:
    """Send the account's statement of a period as camt.053."""
    header = request.headers.get("authorization", "")
    if not hmac.compare_digest(header.encode(), f"Bearer {request.character.api_key}".encode()):
        raise ApiError(401, "wrong_key", "The token is missing or wrong.")
    first, last = read_period(request)
    return Response(200, camt_053(request.store, first, last), "application/xml")


def _with(parent: Element, path: str, text: str = "", **attributes: str) -> Element:
    for name in path.split("/"):
        parent = SubElement(parent, name)
    parent.text = text or None
    for name, value in attributes.items():
        parent.set(name, value)
    return parent


def _amount(parent: Element, minor: int, currency: str) -> None:
    _with(parent, "Amt", major(abs(minor), currency), Ccy=currency)
    _with(parent, "CdtDbtInd", "CRDT" if minor >= 0 else "DBIT")


def _entry(statement: Element, row: dict[str, Any], details: dict[str, str]) -> None:
    entry = SubElement(statement, "Ntry")
    _amount(entry, row["gross_minor"], row["currency"])
    _with(entry, "Sts/Cd", "BOOK")
    day = f"{datetime.fromtimestamp(row['created_at'], UTC):%Y-%m-%d}"
    _with(entry, "BookgDt/Dt", day)
    _with(entry, "ValDt/Dt", day)
    _with(entry, "AcctSvcrRef", row["psp_reference"])
    detail = _with(entry, "NtryDtls/TxDtls")
    _with(detail, "Refs/EndToEndId", details.get("end_to_end") or "NOTPROVIDED")
    side = "Dbtr" if row["gross_minor"] > 0 else "Cdtr"
    parties = SubElement(detail, "RltdPties")
    if details.get("name"):
        _with(parties, f"{side}/Pty/Nm", details["name"])
    if details.get("iban"):
        _with(parties, f"{side}Acct/Id/IBAN", details["iban"])
    if details.get("text"):
        _with(detail, "RmtInf/Ustrd", details["text"])
    if details.get("reason"):
        _with(detail, "RtrInf/Rsn/Cd", details["reason"])


def camt_053(store: Store, first: date, last: date) -> bytes:
    """Balances at both ends and every booking between, per currency."""
    since = datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()
    until = since + (last - first + timedelta(days=1)).total_seconds()
    rows = [
        dict(row)
        for row in store.rows("SELECT * FROM movements WHERE psp = 'bankwire' AND created_at < ? ORDER BY id", until)
    ]
    difference = Faults(store).spend("bankwire", "settlement_difference")
    root = Element("Document", xmlns=NAMESPACE)
    group = SubElement(root, "BkToCstmrStmt")
    _with(group, "GrpHdr/MsgId", f"SAND{int(now())}")
    for number, currency in enumerate(sorted({row["currency"] for row in rows}) or ["EUR"], 1):
        own = [row for row in rows if row["currency"] == currency]
        inside = [row for row in own if row["created_at"] >= since]
        opening = sum(row["gross_minor"] for row in own) - sum(row["gross_minor"] for row in inside)
        closing = opening + sum(row["gross_minor"] for row in inside) + (1 if difference == "totals" else 0)
        statement = SubElement(group, "Stmt")
        _with(statement, "Id", f"{first:%Y%m%d}-{number}")
        _with(statement, "CreDtTm", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
        account = SubElement(statement, "Acct")
        _with(account, "Id/IBAN", IBAN)
        _with(account, "Ccy", currency)
        for code, minor, day in (("OPBD", opening, first), ("CLBD", closing, last)):
            balance = SubElement(statement, "Bal")
            _with(balance, "Tp/CdOrPrtry/Cd", code)
            _amount(balance, minor, currency)
            _with(balance, "Dt/Dt", f"{day:%Y-%m-%d}")
        for place, row in enumerate(inside):
            if difference == "missing_row" and place == len(inside) // 2:
                continue
            _entry(statement, row, json.loads(store.noted("bankwire", row["psp_reference"], "details") or "{}"))
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root)
