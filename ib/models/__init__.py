from ib.models.commissions import Accrual, CommissionRun, PartnerDay, Payout, ReversedPart, Settlement, SettlementPeriod
from ib.models.partners import Attribution, Partner, PartnerLink, PartnerSpell, ReferralDay, ReferralLink, Upline
from ib.models.plans import PartnerPlan, Plan, PlanComponent, PlanCpa, PlanLevel, PlanOverride, PlanRate, PlanVersion
from ib.models.recalculations import Recalculation
from ib.models.what_ifs import WhatIf

__all__ = [
    "Accrual",
    "Attribution",
    "CommissionRun",
    "Partner",
    "PartnerDay",
    "PartnerLink",
    "PartnerPlan",
    "PartnerSpell",
    "Payout",
    "Plan",
    "PlanComponent",
    "PlanCpa",
    "PlanLevel",
    "PlanOverride",
    "PlanRate",
    "PlanVersion",
    "Recalculation",
    "ReferralDay",
    "ReferralLink",
    "ReversedPart",
    "Settlement",
    "SettlementPeriod",
    "Upline",
    "WhatIf",
]
