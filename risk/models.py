"""Tables of the app's rooms."""

from risk.abuse.models import AbuseEpisode, AbuseMeasure, EpisodeParty, EpisodeTrade, PairCount, ScoredTo, Tick
from risk.dealing.models import ClientRouting, DayResultAlert
from risk.links.models import KnownLink
from risk.retention.models import ChurnModel, ClientOutlook, RetentionCase, RetentionFlag

__all__ = [
    "AbuseEpisode",
    "AbuseMeasure",
    "ChurnModel",
    "ClientOutlook",
    "ClientRouting",
    "DayResultAlert",
    "EpisodeParty",
    "EpisodeTrade",
    "KnownLink",
    "PairCount",
    "RetentionCase",
    "RetentionFlag",
    "ScoredTo",
    "Tick",
]
