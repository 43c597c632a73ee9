from crm.appbase import KeelsonAppConfig


class IbConfig(KeelsonAppConfig):
    name = "ib"
    verbose_name = "Partners"
