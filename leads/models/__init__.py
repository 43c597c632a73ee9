from leads.models.automations import (
    Automation,
    AutomationActivation,
    AutomationRun,
    AutomationRunStep,
    AutomationStep,
    AutomationVersion,
)
from leads.models.bulk import BulkChange
from leads.models.campaigns import Campaign, LandingPage, LeadSource, LeadSourceRequest
from leads.models.duplicates import DuplicatePass, PossibleDuplicate
from leads.models.imports import LeadImport, LeadImportRow
from leads.models.leads import Lead, LeadFacts, RegistrationInvitation, SalesStatusChange
from leads.models.learned import LeadModel
from leads.models.rules import Absence, RoutingRule, ScoreRule, Shift
from leads.models.spend import CampaignSpend
from leads.models.turns import AgentCount, PoolPass, RuleTurn

__all__ = [
    "Absence",
    "AgentCount",
    "Automation",
    "AutomationActivation",
    "AutomationRun",
    "AutomationRunStep",
    "AutomationStep",
    "AutomationVersion",
    "BulkChange",
    "Campaign",
    "CampaignSpend",
    "DuplicatePass",
    "LandingPage",
    "Lead",
    "LeadFacts",
    "LeadImport",
    "LeadImportRow",
    "LeadModel",
    "LeadSource",
    "LeadSourceRequest",
    "PoolPass",
    "PossibleDuplicate",
    "RegistrationInvitation",
    "RoutingRule",
    "RuleTurn",
    "SalesStatusChange",
    "ScoreRule",
    "Shift",
]
