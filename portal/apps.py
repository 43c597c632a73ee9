from crm.project.appbase import KeelsonAppConfig


class PortalConfig(KeelsonAppConfig):
    name = "portal"
    verbose_name = "Client portal"
    public_texts = ("portal/",)
