"""Tables of the app's rooms."""

from risk.abuse.models import AbuseEpisode, EpisodeParty, EpisodeTrade, PairCount, ScoredTo, Tick
from risk.retention.models import ChurnModel, ClientOutlook, RetentionCase, RetentionFlag

__all__ = [
    "AbuseEpisode",
    "ChurnModel",
    "ClientOutlook",
    "EpisodeParty",
    "EpisodeTrade",
    "PairCount",
    "RetentionCase",
    "RetentionFlag",
    "ScoredTo",
    "Tick",
]
