from crm.appbase import KeelsonAppConfig


class KycConfig(KeelsonAppConfig):
    name = "kyc"
    verbose_name = "KYC"
