"""Who a session's user is. One backend for everybody: user name and password, nothing else."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.db import connection

from crm.models import User

HELD = """
SELECT t.app_label || '.' || p.codename FROM auth_permission p JOIN django_content_type t ON t.id = p.content_type_id
WHERE p.id IN (
  SELECT permission_id FROM crm_user_user_permissions WHERE user_id = %(user)s
  UNION SELECT h.permission_id FROM auth_group_permissions h JOIN crm_user_groups m ON m.group_id = h.group_id
  WHERE m.user_id = %(user)s
)
"""


class SignInBackend(AuthenticationBackend):
    """allauth's, with the brand read in the same statement: every page needs it."""

    def get_user(self, user_id: Any) -> User | None:
        try:
            user = User.objects.select_related("brand").get(pk=user_id)
        except User.DoesNotExist:
            return None
        return user if self.user_can_authenticate(user) else None

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """The user's own permissions and their groups', in one statement instead of Django's two: every page asks."""
        if obj is not None or not user_obj.is_active or user_obj.is_anonymous or user_obj.is_superuser:
            return super().get_all_permissions(user_obj, obj)
        if not hasattr(user_obj, "_perm_cache"):
            with connection.cursor() as cursor:
                cursor.execute(HELD, {"user": user_obj.pk})
                user_obj._perm_cache = {name for (name,) in cursor.fetchall()}
        return user_obj._perm_cache
