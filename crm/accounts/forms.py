"""The forms for signing in. Each error says what to do; what was typed stays, except passwords."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import LoginForm
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from crm.accounts import attempts, second_factor
from crm.db.locking import lock
from crm.models import User


class PasswordSignInForm(LoginForm):
    """E-mail and password. Below it: one for staff, one for a brand's clients and partners."""

    user: User | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = forms.EmailField(
            label=_("E-mail"),
            widget=forms.EmailInput(attrs={"autocomplete": "username webauthn", "autofocus": True}),
            error_messages={"invalid": _("Enter your full e-mail address, for example name@company.com.")},
        )
        self.fields["password"].label = _("Password")
        self.fields["password"].help_text = ""
        self.fields["password"].widget.attrs.pop("placeholder", None)
        self.order_fields(["login", "password"])

    def username(self, email: str) -> str:
        return email

    def may_sign_in_here(self, user: User) -> bool:
        raise NotImplementedError

    def user_credentials(self) -> dict[str, str]:
        login = self.cleaned_data["login"].strip().lower()
        return {"username": self.username(login), "password": self.cleaned_data.get("password", "")}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        if self.user is not None and not self.may_sign_in_here(self.user):
            self.user = None
            raise get_adapter().validation_error("username_password_mismatch")
        return cleaned


class StaffSignInForm(PasswordSignInForm):
    def may_sign_in_here(self, user: User) -> bool:
        return user.is_team


class _OnceOnlyCode:
    """A code works once: one of an app also in the half minutes before and after in which we accept it.

    Two at once with the same code meet at the lock; the database holds which codes are used up.
    """

    user: User
    authenticator: Authenticator

    def clean_code(self) -> str:
        request = context.request
        try:
            attempt = attempts.begin(request, login=self.user.username, step="code")
        except attempts.TooManyAttempts as refused:
            raise get_adapter().validation_error(refused.code) from None
        wrong: ValidationError | None = None
        code = ""
        with transaction.atomic():  # ended before a refusal is raised: what was noted of the failure stays
            lock(User, self.user.pk)
            try:
                code = super().clean_code()  # type: ignore[misc]
            except ValidationError as error:
                wrong = error
            else:
                if not second_factor.use_up(self.authenticator, code):
                    wrong = get_adapter().validation_error("incorrect_code")
        if wrong is not None:
            raise wrong
        attempt.take_back()
        return code


class SecondFactorForm(_OnceOnlyCode, AuthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress_code_field(self.fields["code"])


class ConfirmSecondFactorForm(_OnceOnlyCode, ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress_code_field(self.fields["code"])


def dress_code_field(field: forms.Field) -> None:
    """Label the field of a second factor's code, and let browsers and phones fill it in."""
    field.label = _("Code")
    field.help_text = _("Six digits from your authenticator app, or one of your recovery codes.")
    field.widget.attrs.update({"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True})
    field.widget.attrs.pop("placeholder", None)


class ForgottenPasswordForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail"),
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
        error_messages={"invalid": _("Enter your full e-mail address, for example name@company.com.")},
    )


class NewPasswordForm(forms.Form):
    """A password, twice. Rules are shown before they are broken."""

    password1 = forms.CharField(
        label=_("New password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "autofocus": True, "data-strength": ""}),
        help_text=_("At least 10 characters. A few words are easier to remember and harder to guess than symbols."),
    )
    password2 = forms.CharField(
        label=_("Confirm new password"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)

    def clean_password1(self) -> str:
        password: str = self.cleaned_data["password1"]
        password_validation.validate_password(password, self.user)
        return password

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, second = cleaned.get("password1"), cleaned.get("password2")
        if first and second and first != second:
            self.add_error("password2", _("The passwords don't match. Enter the same password twice."))
        return cleaned
