from importlib import import_module

from crm.project.appbase import KeelsonAppConfig


class ClientsConfig(KeelsonAppConfig):
    name = "clients"
    verbose_name = "Clients"
    public_texts = ("clients/country_rules/rules.py", "clients/country_rules/gates.py")

    def ready(self) -> None:
        super().ready()
        import_module("clients.identifiers.receivers")
