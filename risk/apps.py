from crm.project.appbase import KeelsonAppConfig


class RiskConfig(KeelsonAppConfig):
    name = "risk"
    verbose_name = "Risk"
    public_texts = ("risk/retention/dormancy.py",)
