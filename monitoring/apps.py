from crm.appbase import KeelsonAppConfig


class MonitoringConfig(KeelsonAppConfig):
    name = "monitoring"
    verbose_name = "Monitoring"
