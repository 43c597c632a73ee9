"""Card fields of the provider on our page: its script on that page alone, the card never through us, the webhook decides."""

from decimal import Decimal

import httpx
import pytest
from django.urls import reverse

from tests.wallet.factories import make_adyen, make_psp
from wallet.choices.deposits import DepositState
from wallet.deposits.verbs import DepositRequest, look_up_deposit, start_deposit
from wallet.ledger import posting
from wallet.models import Deposit, PaymentMethod
from wallet.psp import adapter_of
from wallet.psp.values import PayBy

pytestmark = pytest.mark.django_db
CARD = {"holder": "Clara Weber", "number": "4242 4242 4242 4242", "expiry": "12/39", "cvc": "123"}


@pytest.fixture
def outside(adyen_outside):
    PaymentMethod.objects.filter(psp=adyen_outside.psp, code="scheme").update(code="scheme_fields")
    return adyen_outside


def start(cast, outside) -> Deposit:
    return start_deposit(
        client_id=cast.client.pk,
        request=DepositRequest(psp_id=outside.psp.pk, method="scheme_fields", amount=Decimal(500), currency="EUR"),
        request_key="k",
        return_url="http://room.example/portal/wallet/{reference}/",
        actor=cast.client.user,
    )


def ask(outside, deposit: Deposit, what: str, *, key: str = "test_SANDBOX", **body) -> httpx.Response:
    """As Adyen's script does in the client's browser."""
    address = f"{outside.running.url}/adyen/checkoutshopper/v1/sessions/{deposit.instructions['session_id']}/{what}"
    said = {"sessionData": deposit.instructions["session_data"], **body}
    return httpx.post(address, params={"clientKey": key}, json=said)


def policy_of(answer) -> dict[str, list[str]]:
    parts = (part.split() for part in answer["Content-Security-Policy"].split(";"))
    return {name: hosts for name, *hosts in parts}


def test_the_page_has_a_session_and_allows_the_providers_host_on_this_page_only(cast, outside, browse):
    deposit = start(cast, outside)
    assert (deposit.pay_by, deposit.redirect_url) == (PayBy.HOSTED_FIELDS, "")
    browser = browse(cast.client.user)
    answer = browser.get(reverse("portal_pay", args=[deposit.reference]))
    page, policy = answer.content.decode(), policy_of(answer)
    script = f"{outside.running.url}/adyen/checkoutshopper/sdk/6.0.3/adyen.js"
    assert script in page and deposit.instructions["session_id"] in page and "test_SANDBOX" in page
    assert "sandbox-api-key" not in page, "the key of the server's side never reaches a page"
    for name in ("script-src", "connect-src", "frame-src"):
        assert outside.running.url in policy[name]
    assert "'self'" in policy["script-src"] and "'unsafe-inline'" not in policy["script-src"]
    assert "AdyenWeb" in httpx.get(script).text
    elsewhere = browser.get(reverse("portal_movement", args=[deposit.reference]))
    assert outside.running.url not in elsewhere["Content-Security-Policy"]


def test_who_left_the_fields_finds_the_way_back_until_it_is_paid(cast, outside, browse):
    deposit = start(cast, outside)
    page, pay = (reverse(name, args=[deposit.reference]) for name in ("portal_movement", "portal_pay"))
    browser = browse(cast.client.user)
    assert f'href="{pay}"' in browser.get(page).content.decode()
    Deposit.objects.update(state=DepositState.AUTHORISED)
    assert f'href="{pay}"' not in browser.get(page).content.decode()


def test_a_card_typed_into_the_fields_settles_by_the_signed_webhook_once(cast, outside):
    deposit = start(cast, outside)
    assert ask(outside, deposit, "setup").json()["amount"] == {"value": 50_000, "currency": "EUR"}
    assert ask(outside, deposit, "payments", card=CARD).json() == {"resultCode": "Authorised"}
    assert ask(outside, deposit, "payments", card=CARD).status_code == 422, "a session is paid once"
    outside.deliver(wait_for=1)
    deposit.refresh_from_db()
    assert (deposit.state, deposit.instrument, deposit.payer_name) == (DepositState.SETTLED, "•••• 4242", "Clara Weber")
    assert posting.balance(posting.wallet_of(cast.client, "EUR")) == 50_000


def test_a_refused_card_is_told_and_books_nothing(cast, outside):
    deposit = start(cast, outside)
    card = {**CARD, "number": "4000000000000002"}
    assert ask(outside, deposit, "payments", card=card).json() == {"resultCode": "Refused"}
    outside.deliver(wait_for=1)
    assert look_up_deposit(deposit.pk).state == DepositState.FAILED
    assert posting.balance(posting.wallet_of(cast.client, "EUR")) == 0


def test_a_session_opens_with_its_own_data_and_the_public_key_only(cast, outside):
    deposit = start(cast, outside)
    assert ask(outside, deposit, "setup", key="sandbox-api-key-adyen").status_code == 401
    assert ask(outside, deposit, "setup", sessionData="other").status_code == 404
    deposit.instructions["session_id"] = "CS000"
    assert ask(outside, deposit, "payments", card=CARD).status_code == 422


def test_who_comes_back_from_the_cards_bank_goes_on_to_the_fields_and_a_paid_one_does_not(cast, outside, browse):
    deposit = start(cast, outside)
    browser = browse(cast.client.user)
    answer = browser.get(reverse("portal_movement", args=[deposit.reference]), {"redirectResult": "abc"})
    assert answer.url == reverse("portal_pay", args=[deposit.reference]) + "?redirectResult=abc"
    ask(outside, deposit, "payments", card=CARD)
    outside.deliver(wait_for=1)
    answer = browser.get(reverse("portal_pay", args=[deposit.reference]))
    assert answer.url == reverse("portal_movement", args=[deposit.reference])
    assert browse(cast.other_client.user).get(reverse("portal_pay", args=[deposit.reference])).status_code == 404


def test_without_a_client_key_the_providers_page_takes_their_place(cast, outside):
    psp = outside.psp
    psp.seal_credentials({**psp.credentials, "client_key": ""})
    psp.save()
    deposit = start(cast, outside)
    assert (deposit.pay_by, bool(deposit.redirect_url)) == (PayBy.REDIRECT, True)


@pytest.mark.parametrize(("environment", "host"), [("test", "checkoutshopper-test"), ("live", "checkoutshopper-live")])
def test_test_and_live_load_the_script_of_their_own_host(cast, environment, host):
    psp = make_adyen(cast.brand, "http://unused.example", environment=environment, live_prefix="abc")
    psp.base_url = ""
    fields = adapter_of(psp).hosted_fields()
    assert fields.script == f"https://{host}.adyen.com/checkoutshopper/sdk/6.0.3/adyen.js"
    assert all(one.startswith("https://") for one in fields.hosts)
    assert adapter_of(make_psp(cast.brand)).hosted_fields() is None
