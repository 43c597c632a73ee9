from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from crm import approvals
from crm.choices import Role
from crm.models import AuditEvent
from ib.agreements.ratios import propose_ratio
from ib.applications.approving import propose_approval
from ib.choices import VerdictKind
from ib.models import Attribution, ClientForfeit, CommissionRun, PartnerPlan, Payout, PayoutRequest, SettlementTerms
from ib.settlements.forfeits import propose_verdict
from ib.settlements.terms import FIELDS, default_terms, propose_terms
from ib.tracking.assigning import propose_attribution
from tests.crm.approvals.cases import Case, approval_case
from tests.ib.conftest import make_network
from tests.ib.factories import applied, make_partner, make_trade, make_version
from tests.ib.test_plans import proposed
from tests.ib.test_replay import waiting
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.ledger import posting


@approval_case("commission-plan")
def plan(cast, _use) -> Case:
    return Case(
        proposed(cast),
        cast.ib_manager,
        cast.finance,
        AuditEvent.objects.filter(action="ib.plan_activated").count,
        "plan_is_decided_by_somebody_else",
        forged={"state": "rejected", "decided_by": cast.ib_manager, "decided_at": timezone.now()},
        role=Role.FINANCE,
    )


@approval_case("partner-application")
def application(cast, use) -> Case:
    partner = applied(cast, client=cast.other_client)
    cast.other_client.kyc_level = 3
    cast.other_client.save(update_fields=["kyc_level"])
    version = make_version(cast.brand, cast.ib_manager, cast.finance)
    item = propose_approval(partner_id=partner.pk, plan_id=version.plan_id, reason="Known firm", actor=cast.ib_manager)
    return Case(
        item,
        cast.ib_manager,
        cast.finance,
        PartnerPlan.objects.filter(partner=partner).count,
        "partner_approval_is_decided_by_somebody_else",
        role=Role.FINANCE,
    )


@approval_case("commission-replay")
def replay(cast, _use) -> Case:
    make_trade(make_network(cast).account)
    return Case(
        waiting(cast),
        cast.ib_manager,
        cast.finance,
        CommissionRun.objects.filter(kind="replay").count,
        "replay_proposal_is_decided_by_somebody_else",
        role=Role.FINANCE,
    )


@approval_case("personal-ratio")
def ratio(cast, _use) -> Case:
    network = make_network(cast)
    item = propose_ratio(
        partner_id=network.sub.pk,
        plan_id=network.version.plan_id,
        percent=Decimal(110),
        reason="Agreed",
        actor=cast.ib_manager,
    )
    return Case(
        item,
        cast.ib_manager,
        cast.finance,
        PartnerPlan.objects.filter(partner=network.sub, percent=110).count,
        "ratio_proposal_is_decided_by_somebody_else",
        role=Role.FINANCE,
    )


@approval_case("client-attribution")
def attribution(cast, _use) -> Case:
    partner = make_partner(cast.brand)
    return Case(
        propose_attribution(
            client_id=cast.client.pk, partner_id=partner.pk, reason="Met at a seminar", actor=cast.ib_manager
        ),
        cast.ib_manager,
        cast.finance,
        Attribution.objects.filter(partner=partner, client=cast.client).count,
        "attribution_proposal_is_decided_by_somebody_else",
        role=Role.FINANCE,
    )


@approval_case("settlement-terms")
def terms(cast, _use) -> Case:
    partner = make_partner(cast.brand)
    values = {name: getattr(default_terms(partner), name) for name in FIELDS} | {"cycle": "weekly"}
    return Case(
        propose_terms(partner_id=partner.pk, values=values, reason="Agreed", actor=cast.ib_manager),
        cast.ib_manager,
        cast.finance,
        SettlementTerms.objects.filter(partner=partner, state="approved").count,
        "settlement_terms_is_decided_by_somebody_else",
        role=Role.FINANCE,
    )


@approval_case("commission-payout")
def payout(cast, _use) -> Case:
    partner = make_partner(cast.brand)
    partner.client = cast.other_client
    partner.save(update_fields=["client"])
    cost = posting.house(AccountKind.IB_COMMISSIONS, brand_id=cast.brand.pk, currency="EUR")
    owed = posting.partner_payable(brand_id=cast.brand.pk, partner_id=partner.pk, currency="EUR")
    with transaction.atomic():
        posting.post(
            posting.Entry(
                key="ib-settlement:case",
                kind=JournalKind.COMMISSION,
                brand_id=cast.brand.pk,
                lines=(posting.Line(cost, -9000), posting.Line(owed, 9000)),
            )
        )
    item = PayoutRequest(
        partner=partner, request_key="k", amount=80, currency="EUR", destination="wallet", reason="Requested"
    )
    return Case(
        approvals.propose(item, actor=partner.user),
        partner.user,
        cast.finance,
        Payout.objects.count,
        "payout_request_is_decided_by_somebody_else",
        role=Role.FINANCE,
    )


@approval_case("referral-verdict")
def verdict(cast, _use) -> Case:
    return Case(
        propose_verdict(
            client_id=cast.client.pk, kind=VerdictKind.FRAUD, reason="Bought clicks", actor=cast.ib_manager
        ),
        cast.ib_manager,
        cast.finance,
        ClientForfeit.objects.filter(cause="fraud").count,
        "referral_verdict_is_decided_by_somebody_else",
        role=Role.FINANCE,
    )
