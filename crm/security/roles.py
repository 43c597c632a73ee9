"""Roles are Django groups with a fixed catalogue of permissions. Each app's `roles.py` says what its part of a role is.

    # wallet/roles.py
    from crm.security.roles import grants
    grants("wallet", {Role.FINANCE: ["view_withdrawal", "approve_withdrawal"]})

`sync_roles` (run after every migrate) makes the groups equal to the catalogue; a permission that no model declares is
an error of `manage.py check`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import transaction

from crm.choices import Role

CATALOGUE: dict[Role, set[str]] = {role: set() for role in Role}


def grants(app_label: str, by_role: Mapping[Role, Iterable[str]]) -> None:
    """Register what each role may do in an app."""
    for role, codenames in by_role.items():
        CATALOGUE[role].update(f"{app_label}.{codename}" for codename in codenames)


grants(
    "crm",
    {
        Role.ADMINISTRATOR: [
            "manage_staff",
            "manage_brand_look",
            "manage_company",
            "import_data",
            "propose_policies",
            "manage_policies",
            "manage_money_policies",
            "propose_policies",
            "manage_identity_policies",
            "view_audit",
            "view_access_log",
            "explain_access",
            "manage_events",
            "edit_texts",
            "manage_texts",
            "manage_legal_texts",
            "use_api",
            "manage_api",
        ],
        Role.AUDITOR: ["view_audit", "export_audit", "view_access_log", "explain_access", "see_unmasked_contacts"],
        Role.MARKETING: ["edit_texts", "manage_texts", "use_api"],
        Role.MLRO: [
            "edit_texts",
            "manage_legal_texts",
            "propose_policies",
            "manage_identity_policies",
            "view_audit",
            "export_audit",
            "view_access_log",
            "explain_access",
            "see_unmasked_contacts",
            "manage_work",
            "use_api",
        ],
        Role.KYC_OFFICER: ["see_unmasked_contacts"],
        Role.FINANCE: ["use_api", "see_unmasked_contacts", "propose_policies", "manage_money_policies"],
        Role.DESK_HEAD: ["use_api", "explain_access", "view_access_log", "manage_work"],
        Role.IB_MANAGER: ["use_api"],
    },
)


def unknown_permissions() -> set[str]:
    """List permissions of the catalogue that no model declares."""
    from django.contrib.auth.models import Permission

    listed = set().union(*CATALOGUE.values())
    known = {
        f"{app}.{codename}" for app, codename in Permission.objects.values_list("content_type__app_label", "codename")
    }
    return listed - known


@transaction.atomic
def sync_roles() -> None:
    """Make each role's group hold exactly its catalogue."""
    from django.contrib.auth.models import Group, Permission

    by_name = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    for role, names in CATALOGUE.items():
        group, _created = Group.objects.get_or_create(name=role.value)
        group.permissions.set([by_name[name] for name in names if name in by_name])
