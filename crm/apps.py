from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from crm.appbase import KeelsonAppConfig


def sync_roles_after_migrate(sender: AppConfig, **kwargs: Any) -> None:
    """Permissions are made by migrate's own signal, app by app; the last app's turn finds them all."""
    from django.conf import settings

    if sender.name == settings.KEELSON_APPS[-1]:
        from crm.roles import sync_roles

        sync_roles()


class CrmConfig(KeelsonAppConfig):
    name = "crm"
    verbose_name = "Keelson"

    def ready(self) -> None:
        super().ready()
        # Django's own hook for what must follow the schema; domain logic never hangs on a signal.
        post_migrate.connect(sync_roles_after_migrate, dispatch_uid="crm.sync_roles")
