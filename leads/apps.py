from crm.appbase import KeelsonAppConfig


class LeadsConfig(KeelsonAppConfig):
    name = "leads"
    verbose_name = "Leads"
