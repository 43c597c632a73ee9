from crm.appbase import KeelsonAppConfig


class PortalConfig(KeelsonAppConfig):
    name = "portal"
    verbose_name = "Trader's room"
