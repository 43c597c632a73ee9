"""`manage.py check`: what must never run in production, and roles that name a right nobody declares."""

from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, register


@register(Tags.security, deploy=True)
def demo_is_off(app_configs: Any, **kwargs: Any) -> list[Error]:
    if settings.DEMO:
        return [
            Error("KEELSON_DEMO is on: the sign-in page shows logins", hint="Unset KEELSON_DEMO", id="keelson.E001")
        ]
    return []


@register(Tags.security, deploy=True)
def field_key_is_real(app_configs: Any, **kwargs: Any) -> list[Error]:
    try:
        good = len(bytes.fromhex(settings.FIELD_KEY)) == 32
    except ValueError:
        good = False
    if not good:
        return [Error("KEELSON_FIELD_KEY is not 32 bytes in hex", hint="openssl rand -hex 32", id="keelson.E002")]
    return []


@register(Tags.models, Tags.database)
def roles_name_known_permissions(app_configs: Any, **kwargs: Any) -> list[Error]:
    from django.apps import apps

    from crm.roles import CATALOGUE

    known = set()
    for model in apps.get_models():
        meta = model._meta
        known |= {f"{meta.app_label}.{verb}_{meta.model_name}" for verb in meta.default_permissions}
        known |= {f"{meta.app_label}.{codename}" for codename, _label in meta.permissions}
    unknown = sorted(set().union(*CATALOGUE.values()) - known)
    if unknown:
        return [Error(f"roles name unknown permissions: {', '.join(unknown)}", id="keelson.E003")]
    return []
