"""Tables of verification, one module per subject."""

from kyc.models.checks import ATTEMPTS_MAX, CheckRun, Issue
from kyc.models.documents import Document, IncomingFile
from kyc.models.level_tables import LevelProposal, LevelTable
from kyc.models.levels import KycFacts, LevelReached

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
]
