"""A client on a phone goes to the brand's KYC provider, comes back, and is verified."""

from pathlib import Path

from playwright.sync_api import expect

from crm import events
from kyc import pipeline
from kyc.models import ProviderCheck
from kyc.providers import lookups, webhooks
from tests.brand_policies import set_policies
from tests.browser.people import enter
from tests.kyc.factories import passport_jpeg, registered, with_policy
from tests.kyc.providers.running import make_provider, running_provider
from tests.sandbox.psp.running import webhook_catcher


def test_a_client_is_verified_by_the_provider(phone, cast, tmp_path: Path):
    registered(cast.client)
    with_policy(cast.brand)
    set_policies(cast.brand, kyc_verified_by="provider")
    with webhook_catcher() as catcher, running_provider(tmp_path / "kyc.sqlite", catcher) as sandbox:
        make_provider(cast.brand, sandbox.url)
        enter(phone, cast.client.user)
        phone.goto("/portal/documents/")
        phone.get_by_role("button", name="Start verification").click()
        expect(phone.get_by_text("Clara Weber")).to_be_visible()  # at the provider, led there by the page
        passport = {"name": "passport.jpg", "mimeType": "image/jpeg", "buffer": passport_jpeg()}
        phone.get_by_label("Document, front").set_input_files(passport)
        phone.get_by_role("button", name="Submit").click()
        expect(phone.get_by_role("heading", name="Verification with Sumsub")).to_be_visible()
        sandbox.deliver(3)  # created, pending, reviewed
        webhooks.process_due()
        lookups.look_up_due()
        assert ProviderCheck.objects.get().state == "passed"
        pipeline.check_due()
        events.drain()
        phone.goto("/portal/verification/")
        expect(phone.get_by_text("Your identity is confirmed.")).to_be_visible()
