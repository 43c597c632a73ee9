"""What every Keelson app does when Django starts: load the files through which it speaks to the others."""

import gc
from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig, apps

# Django reads the apps' configs before anything of theirs: until the last is ready, nothing is garbage. What was loaded stays.
COLLECTS_GARBAGE = gc.isenabled()
gc.disable()


class KeelsonAppConfig(AppConfig):
    """Loads the files through which an app speaks to the others, where it has them."""

    default = False  # Django picks an app's config among the classes it finds in apps.py: never this base
    default_auto_field = "django.db.models.BigAutoField"
    speaks_through: tuple[str, ...] = (
        "audit_codes",
        "brand_policies",
        "subscribers",
        "panels",
        "roles",
        "facts",
        "texts",
        "job_kinds",
        "import_kinds",
        "file_columns",
        "checks",
        "sealed",
        "attachments",
    )

    # Beginnings of the paths (from the root, or below templates/) of what clients, partners and strangers read: complete in
    # every language that is offered.
    public_texts: tuple[str, ...] = ()
    # Folders of templates beside the app's own, which bear their audience's name.
    more_templates: tuple[str, ...] = ()

    def __init_subclass__(cls) -> None:
        cls.default = True

    def ready(self) -> None:
        for module in self.speaks_through:
            if find_spec(f"{self.name}.{module}"):
                import_module(f"{self.name}.{module}")
        if (
            COLLECTS_GARBAGE
            and self is [one for one in apps.get_app_configs() if isinstance(one, KeelsonAppConfig)][-1]
        ):
            gc.freeze()
            gc.enable()

    def warm_up(self) -> None:
        """Load what the app's first use would wait for. Called in web servers and workers alone, before they fork."""
