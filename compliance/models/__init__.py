from compliance.aml.models import (
    AmlAlert,
    AmlBacktest,
    AmlCase,
    AmlEvidence,
    AmlMovement,
    AmlPending,
    AmlRule,
    AmlRuleProposal,
    AmlRuleVersion,
    AmlTradingDay,
)
from compliance.models.controls import ControlReport
from compliance.models.delistings import Delisting, DelistingState
from compliance.models.parties import ScreenedParty
from compliance.models.restrictions import Restriction
from compliance.models.risk import (
    CountryRisk,
    RiskAssessment,
    RiskModel,
    RiskModelDraft,
    RiskModelProposal,
    RiskOverride,
)
from compliance.models.screening import ClientKeys, Hit, ListScreening, Screening
from compliance.models.watchlists import EntryName, ListEntry, ListVersion, OwnListUpload, WatchlistSource

__all__ = [
    "AmlAlert",
    "AmlBacktest",
    "AmlCase",
    "AmlEvidence",
    "AmlMovement",
    "AmlPending",
    "AmlRule",
    "AmlRuleProposal",
    "AmlRuleVersion",
    "AmlTradingDay",
    "ClientKeys",
    "ControlReport",
    "CountryRisk",
    "Delisting",
    "DelistingState",
    "EntryName",
    "Hit",
    "ListEntry",
    "ListScreening",
    "ListVersion",
    "OwnListUpload",
    "Restriction",
    "RiskAssessment",
    "RiskModel",
    "RiskModelDraft",
    "RiskModelProposal",
    "RiskOverride",
    "ScreenedParty",
    "Screening",
    "WatchlistSource",
]
