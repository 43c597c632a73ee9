import datetime as dt
from decimal import Decimal

from tests.crm.approvals.cases import Case, approval_case
from tests.wallet import recon
from tests.wallet.factories import make_psp
from wallet.choices.reconciliation import PostingWay
from wallet.models import Break, Journal, PspCost
from wallet.reconciliation import costs, postings


@approval_case("cost-terms")
def terms(cast, _use) -> Case:
    psp = make_psp(cast.brand, "northpay")
    agreed = costs.Terms(
        type="payment",
        currency="EUR",
        basis_points=Decimal(200),
        fixed_minor=25,
        tolerance_minor=1,
        valid_from=dt.date(2026, 1, 1),
    )
    proposal = costs.propose_terms(psp_id=psp.pk, terms=agreed, reason="Contract, § 4", actor=cast.finance)
    return Case(
        proposal, cast.finance, cast.second_finance, PspCost.objects.count, "cost_proposal_is_decided_by_somebody_else"
    )


@approval_case("break-posting")
def difference(cast, _use) -> Case:
    psp = make_psp(cast.brand, "northpay")
    recon.movement(psp, cast.client, "D-1", 10_000)
    recon.report(psp, [recon.row("D-1", 9_900)])
    posting = postings.propose(
        break_id=Break.objects.get().pk,
        way=PostingWay.FEE,
        business_on=dt.date(2026, 9, 30),
        reason="Their fee",
        actor=cast.finance,
    )
    booked = Journal.objects.filter(idempotency_key__startswith="break:")
    return Case(posting, cast.finance, cast.second_finance, booked.count, "break_posting_is_decided_by_somebody_else")
