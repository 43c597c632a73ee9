from crm.project.appbase import KeelsonAppConfig


class ClientsConfig(KeelsonAppConfig):
    name = "clients"
    verbose_name = "Clients"
