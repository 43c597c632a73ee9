from leads.models.campaigns import Campaign, LandingPage, LeadSource
from leads.models.imports import LeadImport, LeadImportRow
from leads.models.leads import Lead, LeadFacts, RegistrationInvitation, SalesStatusChange
from leads.models.rules import RoutingRule, ScoreRule, Shift

__all__ = [
    "Campaign",
    "LandingPage",
    "Lead",
    "LeadFacts",
    "LeadImport",
    "LeadImportRow",
    "LeadSource",
    "RegistrationInvitation",
    "RoutingRule",
    "SalesStatusChange",
    "ScoreRule",
    "Shift",
]
