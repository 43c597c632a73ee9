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
    )
