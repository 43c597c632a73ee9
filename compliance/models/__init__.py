from compliance.models.restrictions import Restriction
from compliance.models.risk import CountryRisk, RiskAssessment
from compliance.models.screening import Hit, Screening
from compliance.models.watchlists import EntryName, ListEntry, ListVersion, WatchlistSource

__all__ = [
    "CountryRisk",
    "EntryName",
    "Hit",
    "ListEntry",
    "ListVersion",
    "Restriction",
    "RiskAssessment",
    "Screening",
    "WatchlistSource",
]
