"""What of risk follows when two records of one person are merged: nothing. Flags are judged again from what followed; an episode
is about the accounts of one record.
"""

from clients.merging.attachments import all_stay

all_stay(
    [
        "risk.AbuseEpisode.client",
        "risk.AbuseMeasure.client",
        "risk.ClientOutlook.client",
        "risk.ClientRouting.client",
        "risk.EpisodeParty.client",
        "risk.KnownLink.first",
        "risk.KnownLink.second",
        "risk.RetentionCase.client",
        "risk.RetentionFlag.client",
    ]
)
