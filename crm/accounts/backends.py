"""Who a session's user is. One backend for everybody: user name and password, nothing else."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from crm.db.prepared import ByKey
from crm.models import User
from crm.security.scope import read_rights

USERS = ByKey(lambda: User.objects.select_related("brand"))


class SignInBackend(AuthenticationBackend):
    """allauth's, with the brand read in the same statement: every page needs it."""

    def get_user(self, user_id: Any) -> User | None:
        user = USERS.get(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return the user's own permissions and their groups'.

        They are read together with whom the user reaches: every page asks for both.
        """
        if obj is not None or not user_obj.is_active or user_obj.is_anonymous or user_obj.is_superuser:
            plain: set[str] = super().get_all_permissions(user_obj, obj)
            return plain
        if not hasattr(user_obj, "_perm_cache"):
            read_rights(user_obj)
        permissions: set[str] = user_obj._perm_cache
        return permissions
