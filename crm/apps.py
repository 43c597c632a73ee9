from crm.appbase import KeelsonAppConfig


class CrmConfig(KeelsonAppConfig):
    name = "crm"
    verbose_name = "Keelson"
