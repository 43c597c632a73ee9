from crm.project.appbase import KeelsonAppConfig


class ComplianceConfig(KeelsonAppConfig):
    name = "compliance"
    verbose_name = "Compliance"
