"""Roles given to people directly; asked for and approved ones are in `grants`."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import transaction

from crm.audit_codes import CrmAction
from crm.choices import Role
from crm.models import User
from crm.security import audit
from crm.security.policies import require
from crm.staff.policies import can_give_role, can_manage_other


@transaction.atomic
def give_role(user: User, role: Role, *, actor: User | None) -> None:
    """Put a person into a role. Who: `crm.manage_staff`; nobody gives rights that they do not hold themselves."""
    if actor is not None:
        require(can_manage_other(actor, user))
        require(can_give_role(actor, role))
    user.groups.add(Group.objects.get(name=role.value))
    audit.record(
        actor=actor, action=CrmAction.ROLE_GIVEN, target=user, brand_id=user.brand_id, after={"role": role.value}
    )
