from ib.models.abuse import ReferralReview
from ib.models.applications import AgreementFile, PartnerApplication, PartnerApproval
from ib.models.automatic_payouts import AutomaticPayout, PayoutInstruction
from ib.models.commissions import Accrual, CappedDay, CommissionRun, PartnerDay, ReversedPart, SettlementPeriod
from ib.models.forfeits import ClientForfeit, ReferralVerdict
from ib.models.invoices import CreditNote, CreditNoteFile, InvoiceCorrection, InvoiceFile, SelfBillingInvoice
from ib.models.materials import Material, MaterialDay
from ib.models.months import RevenueMonth
from ib.models.news import MonthlyFigures, PartnerNews
from ib.models.offers import SubPartnerOffer
from ib.models.partner_tasks import PartnerTask
from ib.models.partners import (
    Attribution,
    Partner,
    PartnerLink,
    PartnerSpell,
    ReferralDay,
    ReferralLink,
    SourceDay,
    Upline,
)
from ib.models.plans import (
    PartnerPlan,
    PartnerRank,
    Plan,
    PlanComponent,
    PlanCpa,
    PlanLevel,
    PlanOverride,
    PlanRate,
    PlanTier,
    PlanVersion,
)
from ib.models.postbacks import Postback, PostbackDelivery, PostbackKey, PostbackReport
from ib.models.ratios import RatioProposal
from ib.models.replays import Replay, ReplayLine, ReplayProposal
from ib.models.revenue import RevenueDay
from ib.models.sales import ChallengeSale
from ib.models.screenings import PartnerScreening
from ib.models.settlements import (
    ClientRebate,
    CommissionDispute,
    DisputeMessage,
    HeldLine,
    Payout,
    PayoutRequest,
    Settlement,
    SettlementTerms,
)
from ib.models.team import PartnerMember
from ib.models.tracking import AttributionProposal, ClientClaim
from ib.models.what_ifs import WhatIf

__all__ = [
    "Accrual",
    "AgreementFile",
    "Attribution",
    "AttributionProposal",
    "AutomaticPayout",
    "CappedDay",
    "ChallengeSale",
    "ClientClaim",
    "ClientForfeit",
    "ClientRebate",
    "CommissionDispute",
    "CommissionRun",
    "CreditNote",
    "CreditNoteFile",
    "DisputeMessage",
    "HeldLine",
    "InvoiceCorrection",
    "InvoiceFile",
    "Material",
    "MaterialDay",
    "MonthlyFigures",
    "Partner",
    "PartnerApplication",
    "PartnerApproval",
    "PartnerDay",
    "PartnerLink",
    "PartnerMember",
    "PartnerNews",
    "PartnerPlan",
    "PartnerRank",
    "PartnerScreening",
    "PartnerSpell",
    "PartnerTask",
    "Payout",
    "PayoutInstruction",
    "PayoutRequest",
    "Plan",
    "PlanComponent",
    "PlanCpa",
    "PlanLevel",
    "PlanOverride",
    "PlanRate",
    "PlanTier",
    "PlanVersion",
    "Postback",
    "PostbackDelivery",
    "PostbackKey",
    "PostbackReport",
    "RatioProposal",
    "ReferralDay",
    "ReferralLink",
    "ReferralReview",
    "ReferralVerdict",
    "Replay",
    "ReplayLine",
    "ReplayProposal",
    "RevenueDay",
    "RevenueMonth",
    "ReversedPart",
    "SelfBillingInvoice",
    "Settlement",
    "SettlementPeriod",
    "SettlementTerms",
    "SourceDay",
    "SubPartnerOffer",
    "Upline",
    "WhatIf",
]
