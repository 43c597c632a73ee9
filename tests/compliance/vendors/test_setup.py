"""A connection is proposed with its keys and approved by another person; its pages, the client's and the match's."""

from decimal import Decimal

import pytest

from compliance import screening
from compliance.choices import ScreeningTrigger
from compliance.models import Hit, ScreeningVendor, ScreeningVendorProposal
from compliance.vendors import setup
from compliance.vendors.setup import VendorSetup, propose_vendor
from crm import approvals
from crm.choices import Role
from crm.errors import DomainError, NotAllowed
from tests.cast import make_staff, signed_in
from tests.compliance.vendors.running import KEYS, make_vendor, settle

pytestmark = pytest.mark.django_db


def wanted(**fields) -> VendorSetup:
    values = {
        "adapter": "yente",
        "code": "opensanctions",
        "name": "OpenSanctions",
        "base_url": "sandbox:",
        "dataset": "default",
        "threshold": Decimal("0.7"),
        "is_enabled": True,
        "keys": KEYS,
    }
    return VendorSetup(**{**values, **fields})


def test_keys_take_effect_with_the_second_approval_only(cast, sandbox, settings):
    settings.SANDBOX_SCREENING_URL = sandbox.url
    asked = propose_vendor(brand_id=cast.brand.pk, setup=wanted(), actor=cast.mlro, reason="Contract")
    assert not ScreeningVendor.objects.exists() and b"keelson-sandbox" not in bytes(asked.sealed_credentials)
    second = make_staff("second.mlro@keelson.example", Role.MLRO, brand=cast.brand)
    approvals.approve(ScreeningVendorProposal, asked.pk, actor=second)
    vendor = ScreeningVendor.objects.get()
    asked.refresh_from_db()
    assert asked.sealed_credentials is None and vendor.credentials == KEYS and not vendor.source.is_active
    assert setup.test_connection(vendor_id=vendor.pk, actor=cast.mlro) == ""
    with pytest.raises(NotAllowed):
        setup.test_connection(vendor_id=vendor.pk, actor=cast.kyc_officer)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"base_url": "https://elsewhere.example", "keys": {}}, "Enter all keys"),
        ({"threshold": Decimal("0.2")}, "threshold"),
        ({"dataset": " "}, "dataset"),
        ({"adapter": "other"}, "Choose a vendor"),
    ],
)
def test_stored_keys_never_go_to_a_new_address(cast, change, words):
    vendor = make_vendor(cast.brand, "sandbox:")
    with pytest.raises(DomainError, match=words):
        propose_vendor(brand_id=cast.brand.pk, setup=wanted(**change), actor=cast.mlro, reason="x", vendor_id=vendor.pk)


def test_pages_say_who_is_pending_and_show_the_vendors_features(cast, sandbox, vendor, django_assert_max_num_queries):
    mlro = signed_in(cast.mlro)
    sandbox.put("NK-1", "Klara Weber")
    sandbox.fault("outage")
    screening.screen_client(client_id=cast.client.pk, trigger=ScreeningTrigger.REGISTERED)
    settle()
    page = mlro.get(f"/compliance/clients/{cast.client.pk}/").content.decode()
    assert "Screening pending" in page and "Ask again" in page
    with django_assert_max_num_queries(45):
        page = mlro.get("/compliance/vendors/").content.decode()
    assert "Not responding" in page and "/webhooks/screening/opensanctions/" in page and "whsec_" not in page
    assert "Screening pending" in mlro.get("/compliance/watchlists/").content.decode()
    assert "Outcome unknown" in mlro.get("/compliance/vendors/checks/").content.decode()
    mlro.post(f"/compliance/vendors/checks/{cast.client.vendor_checks.get().pk}/again/")
    settle()
    page = mlro.get(Hit.objects.get().get_absolute_url()).content.decode()
    assert "name_match" in page and "Comparison by OpenSanctions" in page and "Our comparison" in page
    sandbox.deliver(0)
    sandbox.server.announce("entity.changed", entity_id="NK-77")
    sandbox.deliver(1)
    assert "NK-77" in mlro.get("/compliance/vendors/notices/").content.decode()
    assert "NK-77" in mlro.get(vendor.notices.get().get_absolute_url()).content.decode()
    assert mlro.get("/compliance/vendors/new/").status_code == 200
