from kyc.categories.decisions import propose_category
from kyc.categories.models import CategoryDecision
from tests.crm.approvals.cases import Case, approval_case


@approval_case("client-category")
def client_category(cast, _use) -> Case:
    asked = propose_category(
        client_id=cast.client.pk,
        category="professional",
        basis="per_se",
        actor=cast.kyc_officer,
        reason="An investment firm's own account",
    )
    return Case(
        asked,
        cast.kyc_officer,
        cast.mlro,
        CategoryDecision.objects.count,
        "category_proposal_is_decided_by_somebody_else",
    )
