from compliance.models.restrictions import Restriction
from compliance.models.risk import CountryRisk, RiskAssessment
from compliance.models.screening import ClientKeys, Hit, ListScreening, Screening
from compliance.models.watchlists import EntryName, ListEntry, ListVersion, WatchlistSource

__all__ = [
    "ClientKeys",
    "CountryRisk",
    "EntryName",
    "Hit",
    "ListEntry",
    "ListScreening",
    "ListVersion",
    "Restriction",
    "RiskAssessment",
    "Screening",
    "WatchlistSource",
]
