"""Setting up PSPs in a browser: a new one with its keys and ways to pay, what is kept, and how each has been doing."""

import datetime as dt
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clients.vocabulary import VERIFIED
from crm.conditions import all_of
from crm.errors import WrongState
from crm.models import AuditEvent
from tests.wallet.factories import make_psp
from wallet.models import Deposit, PaymentMethod, Psp, PspCall, WebhookMessage
from wallet.psp import ADAPTERS
from wallet.psp.setup import PspSetup, add_method, create_psp

pytestmark = pytest.mark.django_db
GERMAN_SPEAKING = all_of({"field": "country", "is": "in", "value": ["DE", "AT"]}, VERIFIED)
NEW = reverse("wallet:psp_new")


def keys(**changes) -> dict:
    return {
        "name": "Stripe Europe",
        "code": "stripe",
        "currencies": "eur, USD,EUR",
        "methods": ["card", "klarna"],
        "api_key": "sandbox-api-key-stripe",
        "webhook_secret": "whsec_1",
        "account": "",
    } | changes


def test_every_provider_can_be_chosen_and_shows_the_keys_that_it_needs(cast, browse):
    browser = browse(cast.finance)
    shown = browser.get(NEW).content.decode()
    assert all(f"?adapter={name}" in shown for name in ADAPTERS)
    for name in ADAPTERS:
        assert browser.get(NEW, {"adapter": name}).status_code == 200
    stripe = browser.get(NEW, {"adapter": "stripe"}).content.decode()
    assert 'name="webhook_secret"' in stripe and "whsec_" in stripe and "SEPA direct debit" in stripe
    assert browser.get(NEW, {"adapter": "moneybag"}).status_code == 404
    assert browse(cast.auditor).get(NEW).status_code == 403


def test_a_new_psp_has_its_methods_and_is_tested_at_once(cast, outside, browse):
    browser, url = browse(cast.finance), f"{NEW}?adapter=stripe"
    values = keys(brand=cast.brand.pk, base_url=f"{outside.running.url}/stripe")
    done = browser.post(url, values, follow=True)
    psp = Psp.objects.get(code="stripe")
    assert done.redirect_chain[-1][0] == reverse("wallet:psp", args=[psp.pk])
    page = done.content.decode()
    assert "Stripe Europe responds and accepts our key." in page
    assert "http://testserver/webhooks/psp/stripe/" in page
    assert "sandbox-api-key-stripe" not in page and "whsec_1" not in page
    assert list(psp.methods.values_list("code", "label", "currencies", "pays_out", "condition")) == [
        ("card", "Card", ["EUR", "USD"], False, all_of(VERIFIED)),
        ("klarna", "Klarna", ["EUR", "USD"], False, all_of(VERIFIED)),
    ]
    assert psp.credentials["webhook_secret"] == "whsec_1"
    created = AuditEvent.objects.get(action="wallet.psp_created")
    assert b"whsec_1" not in bytes(created.body) and b"webhook_secret" in bytes(created.body)


def test_a_wrong_key_is_kept_and_the_page_says_what_to_do(cast, outside, browse):
    values = keys(brand=cast.brand.pk, base_url=f"{outside.running.url}/stripe", api_key="sk_wrong")
    page = browse(cast.finance).post(f"{NEW}?adapter=stripe", values, follow=True).content.decode()
    assert "recognise this key" in page
    assert Psp.objects.get(code="stripe").last_check_error


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"api_key": ""}, "This field is required"),
        ({"currencies": "euros!"}, "t a currency code"),
        ({"currencies": " , "}, "Enter at least one currency"),
        ({"code": "northpay"}, "is already taken"),
        ({"code": "", "name": "§§"}, "letters and digits"),
        ({"methods": ["shells"]}, "Select a valid choice"),
        ({"base_url": "api.stripe.com"}, "starts with https://"),
        ({"base_url": "http://[::"}, "starts with https://"),
        ({"base_url": "javascript:alert(1)"}, "starts with https://"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(cast, browse, changes, words):
    make_psp(cast.brand)
    answer = browse(cast.finance).post(f"{NEW}?adapter=stripe", keys(brand=cast.brand.pk, **changes))
    assert answer.status_code == 422 and words in answer.content.decode()
    assert Psp.objects.count() == 1


def test_a_brand_out_of_reach_can_t_be_given_a_psp(cast, browse):
    answer = browse(cast.finance).post(f"{NEW}?adapter=stripe", keys(brand=cast.other_brand.pk))
    assert answer.status_code == 422 and not Psp.objects.exists()


def test_an_archived_brand_is_given_no_psp(cast, browse):
    cast.brand.archived_at = timezone.now()
    cast.brand.save()
    browser = browse(cast.finance)
    assert f'value="{cast.brand.pk}"' not in browser.get(NEW, {"adapter": "stripe"}).content.decode()
    assert browser.post(f"{NEW}?adapter=stripe", keys(brand=cast.brand.pk)).status_code == 422
    offered = PspSetup("stripe", "Stripe", "stripe", "", {}, ["EUR"], [])
    with pytest.raises(WrongState, match="is archived"):
        create_psp(brand_id=cast.brand.pk, setup=offered, actor=cast.finance)
    assert not Psp.objects.exists()


def test_stored_secrets_stay_when_left_empty_and_plain_values_can_be_emptied(cast, adyen_outside, browse):
    psp = adyen_outside.psp
    page = reverse("wallet:psp", args=[psp.pk])
    browser = browse(cast.finance)
    shown = browser.get(page).content.decode()
    assert 'value="SandboxMerchantECOM"' in shown and psp.credentials["webhook_secret"] not in shown
    values = {
        "name": "Adyen",
        "is_enabled": "on",
        "base_url": psp.base_url,
        "merchant": "SandboxMerchantECOM",
        "webhook_secret": "AB" * 32,
        "client_key": "",
    }
    old = psp.credentials
    assert browser.post(page, values).status_code == 302
    psp.refresh_from_db()
    assert psp.credentials["api_key"] == old["api_key"] and psp.credentials["client_key"] == ""
    assert psp.credentials["previous_webhook_secret"] == old["webhook_secret"]


def test_a_method_is_added_switched_off_and_configured(cast, stripe_outside, browse):
    psp, browser = stripe_outside.psp, browse(cast.finance)
    page = browser.get(reverse("wallet:psp", args=[psp.pk])).content.decode()
    assert 'value="klarna"' in page
    added = browser.post(reverse("wallet:psp_method_add", args=[psp.pk]), {"code": "klarna"})
    method = PaymentMethod.objects.get(code="klarna")
    assert added["Location"] == reverse("wallet:psp_method", args=[psp.pk, method.pk])
    assert not method.is_enabled
    again = browser.post(reverse("wallet:psp_method_add", args=[psp.pk]), {"code": "klarna"}, follow=True)
    assert again.redirect_chain == [(reverse("wallet:psp", args=[psp.pk]), 302)]
    assert "tone-danger" in again.content.decode()
    values = {
        "label": "SEPA",
        "is_enabled": "on",
        "takes_deposits": "on",
        "condition": json.dumps(GERMAN_SPEAKING),
        "currencies": "eur",
        "deposit_fee_basis_points": 50,
        "payout_fee_basis_points": 0,
        "minutes": 60,
        "position": 3,
        "fallback_group": "bank",
        "deposit_minimum": "10.00",
        "deposit_maximum": "5000",
        "payout_minimum": "1",
        "payout_maximum": "2",
        "deposit_fee_fixed": "0.25",
        "payout_fee_fixed": "0",
    }
    assert browser.post(added["Location"], values).status_code == 302
    method.refresh_from_db()
    assert (method.is_enabled, method.condition) == (True, GERMAN_SPEAKING)
    assert (method.deposit_minimum_minor, method.deposit_maximum_minor, method.deposit_fee_fixed_minor) == (
        1_000,
        500_000,
        25,
    )
    assert AuditEvent.objects.filter(action="wallet.method_configured").count() == 1
    for wrong in ({"deposit_maximum": "9"}, {"condition": "Germany"}, {"currencies": ""}, {"deposit_minimum": "1.001"}):
        assert browser.post(added["Location"], values | wrong).status_code == 422
    assert browse(cast.auditor).get(added["Location"]).status_code == 403


def test_a_fee_that_nobody_would_pay_and_half_a_yen_are_refused_at_their_fields(cast, stripe_outside, browse):
    psp, browser = stripe_outside.psp, browse(cast.finance)
    page = reverse("wallet:psp_method", args=[psp.pk, psp.methods.first().pk])
    values = {
        "label": "Card",
        "currencies": "eur",
        "deposit_fee_basis_points": 2001,
        "payout_fee_basis_points": 2001,
        "minutes": 5,
        "position": 1,
        "deposit_minimum": "10",
        "deposit_maximum": "5000",
        "payout_minimum": "1",
        "payout_maximum": "2",
        "deposit_fee_fixed": "0",
        "payout_fee_fixed": "0",
    }
    answer = browser.post(page, values)
    assert answer.status_code == 422 and answer.content.decode().count("less than or equal to 2000") == 2
    cast.brand.base_currency = "JPY"
    cast.brand.save()
    assert browser.post(page, values | {"deposit_minimum": "10.50"}).status_code == 422


def test_a_secret_that_was_typed_into_a_refused_form_is_asked_for_again_and_never_sent_back(
    cast, adyen_outside, browse
):
    browser, psp = browse(cast.finance), adyen_outside.psp
    typed = {"name": "", "is_enabled": "on", "merchant": "SandboxMerchantECOM", "api_key": "a-new-api-key"}
    for page, values in (
        (reverse("wallet:psp", args=[psp.pk]), typed),
        (f"{NEW}?adapter=stripe", keys(brand=cast.brand.pk, currencies="euros!", api_key="a-new-api-key")),
    ):
        answer = browser.post(page, values)
        shown = answer.content.decode()
        assert answer.status_code == 422 and "a-new-api-key" not in shown
        assert "Enter it again: secrets" in shown
        assert (
            'autocomplete="new-password"' in shown and 'autocomplete="off"' not in shown.partition("api_key")[2][:200]
        )


def test_health_shows_outage_calls_declines_and_refusals(cast, outside, browse):
    psp = outside.psp
    outside.running.fault("outage", psp="northpay")
    browser = browse(cast.finance)
    for _ in range(3):
        browser.post(reverse("wallet:psp_check", args=[psp.pk]))
    client = cast.client
    from wallet.ledger import posting

    for number, failure in enumerate(["declined_by_issuer", "declined_by_issuer", "expired"]):
        Deposit.objects.create(
            client=client,
            brand=cast.brand,
            psp=psp,
            wallet=posting.wallet_of(client, "EUR"),
            reference=f"D-{number}",
            request_key=str(number),
            amount_minor=100,
            currency="EUR",
            state="failed",
            failure=failure,
            created_at=timezone.now(),
            expires_at=timezone.now(),
        )
    WebhookMessage.objects.create(
        psp=psp,
        received_at=timezone.now(),
        processed_at=timezone.now(),
        body=b"x",
        verdict="wrong_signature",
        state="refused",
        outcome="Invalid signature",
    )
    shown = browse(cast.auditor).get(reverse("wallet:psp_health", args=[psp.pk])).content.decode()
    for words in (
        "Not responding",
        "The last 3 calls",
        "Declined by the card issuer",
        "Invalid response",
        "503",
        "GET /northpay/v1/health",
        "Invalid signature",
        "0 %",
    ):
        assert words in shown, words
    assert "Down" in browser.get(reverse("wallet:psps")).content.decode()
    assert browse(cast.agent).get(reverse("wallet:psp_health", args=[psp.pk])).status_code == 403


def test_the_pages_ask_a_bounded_number_of_questions(cast, stripe_outside, browse):
    psp, browser = stripe_outside.psp, browse(cast.finance)
    add_method(psp_id=psp.pk, code="klarna", actor=cast.finance)
    for number in range(30):
        PspCall.objects.create(
            psp=psp,
            at=timezone.now() - dt.timedelta(minutes=number),
            operation="GET /v1/account",
            outcome="answered",
            status=200,
            milliseconds=number,
        )
    pages = {
        reverse("wallet:psps"): 20,
        reverse("wallet:psp_health", args=[psp.pk]): 22,
        reverse("wallet:psp", args=[psp.pk]): 22,
        f"{NEW}?adapter=stripe": 20,
    }
    browser.get("/profile/")
    for page, most in pages.items():
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(page).status_code == 200
        assert len(asked) <= most, (page, len(asked))
