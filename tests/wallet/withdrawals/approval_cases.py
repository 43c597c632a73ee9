from tests.crm.approvals.cases import Case, approval_case
from tests.wallet.withdrawals.test_withdrawal import approved, ask, said
from wallet.choices.withdrawals import FindingKind
from wallet.models import Journal, Withdrawal
from wallet.psp.values import TransferStatus
from wallet.withdrawals import investigations
from wallet.withdrawals.verbs import approve_withdrawal


@approval_case("payout-finding")
def finding(cast, use) -> Case:
    withdrawal = approved(use("rich"), use("outside"))
    said(withdrawal, TransferStatus.PAID)
    told = investigations.propose_outcome(
        withdrawal_id=withdrawal.pk,
        kind=FindingKind.CAME_BACK,
        reason="Support of the PSP",
        psp_reference="R-77",
        actor=cast.finance,
    )
    before = Journal.objects.count()
    return Case(
        told,
        cast.finance,
        cast.second_finance,
        lambda: Journal.objects.count() - before,
        "payout_finding_is_decided_by_somebody_else",
    )


@approval_case("withdrawal")
def withdrawal(cast, use) -> Case:
    request = ask(use("rich"), use("outside"))
    first = approve_withdrawal(withdrawal_id=request.pk, actor=cast.finance)
    return Case(
        first,
        cast.finance,
        cast.second_finance,
        Withdrawal.objects.filter(approved_by__isnull=False).count,
        "approver_is_not_reviewer",
        forged={"approved_by": cast.finance},
        maker_may_reject=True,
        is_first_again=True,
    )
