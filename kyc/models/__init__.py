"""Tables of verification, one module per subject."""

from kyc.categories.models import CategoryDecision, CategoryEvidence, CategoryProposal, CategoryRequest
from kyc.models.checks import ATTEMPTS_MAX, CheckRun, Issue
from kyc.models.client_reviews import ClientReview
from kyc.models.corporate import Company, CompanyPerson, Shareholding
from kyc.models.corrections import FieldCorrection
from kyc.models.documents import Document, IncomingFile, IncomingPage
from kyc.models.level_tables import LevelProposal, LevelTable
from kyc.models.levels import KycFacts, LevelReached
from kyc.models.providers import KycProvider, KycProviderProposal, ProviderCheck, ProviderMessage, ProviderPicture
from kyc.models.requests import DocumentRequest
from kyc.models.uploads import UploadChunk, UploadDraft, UploadHandover, UploadPage
from kyc.models.verdicts import MachineDecision, SecondLook, VerdictPolicy, VerdictPolicyProposal
from kyc.questionnaires.models import (
    AnswersDraft,
    AnswersRequest,
    EnhancedReview,
    Questionnaire,
    QuestionnaireDraft,
    QuestionnaireProposal,
    QuestionnaireVersion,
    Submission,
    WarningAcknowledgement,
)

__all__ = [
    "ATTEMPTS_MAX",
    "AnswersDraft",
    "AnswersRequest",
    "CategoryDecision",
    "CategoryEvidence",
    "CategoryProposal",
    "CategoryRequest",
    "CheckRun",
    "ClientReview",
    "Company",
    "CompanyPerson",
    "Document",
    "DocumentRequest",
    "EnhancedReview",
    "FieldCorrection",
    "IncomingFile",
    "IncomingPage",
    "Issue",
    "KycFacts",
    "KycProvider",
    "KycProviderProposal",
    "LevelProposal",
    "LevelReached",
    "LevelTable",
    "MachineDecision",
    "ProviderCheck",
    "ProviderMessage",
    "ProviderPicture",
    "Questionnaire",
    "QuestionnaireDraft",
    "QuestionnaireProposal",
    "QuestionnaireVersion",
    "SecondLook",
    "Shareholding",
    "Submission",
    "UploadChunk",
    "UploadDraft",
    "UploadHandover",
    "UploadPage",
    "VerdictPolicy",
    "VerdictPolicyProposal",
    "WarningAcknowledgement",
]
