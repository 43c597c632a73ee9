from tests.crm.approvals.cases import Case, approval_case
from tests.wallet.disputes.test_bonus_disputes import RETURNED, TAKEN, hear, make_grant, policy
from wallet.disputes import bonus_disputes
from wallet.models import BonusLoss, BonusRestoration


@approval_case("bonus-return")
def bonus(cast, use) -> Case:
    use("pro")
    grant = make_grant(cast)
    policy(grant, dispute_won_restores_bonus=0)
    hear(grant, TAKEN)
    hear(grant, RETURNED)
    loss = BonusLoss.objects.get()
    proposal = bonus_disputes.propose_return(
        loss_id=loss.pk, restores=True, reason="The bank was wrong", actor=cast.retention
    )
    return Case(
        proposal,
        cast.retention,
        cast.finance,
        BonusRestoration.objects.count,
        "bonus_proposal_is_decided_by_somebody_else",
    )
