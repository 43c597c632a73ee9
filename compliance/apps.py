from crm.appbase import KeelsonAppConfig


class ComplianceConfig(KeelsonAppConfig):
    name = "compliance"
    verbose_name = "Compliance"
