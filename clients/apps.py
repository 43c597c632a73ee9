from crm.project.appbase import KeelsonAppConfig


class ClientsConfig(KeelsonAppConfig):
    name = "clients"
    verbose_name = "Clients"
    public_texts = ("clients/country_rules/rules.py",)
