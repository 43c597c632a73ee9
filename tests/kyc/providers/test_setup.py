"""A connection is proposed with its keys and approved by another person; its pages, and the client's."""

import pytest
from django.urls import reverse

from crm import approvals
from crm.choices import Role
from crm.errors import DomainError, NotAllowed, WrongState
from kyc.models import KycProvider, KycProviderProposal, ProviderCheck
from kyc.providers import setup
from kyc.providers.setup import ProviderSetup, propose_provider
from tests.cast import make_staff, signed_in
from tests.kyc.factories import registered
from tests.kyc.providers.running import KEYS, make_provider

pytestmark = pytest.mark.django_db


def wanted(**fields) -> ProviderSetup:
    values = {
        "adapter": "sumsub",
        "code": "sumsub",
        "name": "Sumsub",
        "base_url": "sandbox:",
        "level_name": "basic-kyc-level",
        "webhook_algorithms": ["HMAC_SHA256_HEX"],
        "is_enabled": True,
        "keys": KEYS,
    }
    return ProviderSetup(**{**values, **fields})


def approved(cast, asked: KycProviderProposal) -> KycProvider:
    second = make_staff(f"mlro{asked.pk}@keelson.example", Role.MLRO, brand=cast.brand)
    approvals.approve(KycProviderProposal, asked.pk, actor=second)
    return KycProvider.objects.get(brand=cast.brand)


def test_keys_take_effect_with_the_second_approval_only(cast, sandbox, settings):
    settings.SANDBOX_KYC_URL = sandbox.url
    asked = propose_provider(brand_id=cast.brand.pk, setup=wanted(), actor=cast.mlro, reason="Contract")
    assert not KycProvider.objects.exists() and b"keelson-sandbox" not in bytes(asked.sealed_credentials)
    provider = approved(cast, asked)
    asked.refresh_from_db()
    assert asked.sealed_credentials is None and provider.credentials == KEYS
    assert setup.test_connection(provider_id=provider.pk, actor=cast.mlro) == ""
    with pytest.raises(NotAllowed):
        setup.test_connection(provider_id=provider.pk, actor=cast.kyc_officer)
    # The webhook's secret of before stays valid beside the new one.
    change = wanted(keys={"webhook_secret": "rotated"})
    provider = approved(
        cast,
        propose_provider(
            brand_id=cast.brand.pk, setup=change, actor=cast.mlro, reason="Rotation", provider_id=provider.pk
        ),
    )
    assert provider.credentials == {
        **KEYS,
        "webhook_secret": "rotated",
        "previous_webhook_secret": KEYS["webhook_secret"],
    }
    with pytest.raises(WrongState, match="Nothing"):
        propose_provider(
            brand_id=cast.brand.pk, setup=wanted(keys={}), actor=cast.mlro, reason="x", provider_id=provider.pk
        )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"base_url": "https://elsewhere.example", "keys": {}}, "Enter all keys"),
        ({"webhook_algorithms": []}, "at least one algorithm"),
        ({"webhook_algorithms": ["NONE"]}, "at least one algorithm"),
        ({"level_name": " "}, "verification level"),
        ({"adapter": "other"}, "Choose a provider"),
    ],
)
def test_stored_keys_never_go_to_a_new_address(cast, change, words):
    provider = make_provider(cast.brand, "sandbox:")
    with pytest.raises(DomainError, match=words):
        propose_provider(
            brand_id=cast.brand.pk, setup=wanted(**change), actor=cast.mlro, reason="x", provider_id=provider.pk
        )
    assert not KycProviderProposal.objects.exists()


def test_staff_pages_show_status_result_and_evidence(cast, sandbox, check, django_assert_max_num_queries):
    sandbox.play(check, "final", pictures=[])
    sandbox.deliver(2)
    officer = signed_in(cast.kyc_officer)
    with django_assert_max_num_queries(40):
        page = officer.get("/kyc/providers/").content.decode()
    assert "/webhooks/kyc/sumsub/" in page and "keelson-sandbox" not in page
    officer.post(f"/kyc/providers/checks/{check.pk}/refresh/")
    tab = officer.get(reverse("client_tab", args=[cast.client.pk, "kyc"])).content.decode()
    assert "FORGERY" in tab and "Refused" in tab
    assert "Signs of digital editing" in officer.get(f"/kyc/providers/checks/{check.pk}/").content.decode()
    assert "applicantReviewed" in officer.get("/kyc/providers/messages/").content.decode()
    message = check.provider.messages.first()
    assert "applicantReviewed" in officer.get(message.get_absolute_url()).content.decode()
    assert officer.get("/kyc/providers/checks/").status_code == 200
    officer.post(f"/kyc/providers/checks/{check.pk}/cancel/", {"reason": "New passport"})
    assert ProviderCheck.objects.get().state == "cancelled"


def test_staff_propose_on_a_page_without_reading_keys(cast):
    mlro = signed_in(cast.mlro)
    assert mlro.get("/kyc/providers/new/").status_code == 200
    sent = {
        "brand": cast.brand.pk,
        "name": "Sumsub",
        **KEYS,
        "level_name": "basic",
        "webhook_algorithms": ["HMAC_SHA256_HEX"],
        "is_enabled": "on",
        "reason": "Contract",
    }
    bad = mlro.post("/kyc/providers/new/", {**sent, "level_name": ""})
    assert bad.status_code == 422 and KEYS["secret_key"] not in bad.content.decode()
    assert mlro.post("/kyc/providers/new/", sent).status_code == 302
    assert KycProviderProposal.objects.get().keys_changed == ["app_token", "secret_key", "webhook_secret"]
    assert "Awaiting second approval" in mlro.get("/kyc/providers/").content.decode()


def test_a_client_starts_goes_and_comes_back(cast, sandbox, provider, client):
    registered(cast.client)
    client.force_login(cast.client_user)
    assert "Start verification" in client.get("/portal/documents/").content.decode()
    assert client.post("/portal/verification/start/").url == "/portal/verification/go/"
    page = client.get("/portal/verification/go/").content.decode()
    assert f"{sandbox.url}/websdk/p/" in page
    check = ProviderCheck.objects.get()
    sandbox.play(check, "retry", pictures=[])
    assert client.get("/portal/verification/back/").url == "/portal/verification/"
    page = client.get("/portal/verification/").content.decode()
    assert ProviderCheck.objects.get().message in page and "Continue verification" in page
    sandbox.fault("outage", times=None)
    assert client.get("/portal/verification/go/").status_code == 302
    assert "isn't responding" in client.get("/portal/verification/").content.decode()
