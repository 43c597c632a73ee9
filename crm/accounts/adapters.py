"""How allauth behaves here: no public sign-up, access rows for every sign-in, secrets encrypted, our own words."""

from __future__ import annotations

import dataclasses
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from crm.accounts import attempts, home_url, network, second_factor, sign_in_url
from crm.accounts.passwords import client_id_of
from crm.choices import AccessKind
from crm.events import SignedIn, publish
from crm.models import User
from crm.security import access_log, crypto
from crm.security.request_context import acting_in, current

SECRETS = "second-factor"
# In the session of a visitor: the path in the portal where they land once they are signed in. Only our own code writes it.
AFTER_SIGN_IN = "after_sign_in"


class AccountAdapter(DefaultAccountAdapter):
    """Clients register in the client portal, staff are invited by administrators: nobody signs up through allauth."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _("Incorrect e-mail or password. Check both and try again."),
        "email_password_mismatch": _("Incorrect e-mail or password. Check both and try again."),
        "too_many_login_attempts": _(
            "Too many failed attempts from this network. Wait five minutes and try again, or reset your password."
        ),
        "only_known_devices": _(
            "Too many failed attempts for this account. Sign in on a device you've used before, or "
            "reset your password to use this one."
        ),
        "incorrect_password": _("Incorrect password."),
        "account_inactive": _("This account is deactivated."),
        "incorrect_code": _("This code is incorrect or was already used. Wait for the next one and enter it."),
        "rate_limited": _("Too many wrong codes. Wait five minutes and try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        # A server on a Unix socket knows no address: its callers share one limit.
        return network.client_ip(request) or "0.0.0.0"  # noqa: S104

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        assert isinstance(request.user, User)
        path = str(request.session.pop(AFTER_SIGN_IN, ""))
        return path if path and request.user.is_client else home_url(request.user)

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        return sign_in_url(request.user)  # type: ignore[arg-type]

    def clean_username(self, username: str, shallow: bool = False) -> str:
        return username.strip().lower()

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        refused: HttpResponse | None = super().pre_login(request, user, **kwargs)
        if refused is None and not network.may_work_from(user, network.client_ip(request)):
            note_failure(user=user, reason="network")
            return render(request, "account/wrong_network.html", {"address": network.client_ip(request)}, status=403)
        return refused

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        records = get_authentication_records(request, user)
        if any(record.get("method") == "mfa" for record in records):
            second_factor.mark_passed(request, user)
        if records:
            # Whoever has just signed in has just confirmed who they are: the first sensitive step asks for nothing more.
            record_authentication(request, user, records[-1]["method"], reauthenticated=True)
        method = "+".join(dict.fromkeys(str(record.get("type") or record.get("method")) for record in records))
        # The request's context was made while the person was still a stranger in another session.
        session = access_log.session_mark(request.session.session_key)
        with acting_in(dataclasses.replace(current(), user_id=user.pk, user_kind=user.kind, session=session)):
            _note_sign_in(user, method)
        response: HttpResponse = super().post_login(request, user, **kwargs)
        attempts.remember_device(request, response, user)
        return response

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            self._attempt = attempts.begin(request, login=str(credentials.get("username", "")))
        except attempts.TooManyAttempts as refused:
            raise self.validation_error(refused.code) from None

    def _rollback_login_failed_rl_usage(self) -> None:
        self._attempt.take_back()

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        username = str(credentials.get("username", "")).strip().lower()
        user = User.objects.filter(username=username).select_related("brand").first()
        note_failure(user=user, reason="password")
        attempts.note_failed(request, user=user, login=username)
        super().authentication_failed(request, **credentials)

    def logout(self, request: HttpRequest) -> None:
        user = request.user
        if isinstance(user, User):
            access_log.note(user=user, kind=AccessKind.LOGOUT, brand_id=user.brand_id, target=f"user:{user.pk}")
            second_factor.end_session_row(request)
        super().logout(request)

    def send_notification_mail(self, template_prefix: str, user: User, *args: Any, **kwargs: Any) -> None:
        """allauth's own notices are off: `crm.accounts.receivers` writes them, in the brand's look and words."""


@transaction.atomic
def _note_sign_in(user: User, method: str) -> None:
    access_log.note(user=user, kind=AccessKind.LOGIN, brand_id=user.brand_id, target=f"user:{user.pk}", reason=method)
    publish(
        SignedIn(user_id=user.pk, kind=user.kind, method=method, client_id=client_id_of(user), brand_id=user.brand_id),
        actor=user,
    )


def note_failure(*, user: User | None, reason: str) -> None:
    """Log a failed sign-in, without what was typed: people type passwords into the wrong box."""
    access_log.note(
        user=None,
        kind=AccessKind.LOGIN_FAILED,
        brand_id=user.brand_id if user else None,
        target=f"user:{user.pk}" if user else "unknown",
        reason=reason,
    )


class MFAAdapter(DefaultMFAAdapter):
    """Secrets of second factors are encrypted under the instance's key; staff never lose their last factor."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
        "cannot_delete_authenticator": _(
            "This is your only second factor, and you can't sign in without one. Add another before you remove it."
        ),
    }

    def encrypt(self, text: str) -> str:
        return crypto.encrypt(text.encode(), purpose=SECRETS).hex()

    def decrypt(self, encrypted_text: str) -> str:
        return crypto.decrypt(bytes.fromhex(encrypted_text), purpose=SECRETS).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        user = authenticator.user
        if not user.is_team or authenticator.type == Authenticator.Type.RECOVERY_CODES:
            return True
        return second_factor.factors_of(user).exclude(pk=authenticator.pk).exists()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": "Keelson"}

    def _get_user_identifier(self, user: User) -> str:
        return user.email or user.username
