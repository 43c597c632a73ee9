from crm.choices import Role
from kyc.models import KycProvider
from kyc.providers.setup import ProviderSetup, propose_provider
from tests.cast import make_staff
from tests.crm.approvals.cases import Case, approval_case


@approval_case("kyc-provider")
def kyc_provider(cast, _use) -> Case:
    setup = ProviderSetup(
        adapter="sumsub",
        code="sumsub",
        name="Sumsub",
        base_url="",
        level_name="basic-kyc-level",
        webhook_algorithms=["HMAC_SHA256_HEX"],
        is_enabled=True,
        keys={"app_token": "token", "secret_key": "secret", "webhook_secret": "hook"},
    )
    asked = propose_provider(brand_id=cast.brand.pk, setup=setup, actor=cast.mlro, reason="New contract")
    return Case(
        asked,
        cast.mlro,
        make_staff("second.mlro@keelson.example", Role.MLRO, brand=cast.brand),
        KycProvider.objects.count,
        "kyc_provider_proposal_is_decided_by_somebody_else",
        role=Role.MLRO,
    )
