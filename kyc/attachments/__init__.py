"""KYC's evidence stays with the record whose key seals it: the merged record's page shows it."""

from django.utils.translation import gettext_lazy as _

from clients.merging.attachments import all_stay, stays

stays("kyc.Document.client", _("Documents"))
stays("kyc.Submission.client", _("Questionnaires"))
all_stay(
    [
        "kyc.AnswersDraft.client",
        "kyc.AnswersRequest.client",
        "kyc.CategoryDecision.client",
        "kyc.CategoryProposal.client",
        "kyc.CategoryRequest.client",
        "kyc.ClientReview.client",
        "kyc.Company.client",
        "kyc.CompanyPerson.person",
        "kyc.DocumentRequest.client",
        "kyc.EnhancedReview.client",
        "kyc.IncomingFile.client",
        "kyc.KycFacts.client",
        "kyc.LevelReached.client",
        "kyc.ProviderCheck.client",
        "kyc.UploadDraft.client",
    ]
)
