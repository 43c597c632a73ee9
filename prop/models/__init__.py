from prop.models.challenges import Breach, Challenge, ChallengeDay, ChallengePayout, PhaseAccount
from prop.models.programmes import Coupon, Programme, ProgrammePhase, ProgrammeSize, ProgrammeVersion, PublishProposal

__all__ = [
    "Breach",
    "Challenge",
    "ChallengeDay",
    "ChallengePayout",
    "Coupon",
    "PhaseAccount",
    "Programme",
    "ProgrammePhase",
    "ProgrammeSize",
    "ProgrammeVersion",
    "PublishProposal",
]
