"""The provider's card fields on our own page, under the policy that allows them there; a refund in coins to be fetched."""

import re
from decimal import Decimal

import httpx
from playwright.sync_api import Page, expect

from tests.brand_policies import set_policies
from tests.browser.people import enter
from tests.browser.test_money_in import look
from tests.portal.conftest import verify
from tests.sandbox.psp.running import running_psp, webhook_catcher
from tests.wallet.conftest import Outside, load_rates
from tests.wallet.factories import make_adyen
from tests.wallet.providers import provider
from tests.wallet.providers import start as start_coins
from tests.wallet.psp.test_psp_btcpay import ADDRESS, send_coins
from tests.wallet.psp.test_psp_stripe import give_back
from wallet.deposits.verbs import DepositRequest, start_deposit
from wallet.models import Deposit, PaymentMethod


def card_deposit(cast, outside: Outside, key: str) -> Deposit:
    return start_deposit(
        client_id=cast.client.pk,
        request=DepositRequest(psp_id=outside.psp.pk, method="scheme_fields", amount=Decimal(500), currency="EUR"),
        request_key=key,
        return_url="http://room.example/portal/wallet/{reference}/",
        actor=cast.client.user,
    )


def test_a_card_is_paid_in_the_providers_fields_on_our_page(cast, phone: Page, tmp_path):
    load_rates()
    verify(cast.client)
    with webhook_catcher() as catcher, running_psp(tmp_path / "psp.sqlite", catcher.url) as running:
        outside = Outside(running, catcher, make_adyen(cast.brand, running.url))
        PaymentMethod.objects.filter(psp=outside.psp, code="scheme").update(code="scheme_fields")
        enter(phone, cast.client_user)
        deposit = card_deposit(cast, outside, "a")
        phone.goto(f"/portal/wallet/{deposit.reference}/pay/")
        expect(phone.get_by_role("button", name="Pay 500.00 EUR")).to_be_visible()
        look(phone, "card-fields")
        phone.get_by_label("Name on card").fill("Clara Weber")
        phone.get_by_label("Security code").fill("123")
        phone.get_by_role("button", name="Pay 500.00 EUR").tap()
        phone.wait_for_url(re.compile(rf"/portal/wallet/{deposit.reference}/$"))
        outside.deliver(wait_for=1)
        expect(phone.locator("#movement")).to_contain_text("is in your wallet", timeout=10_000)


def test_a_refund_in_coins_is_fetched_from_the_clients_own_page(cast, phone: Page, tmp_path):
    verify(cast.client)
    set_policies(cast.brand, withdrawal_four_eyes_minor=100_000)
    with provider(cast, tmp_path, "btcpay") as outside:
        send_coins(start_coins(cast, outside))
        outside.deliver(wait_for=2)
        refund = give_back(cast, Deposit.objects.get(), "100")
        enter(phone, cast.client_user)
        phone.goto(f"/portal/wallet/{refund.reference}/")
        link = phone.get_by_role("link", name="Claim refund")
        expect(link).to_have_attribute("href", refund.claim_url)
        look(phone, "refund-to-claim")
        assert httpx.post(refund.claim_url, data={"address": ADDRESS}).status_code == 303
        outside.running.control("finish")
        outside.deliver(wait_for=1)
        expect(phone.locator("#movement")).to_contain_text("Refunded", timeout=10_000)
