"""The sandbox's Stripe and Adyen as their official SDKs see them, with the SDKs' own HTTP clients and none of our code."""

import base64
import json
import time

import Adyen
import httpx
import pytest
import stripe
from Adyen.services.checkout.payment_links_api import PaymentLinksApi
from Adyen.services.payouts.initialization_api import InitializationApi
from Adyen.services.transfers.transfers_api import TransfersApi
from Adyen.util import is_valid_hmac_notification, is_valid_hmac_payload

from sandbox.psp.apis.stripe import ACCOUNT
from sandbox.psp.characters import CHARACTERS
from sandbox.psp.dialects.adyen import MERCHANT, hmac_key
from sandbox.psp.dialects.adyen_transfers import BALANCE_ACCOUNT
from tests.sandbox.psp.running import Catcher, RunningPsp, wait_until

KEY = "sandbox-api-key-stripe"
LINE = {"quantity": 1, "price_data": {"currency": "eur", "unit_amount": 50_000, "product_data": {"name": "Deposit"}}}
SESSION = {
    "mode": "payment",
    "line_items": [LINE],
    "success_url": "http://shop.example/back",
    "payment_intent_data": {"metadata": {"reference": "D-1"}},
}


@pytest.fixture
def client(psp: RunningPsp) -> stripe.StripeClient:
    url = f"{psp.url}/stripe"
    return stripe.StripeClient(KEY, base_addresses={"api": url, "files": url}, max_network_retries=0)


def adyen_service(psp: RunningPsp, service: type, key: str = "sandbox-api-key-adyen"):
    made = service(client=Adyen.AdyenClient(xapikey=key, platform="test"))
    made.baseUrl = f"{psp.url}/adyen/" + made.baseUrl.split("/", 3)[3]
    return made


# Stripe


def test_a_session_is_opened_paid_and_told_in_two_events_that_the_sdk_verifies(client, psp, catcher: Catcher) -> None:
    session = client.v1.checkout.sessions.create(SESSION)
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    psp.play("stripe", "D-1", payer_name="Clara Weber")
    wait_until(lambda: len(catcher.received) == 2)
    for headers, body in catcher.received:
        event = stripe.Webhook.construct_event(body, headers["stripe-signature"], CHARACTERS["stripe"].webhook_secret)
        assert event.type in ("checkout.session.completed", "payment_intent.succeeded")
        assert event.data.object.metadata["reference"] == "D-1"
    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    assert paid.payment_intent.latest_charge.billing_details.name == "Clara Weber"
    assert client.v1.accounts.retrieve_current().id == ACCOUNT


def test_stripe_s_errors_are_of_the_classes_that_the_sdk_knows(client, psp) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="There is no"):
        client.v1.checkout.sessions.retrieve("cs_test_unknown")
    with pytest.raises(stripe.InvalidRequestError, match="must be payment"):
        client.v1.checkout.sessions.create({**SESSION, "mode": "setup"})
    with pytest.raises(stripe.InvalidRequestError, match="xyz is invalid"):
        client.v1.checkout.sessions.create({**SESSION, "payment_method_types": ["xyz"]})
    other = stripe.StripeClient("sk_wrong", base_addresses={"api": f"{psp.url}/stripe"}, max_network_retries=0)
    with pytest.raises(stripe.AuthenticationError):
        other.v1.accounts.retrieve_current()
    psp.fault("outage", psp="stripe", times=1)
    with pytest.raises(stripe.APIError):
        client.v1.accounts.retrieve_current()


def test_a_key_answers_once_and_refuses_another_wish(client, psp) -> None:
    first = client.v1.checkout.sessions.create(SESSION, {"idempotency_key": "k"})
    again = client.v1.checkout.sessions.create(SESSION, {"idempotency_key": "k"})
    assert first.id == again.id and again.last_response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        client.v1.checkout.sessions.create(
            {**SESSION, "success_url": "http://other.example/"}, {"idempotency_key": "k"}
        )
    psp.store.run("UPDATE idempotency SET status = NULL")
    with pytest.raises(stripe.StripeError) as busy:
        client.v1.checkout.sessions.create(SESSION, {"idempotency_key": "k"})
    assert busy.value.http_status == 409


def test_refunds_are_listed_and_never_exceed_what_came_in(client, psp) -> None:
    session = client.v1.checkout.sessions.create(SESSION)
    intent = session.id.replace("cs_test_", "pi_")
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"payment_intent": intent})
    psp.play("stripe", "D-1")
    client.v1.refunds.create({"payment_intent": intent, "amount": 20_000, "metadata": {"reference": "R-1"}})
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"payment_intent": intent, "amount": 30_001})
    assert [one.metadata["reference"] for one in client.v1.refunds.list({"payment_intent": intent}).data] == ["R-1"]


def test_a_lost_dispute_is_closed_and_the_money_stays_away(client, psp, catcher: Catcher) -> None:
    client.v1.checkout.sessions.create(SESSION)
    psp.play("stripe", "D-1")
    for what in ("chargeback", "dispute-lost"):
        psp.play("stripe", "D-1", what)
    wait_until(lambda: len(catcher.received) == 5)
    told = [event["type"] for event in catcher.events if event["type"].startswith("charge.dispute")]
    assert sorted(told) == ["charge.dispute.closed", "charge.dispute.created", "charge.dispute.funds_withdrawn"]
    closed = next(event for event in catcher.events if event["type"] == "charge.dispute.closed")
    assert closed["data"]["object"]["status"] == "lost"
    with pytest.raises(httpx.HTTPStatusError):
        psp.play("stripe", "D-1", "dispute-lost")


def test_sepa_debit_asks_for_the_account_s_holder_and_is_captured_later(client, psp, catcher: Catcher) -> None:
    session = client.v1.checkout.sessions.create({**SESSION, "payment_method_types": ["sepa_debit"]})
    assert "IBAN" in httpx.get(session.url).text
    httpx.post(session.url, data={"payer_name": "Clara Weber", "action": "pay"})
    psp.control("finish")
    wait_until(lambda: len(set(catcher.types)) >= 4)  # sent side by side, so they come in any order
    assert set(catcher.types) == {
        "checkout.session.completed",
        "payment_intent.processing",
        "payment_intent.succeeded",
        "checkout.session.async_payment_succeeded",
    }


# Adyen

LINK = {
    "merchantAccount": MERCHANT,
    "reference": "D-1",
    "amount": {"value": 50_000, "currency": "EUR"},
    "returnUrl": "http://shop.example/back",
}


def test_a_link_is_made_paid_and_told_in_items_that_the_sdk_verifies(psp, catcher: Catcher) -> None:
    links = adyen_service(psp, PaymentLinksApi)
    link = links.payment_links(LINK).message
    assert link["status"] == "active" and link["id"].startswith("PL")
    psp.play("adyen", "D-1")
    wait_until(lambda: len(catcher.received) == 2)
    codes = set()
    for _headers, body in catcher.received:
        assert is_valid_hmac_notification(json.loads(body), hmac_key(CHARACTERS["adyen"].webhook_secret))
        codes.add(json.loads(body)["notificationItems"][0]["NotificationRequestItem"]["eventCode"])
    assert codes == {"AUTHORISATION", "CAPTURE"}
    assert links.get_payment_link(link["id"]).message["status"] == "paid"


def test_adyen_s_errors_are_of_the_classes_that_the_sdk_knows(psp) -> None:
    with pytest.raises(Adyen.exceptions.AdyenAPIAuthenticationError):
        adyen_service(psp, PaymentLinksApi, "wrong").payment_links(LINK)
    links = adyen_service(psp, PaymentLinksApi)
    with pytest.raises(Adyen.exceptions.AdyenAPIInvalidPermission):
        links.payment_links({**LINK, "merchantAccount": "Other"})
    with pytest.raises(Adyen.exceptions.AdyenAPIUnprocessableEntity):
        links.payment_links({**LINK, "amount": {}})
    links.payment_links(LINK, idempotency_key="k")
    with pytest.raises(Adyen.exceptions.AdyenAPIUnprocessableEntity) as other:
        links.payment_links({**LINK, "reference": "D-2"}, idempotency_key="k")
    assert other.value.error_code == "704"


def test_only_the_payout_users_may_pay_out(psp) -> None:
    order = {
        "merchantAccount": MERCHANT,
        "reference": "W-1",
        "amount": {"value": 10_000, "currency": "EUR"},
        "bank": {"iban": "NL32ABNA0515071439", "ownerName": "Clara Weber", "countryCode": "NL"},
    }
    with pytest.raises(Adyen.exceptions.AdyenAPIAuthenticationError):
        adyen_service(psp, InitializationApi).store_detail_and_submit_third_party(order)
    submit = adyen_service(psp, InitializationApi, "sandbox-api-key-adyen-payout-submit")
    assert submit.store_detail_and_submit_third_party(order).message["resultCode"] == "[payout-submit-received]"
    assert psp.store.rows("SELECT id FROM transfers") == [], "nothing is paid before it is confirmed"


TRANSFER = {
    "amount": {"value": 10_000, "currency": "EUR"},
    "balanceAccountId": BALANCE_ACCOUNT,
    "category": "bank",
    "counterparty": {
        "bankAccount": {
            "accountHolder": {"fullName": "Clara Weber"},
            "accountIdentification": {"type": "iban", "iban": "NL32ABNA0515071439"},
        }
    },
    "priority": "regular",
    "reference": "W-1",
    "referenceForBeneficiary": "W1",
}


def test_a_transfer_is_sent_told_listed_and_sent_back_as_the_sdk_verifies(psp, catcher: Catcher) -> None:
    api = adyen_service(psp, TransfersApi, "sandbox-api-key-adyen-transfers")
    sent = api.transfer_funds(TRANSFER, idempotency_key="W-1").message
    assert (sent["status"], sent["reference"], sent["sequenceNumber"]) == ("received", "W-1", 1)
    assert api.transfer_funds(TRANSFER, idempotency_key="W-1").message["id"] == sent["id"]
    with pytest.raises(Adyen.exceptions.AdyenAPIUnprocessableEntity) as other:
        api.transfer_funds({**TRANSFER, "reference": "W-2"}, idempotency_key="W-1")
    assert other.value.error_code == "704"
    psp.control("finish")
    wait_until(lambda: len(catcher.received) == 3)
    psp.control("adyen/transfers/W-1/return", {"reason": "counterpartyAccountBlocked"})
    wait_until(lambda: len(catcher.received) == 4)
    key = hmac_key(f"{CHARACTERS['adyen'].webhook_secret}-transfers")
    for headers, body in catcher.received:
        assert is_valid_hmac_payload(headers["hmacsignature"], key, body)
    told = sorted((event["data"]["sequenceNumber"], event["data"]["status"]) for event in catcher.events)
    assert told == [(1, "received"), (2, "authorised"), (3, "booked"), (4, "returned")]
    found = api.get_transfer(sent["id"]).message
    assert (found["status"], found["reason"]) == ("returned", "counterpartyAccountBlocked")
    since, until = (
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds)) for seconds in (-86_400, 60)
    )
    query = {"balanceAccountId": BALANCE_ACCOUNT, "createdSince": since, "createdUntil": until, "reference": "W-1"}
    assert [one["id"] for one in api.get_all_transfers(query_parameters=query).message["data"]] == [sent["id"]]
    assert api.get_all_transfers(query_parameters={**query, "reference": "W-9"}).message["data"] == []
    with pytest.raises(Adyen.exceptions.AdyenAPIUnprocessableEntity):
        api.get_all_transfers(query_parameters={**query, "createdSince": "2026-01-02T00:00:00Z"})


def test_a_transfer_that_is_wrong_is_refused_field_by_field(psp) -> None:
    with pytest.raises(Adyen.exceptions.AdyenAPIAuthenticationError):
        adyen_service(psp, TransfersApi).transfer_funds(TRANSFER)
    api = adyen_service(psp, TransfersApi, "sandbox-api-key-adyen-transfers")
    with pytest.raises(Adyen.exceptions.AdyenAPIInvalidPermission):
        api.transfer_funds({**TRANSFER, "balanceAccountId": "BA-OTHER"})
    with pytest.raises(Adyen.exceptions.AdyenAPIUnprocessableEntity) as refused:
        api.transfer_funds({**TRANSFER, "amount": {"value": 0, "currency": "EUR"}, "referenceForBeneficiary": "W-1"})
    assert [one["name"] for one in refused.value.message["invalidFields"]] == [
        "referenceForBeneficiary",
        "amount.value",
    ]
    with pytest.raises(Adyen.exceptions.AdyenAPIUnprocessableEntity):
        api.transfer_funds(TRANSFER, idempotency_key="k" * 65)
    with pytest.raises(Adyen.exceptions.AdyenAPIUnprocessableEntity, match="Transfer not found"):
        api.get_transfer("UNKNOWN")
    assert psp.store.rows("SELECT id FROM transfers") == []


def test_adyen_repeats_what_is_not_answered_as_it_wants(psp, catcher: Catcher) -> None:
    catcher.answer = b"thanks"
    adyen_service(psp, PaymentLinksApi).payment_links(LINK)
    psp.play("adyen", "D-1", "decline")
    wait_until(lambda: catcher.received)
    catcher.answer = b"[accepted]"
    wait_until(lambda: psp.deliveries()[0]["state"] == "done")
    assert len(catcher.received) >= 2


def test_reports_need_the_report_user(psp) -> None:
    today = time.strftime("%Y-%m-%d")
    url = f"{psp.url}/adyen/reports/download/MerchantAccount/{MERCHANT}/settlement_detail_report_batch_{today}_{today}.csv"
    assert httpx.get(url).status_code == 401
    login = base64.b64encode(b"report@Company.SandboxCompany:sandbox-api-key-adyen-report").decode()
    answer = httpx.get(url, headers={"Authorization": f"Basic {login}"})
    assert answer.status_code == 200 and answer.text.startswith("Company Account,Merchant Account,Psp Reference")
