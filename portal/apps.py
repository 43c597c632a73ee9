from crm.project.appbase import KeelsonAppConfig


class PortalConfig(KeelsonAppConfig):
    name = "portal"
    verbose_name = "Trader's room"
    public_texts = ("portal/",)
