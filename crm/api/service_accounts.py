"""Service accounts: logins of programs. They have a brand and a role like a member of staff, but sign in nowhere."""

from __future__ import annotations

from django.db import transaction
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from crm.audit_codes import CrmAction
from crm.choices import Role, UserKind
from crm.errors import DomainError
from crm.models import Brand, User
from crm.security import audit
from crm.security.policies import Decision, has_permission, no, require
from crm.security.scope import reach_of
from crm.staff.grants import request_grant


def can_create(actor: User, brand: Brand) -> Decision:
    """Create one at a brand that the person reaches as a whole, with `crm.manage_api` and `crm.manage_staff`."""
    for permission in ("crm.manage_api", "crm.manage_staff"):
        allowed = has_permission(actor, permission)
        if not allowed:
            return allowed
    if actor.is_service or brand.pk not in reach_of(actor).whole_brands:
        return no(_("You don't have access to this brand."))
    return allowed


@transaction.atomic
def create_service_account(*, brand: Brand, name: str, role: Role, reason: str, actor: User) -> User:
    """Create a login for a program; its role and its access to the brand wait for a second administrator.

    Raises: NotAllowed; DomainError without a name or reason.
    """
    require(can_create(actor, brand))
    if not name.strip():
        raise DomainError(_("Enter a name."))
    user = User(
        username=f"service/{brand.code}/{get_random_string(12).lower()}",
        first_name=name.strip(),
        kind=UserKind.SERVICE,
        brand=brand,
        is_accepting_leads=False,
    )
    user.set_unusable_password()
    user.save()
    audit.record(
        actor=actor,
        action=CrmAction.SERVICE_ACCOUNT_CREATED,
        target=user,
        brand_id=brand.pk,
        after={"name": user.first_name, "role": role.value},
        reason=reason,
    )
    request_grant(actor=actor, user=user, what=role, reason=reason)
    request_grant(actor=actor, user=user, what=brand, reason=reason)
    return user
