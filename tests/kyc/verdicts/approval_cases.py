from crm.brand_policies.registry import today
from crm.choices import Role
from kyc.models import VerdictPolicy
from kyc.verdicts.changes import propose_policy
from kyc.verdicts.rules import RISKS, KindRule, RiskRule, Rules, shipped
from tests.cast import make_staff
from tests.crm.approvals.cases import Case, approval_case


@approval_case("verdict-policy")
def verdict_policy(cast, _use) -> Case:
    kinds = dict(shipped().kinds)
    old = kinds["passport"]
    kinds["passport"] = KindRule(old.required, old.asks, 1, dict.fromkeys(RISKS, RiskRule(True, 25)))
    asked = propose_policy(
        brand_id=cast.brand.pk,
        rules=Rules(kinds),
        effective_on=today(cast.brand),
        actor=cast.mlro,
        reason="After the audit",
    )
    return Case(
        asked,
        cast.mlro,
        make_staff("second.mlro@keelson.example", Role.MLRO, brand=cast.brand),
        VerdictPolicy.objects.count,
        "verdict_policy_proposal_is_decided_by_somebody_else",
        role=Role.MLRO,
    )
