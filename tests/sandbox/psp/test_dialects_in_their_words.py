"""PayPal, BTCPay, the cashier and the bank as the sandbox plays them: their own words, keys and refusals."""

import base64
import hashlib
import hmac
import json
from xml.etree.ElementTree import fromstring

import httpx
import pytest

from sandbox.psp.dialects.bankwire import IBAN
from sandbox.psp.dialects.btcpay import STORE
from sandbox.psp.dialects.btcpay_addresses import segwit_address
from sandbox.psp.dialects.praxis import APPLICATION, FIND, MERCHANT, signature
from tests.sandbox.psp.running import Catcher, RunningPsp, wait_until

ORDER = {
    "intent": "CAPTURE",
    "purchase_units": [
        {"custom_id": "D-1", "invoice_id": "D-1", "amount": {"currency_code": "EUR", "value": "500.00"}}
    ],
    "payment_source": {"paypal": {"experience_context": {"return_url": "http://shop.example/back"}}},
}
INVOICE = {
    "amount": "500.00",
    "currency": "EUR",
    "metadata": {"orderId": "D-1"},
    "checkout": {"redirectURL": "http://shop.example/back"},
}
WIRE = {"text": "RF12", "amount_minor": 5_000, "currency": "EUR", "payer_name": "A", "payer_iban": "DE1"}


def paypal(psp: RunningPsp, method: str, path: str, body: dict | None = None, **headers: str) -> httpx.Response:
    basic = base64.b64encode(b"client-paypal:sandbox-api-key-paypal").decode()
    token = httpx.post(f"{psp.url}/paypal/v1/oauth2/token", headers={"Authorization": f"Basic {basic}"}).json()
    bearer = {"Authorization": f"Bearer {token['access_token']}", **headers}
    return httpx.request(method, f"{psp.url}/paypal{path}", json=body, headers=bearer)


def test_paypal_wants_a_token_and_says_no_in_its_own_words(psp: RunningPsp) -> None:
    answer = httpx.get(f"{psp.url}/paypal/v2/checkout/orders/x", headers={"Authorization": "Bearer wrong"})
    assert (answer.status_code, answer.json()["name"]) == (401, "AUTHENTICATION_FAILURE")
    assert httpx.post(f"{psp.url}/paypal/v1/oauth2/token").status_code == 401
    assert paypal(psp, "GET", "/v2/checkout/orders/x").json()["name"] == "RESOURCE_NOT_FOUND"


def test_a_paypal_order_is_approved_then_captured_once(psp: RunningPsp, catcher: Catcher) -> None:
    order = paypal(psp, "POST", "/v2/checkout/orders", ORDER).json()
    path = f"/v2/checkout/orders/{order['id']}"
    assert (order["status"], order["links"][0]["rel"]) == ("PAYER_ACTION_REQUIRED", "payer-action")
    assert paypal(psp, "POST", f"{path}/capture", {}).json()["details"][0]["issue"] == "ORDER_NOT_APPROVED"
    psp.play("paypal", "D-1")
    assert paypal(psp, "GET", path).json()["status"] == "APPROVED"
    assert paypal(psp, "POST", f"{path}/capture", {}, **{"PayPal-Request-Id": "c1"}).json()["status"] == "COMPLETED"
    assert paypal(psp, "POST", f"{path}/capture", {}, **{"PayPal-Request-Id": "c1"}).status_code == 200
    again = paypal(psp, "POST", f"{path}/capture", {}, **{"PayPal-Request-Id": "c2"})
    assert again.json()["details"][0]["issue"] == "ORDER_ALREADY_CAPTURED"
    wait_until(lambda: len(catcher.received) == 2)
    assert {event["event_type"] for event in catcher.events} == {"CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED"}
    assert len(psp.store.rows("SELECT * FROM movements")) == 1


def test_paypal_refuses_cents_of_yen(psp: RunningPsp) -> None:
    unit = ORDER["purchase_units"][0] | {"amount": {"currency_code": "JPY", "value": "500.50"}}
    assert paypal(psp, "POST", "/v2/checkout/orders", ORDER | {"purchase_units": [unit]}).status_code == 422


def btcpay(psp: RunningPsp, method: str, path: str, body: dict | None = None) -> httpx.Response:
    headers = {"Authorization": "token sandbox-api-key-btcpay"}
    return httpx.request(method, f"{psp.url}/btcpay/api/v1{path}", json=body, headers=headers)


def test_btcpay_wants_its_token_and_its_store(psp: RunningPsp) -> None:
    assert httpx.get(f"{psp.url}/btcpay/api/v1/stores/{STORE}").json()["code"] == "unauthenticated"
    assert btcpay(psp, "GET", "/stores/another").json()["code"] == "missing-permission"


@pytest.mark.parametrize(
    ("sent", "states"),
    [(50_000, ("Settled", "None")), (40_000, ("Expired", "PaidPartial")), (60_000, ("Settled", "PaidOver"))],
)
def test_a_btcpay_invoice_tells_what_arrived(
    psp: RunningPsp, catcher: Catcher, sent: int, states: tuple[str, str]
) -> None:
    invoice = btcpay(psp, "POST", f"/stores/{STORE}/invoices", INVOICE).json()
    psp.play("btcpay", "D-1", received_minor=sent)
    path = f"/stores/{STORE}/invoices/{invoice['id']}"
    wait_until(lambda: btcpay(psp, "GET", path).json()["status"] == states[0])
    assert btcpay(psp, "GET", path).json()["additionalStatus"] == states[1]
    way = btcpay(psp, "GET", f"{path}/payment-methods").json()[0]
    assert float(way["paymentMethodPaid"]) == pytest.approx(sent / 100 / 60_000, abs=1e-8)
    wait_until(lambda: len(catcher.received) == 2)
    headers, body = catcher.received[-1]
    digest = hmac.new(b"sandbox-webhook-secret-btcpay", body, hashlib.sha256).hexdigest()
    assert headers["btcpay-sig"] == f"sha256={digest}"


def test_the_address_of_an_invoice_is_bip_173_s() -> None:
    program = bytes.fromhex("751e76e8199196d454941c45d1b3a323f1433bd6")
    assert segwit_address(program) == "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"


def praxis(psp: RunningPsp, path: str, body: dict, fields: tuple[str, ...], secret: str) -> httpx.Response:
    message = {"merchant_id": MERCHANT, "application_key": APPLICATION, "timestamp": 0, **body}
    return httpx.post(
        f"{psp.url}/praxis{path}", json=message, headers={"Gt-Authentication": signature(message, fields, secret)}
    )


def test_the_cashier_checks_signature_then_time(psp: RunningPsp) -> None:
    wrong = praxis(psp, "/agent/find-order", {"order_id": "D-1"}, FIND, "wrong")
    assert wrong.json()["description"] == "Signature mismatch"
    late = praxis(psp, "/agent/find-order", {"order_id": "D-1"}, FIND, "sandbox-webhook-secret-praxis")
    assert late.json()["description"] == "The timestamp is out of range"


def test_a_reply_that_does_not_say_zero_brings_the_notification_again(psp: RunningPsp, catcher: Catcher) -> None:
    from sandbox.psp.dialects.praxis import DIALECT

    assert DIALECT.is_taken(200, b'{"status": 0}')
    assert not DIALECT.is_taken(200, b'{"status": -1}')
    assert not DIALECT.is_taken(200, b"[accepted]")
    assert not DIALECT.is_taken(500, b'{"status": 0}')


def statement(psp: RunningPsp) -> str:
    from datetime import UTC, datetime

    day = datetime.now(UTC).date()
    headers = {"Authorization": "Bearer sandbox-api-key-bankwire"}
    answer = httpx.get(f"{psp.url}/bankwire/camt053?from={day}&to={day}", headers=headers)
    answer.raise_for_status()
    return answer.text


def test_the_bank_s_statement_has_every_wire_and_adds_up(psp: RunningPsp, catcher: Catcher) -> None:
    psp.control("bankwire/wires", WIRE)
    psp.control("bankwire/wires", WIRE | {"amount_minor": 2_500})
    root = fromstring(statement(psp))
    space = root.tag.partition("}")[0] + "}"
    amounts = [one.text for one in root.iter(f"{space}Amt")]
    assert amounts == ["0.00", "75.00", "50.00", "25.00"]
    assert IBAN in statement(psp)
    assert not catcher.received, "a bank tells nothing by itself"
    assert httpx.get(f"{psp.url}/bankwire/camt053?from=2026-01-01&to=2026-01-02").status_code == 401


def test_the_bank_refuses_a_payment_file_whose_sum_is_wrong(psp: RunningPsp) -> None:
    file = (
        b"<Document><CstmrCdtTrfInitn><GrpHdr><CtrlSum>2.00</CtrlSum></GrpHdr><PmtInf><CdtTrfTxInf><PmtId><EndToEndId>W-1"
        b"</EndToEndId></PmtId><Amt><InstdAmt Ccy='EUR'>1.00</InstdAmt></Amt></CdtTrfTxInf></PmtInf></CstmrCdtTrfInitn></Document>"
    )
    assert httpx.post(f"{psp.url}/bankwire/pain001", content=file).json()["error"]["code"] == "control_sum"
    good = file.replace(b"2.00", b"1.00")
    assert httpx.post(f"{psp.url}/bankwire/pain001", content=good).json() == {"booked": 1}
    assert httpx.post(f"{psp.url}/bankwire/pain001", content=b"no").json()["error"]["code"] == "not_xml"


def test_every_dialect_can_be_tampered_with(psp: RunningPsp, catcher: Catcher) -> None:
    paypal(psp, "POST", "/v2/checkout/orders", ORDER)
    psp.fault("webhook_tamper", 100, times=1)
    psp.play("paypal", "D-1")
    wait_until(lambda: catcher.received)
    told = json.loads(catcher.received[0][1])
    assert told["resource"]["purchase_units"][0]["amount"]["value"] == "501.00"
