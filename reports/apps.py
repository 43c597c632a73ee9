from crm.project.appbase import KeelsonAppConfig


class ReportsConfig(KeelsonAppConfig):
    name = "reports"
    verbose_name = "Reports"
