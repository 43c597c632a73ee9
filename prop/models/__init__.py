from prop.models.appeals import Appeal
from prop.models.challenges import (
    Breach,
    Certificate,
    Challenge,
    ChallengeDay,
    ChallengeReset,
    EquityMinute,
    EquityRound,
    PhaseAccount,
    StyleEnding,
)
from prop.models.corrections import JudgementCorrection
from prop.models.fundings import FundingFailure
from prop.models.growths import AccountGrowth
from prop.models.leaderboard import LeaderboardConsent
from prop.models.merges import AccountMerge
from prop.models.pauses import ChallengePause
from prop.models.payouts import ChallengePayout
from prop.models.programmes import Coupon, Programme, ProgrammePhase, ProgrammeSize, ProgrammeVersion, PublishProposal
from prop.models.releases import NewsRelease
from prop.models.trials import ProgrammeTrial

__all__ = [
    "AccountGrowth",
    "AccountMerge",
    "Appeal",
    "Breach",
    "Certificate",
    "Challenge",
    "ChallengeDay",
    "ChallengePause",
    "ChallengePayout",
    "ChallengeReset",
    "Coupon",
    "EquityMinute",
    "EquityRound",
    "FundingFailure",
    "JudgementCorrection",
    "LeaderboardConsent",
    "NewsRelease",
    "PhaseAccount",
    "Programme",
    "ProgrammePhase",
    "ProgrammeSize",
    "ProgrammeTrial",
    "ProgrammeVersion",
    "PublishProposal",
    "StyleEnding",
]
