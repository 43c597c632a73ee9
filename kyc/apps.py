from crm.project.appbase import KeelsonAppConfig


class KycConfig(KeelsonAppConfig):
    name = "kyc"
    verbose_name = "KYC"
    public_texts = (
        "kyc/portal",
        "kyc/choices.py",
        "kyc/documents.py",
        "kyc/incoming.py",
        "kyc/intake.py",
        "kyc/levels/ladder.py",
        "kyc/categories/choices.py",
        "kyc/categories/decisions.py",
        "kyc/categories/figures.py",
        "kyc/categories/policies.py",
        "kyc/categories/requests.py",
        "kyc/providers/checks.py",
        "kyc/providers/lookups.py",
        "kyc/questionnaires/choices.py",
        "kyc/questionnaires/fields.py",
        "kyc/questionnaires/filling.py",
        "kyc/questionnaires/gates.py",
        "kyc/questionnaires/submissions.py",
        "kyc/questionnaires/wording.py",
    )
