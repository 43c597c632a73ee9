"""Tables of verification, one module per subject."""

from kyc.models.checks import ATTEMPTS_MAX, CheckRun, Issue
from kyc.models.documents import Document, IncomingFile
from kyc.models.level_tables import LevelProposal, LevelTable
from kyc.models.levels import KycFacts, LevelReached
from kyc.models.verdicts import MachineDecision, SecondLook, VerdictPolicy, VerdictPolicyProposal

__all__ = [
    "ATTEMPTS_MAX",
    "CheckRun",
    "Document",
    "IncomingFile",
    "Issue",
    "KycFacts",
    "LevelProposal",
    "LevelReached",
    "LevelTable",
    "MachineDecision",
    "SecondLook",
    "VerdictPolicy",
    "VerdictPolicyProposal",
]
