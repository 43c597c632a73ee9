from tests.crm.approvals.cases import Case, approval_case
from tests.wallet.bonuses.test_bonus import give, make_plan
from wallet.choices.bonuses import BonusState
from wallet.models import BonusGrant


@approval_case("bonus")
def bonus(cast, use) -> Case:
    use("pro")
    grant = give(cast, make_plan(cast, four_eyes_minor=100), "250")
    return Case(
        grant,
        cast.retention,
        cast.finance,
        BonusGrant.objects.filter(state=BonusState.ACTIVE).count,
        "bonus_approver_is_not_requester",
        forged={"state": BonusState.REJECTED, "decided_by": cast.retention},
    )
