import sys
from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate

from crm.i18n import one_catalogue
from crm.project.appbase import KeelsonAppConfig

one_catalogue.install()  # before models are read, whose labels may already want a text


def grant_rights_after_migrate(sender: AppConfig, **kwargs: Any) -> None:
    """Give roles their permissions once the last app's are made: migrate's own signal makes them app by app."""
    last = [config for config in apps.get_app_configs() if config.models_module is not None][-1]
    if sender == last:
        from crm.security.database_role import MISSING, grant_app_role, triggers_always_hold
        from crm.security.roles import sync_roles

        sync_roles()
        triggers_always_hold()
        if not grant_app_role():
            sys.stderr.write(f"Warning: {MISSING} Until then processes log in as the owner.\n")


class CrmConfig(KeelsonAppConfig):
    name = "crm"
    verbose_name = "Keelson"
    public_texts = (
        "public_base.html",
        "portal_base.html",
        "account/",
        "mfa/",
        "mail/",
        "cotton/",
        "django/",
        "crm/ui/",
        "4",
        "5",
        "crm/error_page.html",
        "crm/refused.html",
        "crm/pages/profile",
        "crm/pages/notifications",
        "crm/pages/_bell",
        "crm/pages/job",
        "crm/pages/_job",
        "crm/accounts/",
        "crm/notices/mail.py",
        "crm/files/parsing/",
    )

    def ready(self) -> None:
        super().ready()
        import crm.accounts.receivers  # what follows when allauth changed a login
        import crm.imports.jobs  # noqa: F401

        # Django's own hook for what must follow the schema; domain logic never hangs on a signal.
        post_migrate.connect(grant_rights_after_migrate, dispatch_uid="crm.sync_roles")
