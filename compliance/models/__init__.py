from compliance.aml.follow_up_models import CaseRequest, CaseTask
from compliance.aml.models import (
    AmlAlert,
    AmlBacktest,
    AmlCase,
    AmlEvidence,
    AmlMonth,
    AmlMovement,
    AmlPending,
    AmlRule,
    AmlRuleProposal,
    AmlRuleVersion,
    AmlTradingDay,
)
from compliance.aml.opposite_models import AmlClosedPosition, AmlOppositeTrade
from compliance.aml.referral_models import AmlReferral
from compliance.models.controls import ControlReport
from compliance.models.delistings import Delisting, DelistingState
from compliance.models.parties import ScreenedParty
from compliance.models.restrictions import Restriction
from compliance.models.retention import ClosedRelation, ErasureProposal, LegalHold
from compliance.models.risk import (
    CountryRisk,
    RiskAssessment,
    RiskModel,
    RiskModelDraft,
    RiskModelProposal,
    RiskOverride,
)
from compliance.models.screening import ClientKeys, Hit, ListScreening, Screening
from compliance.models.vendors import ScreeningVendor, ScreeningVendorProposal, VendorCheck, VendorNotice
from compliance.models.watchlists import EntryMark, EntryName, ListEntry, ListVersion, OwnListUpload, WatchlistSource
from compliance.sar.models import ReportingEntity, ReportingEntityProposal, ReportMovement, SuspicionReport

__all__ = [
    "AmlAlert",
    "AmlBacktest",
    "AmlCase",
    "AmlClosedPosition",
    "AmlEvidence",
    "AmlMonth",
    "AmlMovement",
    "AmlOppositeTrade",
    "AmlPending",
    "AmlReferral",
    "AmlRule",
    "AmlRuleProposal",
    "AmlRuleVersion",
    "AmlTradingDay",
    "CaseRequest",
    "CaseTask",
    "ClientKeys",
    "ClosedRelation",
    "ControlReport",
    "CountryRisk",
    "Delisting",
    "DelistingState",
    "EntryMark",
    "EntryName",
    "ErasureProposal",
    "Hit",
    "LegalHold",
    "ListEntry",
    "ListScreening",
    "ListVersion",
    "OwnListUpload",
    "ReportMovement",
    "ReportingEntity",
    "ReportingEntityProposal",
    "Restriction",
    "RiskAssessment",
    "RiskModel",
    "RiskModelDraft",
    "RiskModelProposal",
    "RiskOverride",
    "ScreenedParty",
    "Screening",
    "ScreeningVendor",
    "ScreeningVendorProposal",
    "SuspicionReport",
    "VendorCheck",
    "VendorNotice",
    "WatchlistSource",
]
