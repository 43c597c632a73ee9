"""What a right is called when people read of it, and which roles have it. No query: models and the roles' catalogue say it."""

from __future__ import annotations

from functools import lru_cache

from django.apps import apps
from django.utils.translation import gettext as _

from crm.choices import Role
from crm.security.roles import CATALOGUE


@lru_cache(maxsize=1)
def _own_names() -> dict[str, str]:
    """Map the names that models give their own permissions, e.g. "May close a month"."""
    return {
        f"{model._meta.app_label}.{codename}": str(name)
        for model in apps.get_models()
        for codename, name in model._meta.permissions
    }


def name_of(permission: str) -> str:
    """Name a permission for texts: `wallet.close_period` is "Close the books of a month"; never the codename."""
    own = _own_names().get(permission)
    if own is not None:
        text = _(own).removeprefix("May ").strip()
        return text[:1].upper() + text[1:]
    app_label, _dot, codename = permission.partition(".")
    verb, _bar, model_name = codename.partition("_")
    try:
        what = str(apps.get_model(app_label, model_name)._meta.verbose_name_plural)
    except LookupError:
        what = model_name.replace("_", " ")
    return _verb(verb, what)


def _verb(verb: str, what: str) -> str:
    verbs = {
        "view": _("View %(what)s"),
        "add": _("Add %(what)s"),
        "change": _("Change %(what)s"),
        "delete": _("Delete %(what)s"),
    }
    return verbs.get(verb, f"{verb} %(what)s") % {"what": what}


def holders_of(permission: str) -> str:
    """List the roles that have a permission: "Finance, Administrator"; "" where none has."""
    return ", ".join(str(role.label) for role in Role if permission in CATALOGUE[role])


def lacking(permission: str) -> str:
    """Explain why somebody may not, in words: which permission is missing and which roles have it."""
    names = {"right": name_of(permission), "roles": holders_of(permission)}
    if not names["roles"]:
        return _("Your role doesn't have the permission “%(right)s”.") % names
    return _("Your role doesn't have the permission “%(right)s”. Roles that have it: %(roles)s.") % names
