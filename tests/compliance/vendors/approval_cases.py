from decimal import Decimal

from compliance.models import ScreeningVendor
from compliance.vendors.setup import VendorSetup, propose_vendor
from crm.choices import Role
from tests.cast import make_staff
from tests.crm.approvals.cases import Case, approval_case


@approval_case("screening-vendor")
def screening_vendor(cast, _use) -> Case:
    setup = VendorSetup(
        adapter="yente",
        code="opensanctions",
        name="OpenSanctions",
        base_url="",
        dataset="default",
        threshold=Decimal("0.7"),
        is_enabled=True,
        keys={"api_key": "key", "webhook_secret": "hook"},
    )
    asked = propose_vendor(brand_id=cast.brand.pk, setup=setup, actor=cast.mlro, reason="New contract")
    return Case(
        asked,
        cast.mlro,
        make_staff("second.mlro@keelson.example", Role.MLRO, brand=cast.brand),
        ScreeningVendor.objects.count,
        "screening_vendor_proposal_is_decided_by_somebody_else",
        role=Role.MLRO,
    )
