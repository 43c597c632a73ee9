"""Who a session's user is. One backend for everybody: user name and password, nothing else."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from crm.models import User


class SignInBackend(AuthenticationBackend):
    """allauth's, with the brand read in the same statement: every page needs it."""

    def get_user(self, user_id: Any) -> User | None:
        user = User.objects.select_related("brand").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
