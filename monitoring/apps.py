from crm.project.appbase import KeelsonAppConfig


class MonitoringConfig(KeelsonAppConfig):
    name = "monitoring"
    verbose_name = "Monitoring"
