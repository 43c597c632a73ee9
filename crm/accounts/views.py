"""Pages of signing in and of one's own security; allauth's views where they do the work, ours around them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.account.views import LoginView, PasswordChangeView
from allauth.core import ratelimit
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import (
    AddWebAuthnView,
    LoginWebAuthnView,
    ReauthenticateWebAuthnView,
    RemoveWebAuthnView,
)
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from crm.accounts import (
    attempts,
    demo_mode,
    home_url,
    link_requests,
    links,
    passwords,
    receivers,
    second_factor,
    sessions,
    sign_in_url,
)
from crm.accounts.forms import ForgottenPasswordForm, NewPasswordForm, StaffSignInForm
from crm.accounts.guards import signed_in
from crm.choices import LinkKind
from crm.errors import DomainError, outcome_of
from crm.models import User

# The brands' sign-in pages: an app above this one serves them.
BRAND_LOGIN = re.compile(r"/b/[-\w]+/(partners/)?login/")


class StaffLoginView(LoginView):
    """E-mail and password, then the second factor. Demo installations list their logins."""

    form_class = StaffSignInForm
    template_name = "account/login.html"

    def get_authenticated_redirect_url(self) -> str:
        user = self.request.user
        if isinstance(user, User) and not user.is_team:
            return home_url(user)
        address: str = super().get_authenticated_redirect_url()
        return address

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "demo_logins": demo_mode.staff_logins()}


class SecondFactorView(AuthenticateView):
    """The second step of signing in: a code, a recovery code, or a security key."""

    template_name = "mfa/authenticate.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.stage.login.user
        if not user.is_team:
            self.request.brand = user.brand
        keys = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).exists()
        return {
            **super().get_context_data(**kwargs),
            "person": user,
            "brand": None if user.is_team else user.brand,
            "has_keys": keys,
            "has_app": second_factor.has_authenticator_app(user),
            "demo_code": demo_mode.current_code(user),
        }


class PasskeyLoginView(LoginWebAuthnView):
    """Signing in with a passkey alone: the key checks the person by PIN or fingerprint, so it is both factors."""

    def form_invalid(self, form: Any) -> HttpResponse:
        super().form_invalid(form)
        came_from = urlsplit(self.request.headers.get("referer", "")).path
        return redirect(came_from if BRAND_LOGIN.fullmatch(came_from) else reverse("account_login"))


class ConfirmByKeyView(ReauthenticateWebAuthnView):
    template_name = "mfa/webauthn/reauthenticate.html"

    def form_invalid(self, form: Any) -> HttpResponse:
        super().form_invalid(form)
        return redirect(self.request.get_full_path())


class ActivateAppView(ActivateTOTPView):
    template_name = "mfa/totp/activate_form.html"

    def form_valid(self, form: Any) -> HttpResponse:
        assert isinstance(self.request.user, User)
        with transaction.atomic():
            receivers.after_factor_added(request=self.request, user=self.request.user, kind="totp")
            response: HttpResponse = super().form_valid(form)
            return response


class DeactivateAppView(DeactivateTOTPView):
    template_name = "mfa/totp/deactivate_form.html"

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            return response


class AddKeyView(AddWebAuthnView):
    template_name = "mfa/webauthn/add_form.html"

    def form_valid(self, form: Any) -> HttpResponse:
        assert isinstance(self.request.user, User)
        with transaction.atomic():
            receivers.after_factor_added(request=self.request, user=self.request.user, kind="webauthn")
            response: HttpResponse = super().form_valid(form)
            return response


class RemoveKeyView(RemoveWebAuthnView):
    success_url = reverse_lazy("security")

    def form_valid(self, form: Any) -> HttpResponse:
        from allauth.mfa.adapter import get_adapter

        adapter = get_adapter()
        if not adapter.can_delete_authenticator(self.get_object()):
            messages.error(self.request, adapter.error_messages["cannot_delete_authenticator"])
            return redirect("security")
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            return response


@method_decorator(login_required, name="dispatch")
class ChangePasswordView(PasswordChangeView):
    """Changing the password ends every other session of this login."""

    template_name = "account/password_change.html"

    def get_default_success_url(self) -> str:
        return reverse("security")


def _same_answer(request: HttpRequest) -> HttpResponse:
    return render(request, "account/password_forgotten_done.html")


@never_cache
def forgotten_password(request: HttpRequest) -> HttpResponse:
    """Send staff a reset link. The answer is the same whether the login exists or not."""
    form = ForgottenPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"].strip().lower()
        key = attempts.link_key(request, email)
        limited: HttpResponse | None = ratelimit.consume_or_429(request, action="reset_password", key=key)
        if limited is not None:
            return limited
        if attempts.may_send_link(request, login=email):
            link_requests.ask_for_link(kind=LinkKind.PASSWORD_RESET, username=email)
        return _same_answer(request)
    return render(request, "account/password_forgotten.html", {"form": form})


@never_cache
@sensitive_post_parameters("password1", "password2")
def choose_password(request: HttpRequest, token: str) -> HttpResponse:
    """Let a member of staff choose a new password behind the link they were sent."""
    answer = password_by_link(
        request,
        token,
        kind=LinkKind.PASSWORD_RESET,
        template="account/choose_password.html",
        ask_again=reverse("account_forgotten_password"),
    )
    if isinstance(answer, HttpResponse):
        return answer
    messages.success(request, _("Password changed. Sign in with your new password."))
    response = redirect("account_login")
    attempts.remember_device(request, response, answer)  # whoever holds the mailbox may try again here
    return response


@never_cache
@sensitive_post_parameters("password1", "password2")
def accept_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Let a new member of staff choose a password and go straight on to the second factor."""
    answer = password_by_link(
        request, token, kind=LinkKind.INVITATION, template="account/accept_invitation.html", ask_again=""
    )
    if isinstance(answer, HttpResponse):
        return answer
    response: HttpResponse = perform_password_login(request, {"username": answer.username}, Login(user=answer))
    return response


def password_by_link(
    request: HttpRequest, token: str, *, kind: LinkKind, template: str, ask_again: str, **context: Any
) -> HttpResponse | User:
    """Show the form behind a link, or set the password and return its owner. An unusable link gets a page with the reason."""
    limited: HttpResponse | None = ratelimit.consume_or_429(request, action="reset_password_from_key")
    if limited is not None:
        return limited

    def explain(problem: DomainError, owner: User | None) -> HttpResponse:
        about = {**context, "problem": problem, "ask_again": ask_again, "sign_in": sign_in_url(owner)}
        return render(request, "account/link_problem.html", about, status=410)

    opened = outcome_of(lambda: links.peek(token, kind=kind), only=links.LinkProblem)
    if not opened:
        return explain(opened.error, links.owner_of(token, kind=kind))
    link = opened.result
    form = NewPasswordForm(request.POST or None, user=link.user)
    if request.method == "POST" and form.is_valid():
        password = form.cleaned_data["password1"]
        try:
            chosen = outcome_of(
                lambda: passwords.choose_password(token=token, kind=kind, password=password), only=links.LinkProblem
            )
        except ValidationError as weak:
            form.add_error("password1", weak)
        else:
            return chosen.result if chosen else explain(chosen.error, link.user)
    return render(request, template, {**context, "form": form, "person": link.user})


@signed_in
@never_cache
def set_up_second_factor(request: HttpRequest) -> HttpResponse:
    """Start the guided set-up for staff: an app or a passkey. The next pages do it; the last shows recovery codes."""
    assert isinstance(request.user, User)
    if second_factor.has_passed(request):
        return redirect("security")
    return render(request, "account/second_factor_setup.html", {"step": 1})


def security_context(request: HttpRequest) -> dict[str, Any]:
    """Collect what the security page shows its owner, in the staff frame and in the client portal."""
    user = request.user
    assert isinstance(user, User)
    held = list(Authenticator.objects.filter(user=user).order_by("created_at"))
    codes = next((factor for factor in held if factor.type == Authenticator.Type.RECOVERY_CODES), None)
    return {
        "app": next((factor for factor in held if factor.type == Authenticator.Type.TOTP), None),
        "keys": [factor for factor in held if factor.type == Authenticator.Type.WEBAUTHN],
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else None,
        "sessions": sessions.open_sessions(user, current_key=request.session.session_key),
        "idle_minutes": sessions.idle_seconds_allowed(user) // 60,
        "must_have_factor": user.is_team,
    }


@signed_in
@never_cache
def security(request: HttpRequest) -> HttpResponse:
    """Show a person's password, second factors, passkeys, recovery codes and open sessions."""
    assert isinstance(request.user, User)
    if request.user.is_client:
        return redirect("/portal/profile/security/")
    return render(request, "account/security.html", security_context(request))


@signed_in
@require_POST
def end_one_session(request: HttpRequest, session_id: int) -> HttpResponse:
    assert isinstance(request.user, User)
    from allauth.usersessions.models import UserSession

    mine = UserSession.objects.filter(pk=session_id, user=request.user).first()
    if mine is None:
        raise Http404
    if mine.session_key == request.session.session_key:
        messages.info(request, _("This is your current session. Sign out to end it."))
    else:
        sessions.end_session(user=request.user, session_id=session_id)
        messages.success(request, _("Session ended."))
    return redirect("security")


@signed_in
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    count = sessions.end_sessions(user=request.user, actor=request.user, except_key=request.session.session_key)
    text = ngettext("%(count)s other session ended.", "%(count)s other sessions ended.", count)
    messages.success(request, text % {"count": count})
    return redirect("security")


def locked_out(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer too many requests with a page that says when to try again."""
    return render(request, "429.html", {"support": getattr(settings, "SUPPORT_EMAIL", "")}, status=429)
