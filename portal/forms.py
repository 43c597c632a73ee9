"""Forms of the client portal. Each error says what to do; what was typed stays, except passwords."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from clients.canonical import canonical_phone
from crm.accounts import login_name
from crm.accounts.forms import PasswordSignInForm
from crm.models import Brand, User
from crm.texts.wording import Wording
from ib.attribution import link_of
from leads.capture import clean_email
from portal import eligibility
from portal.choices import REQUIRED_CONSENTS, ConsentKind

LATEST_BIRTH_YEARS = 16


class BrandSignInForm(PasswordSignInForm):
    """Clients and partners of one brand."""

    def __init__(self, *args: Any, brand: Brand, for_partners: bool = False, **kwargs: Any) -> None:
        self.brand, self.for_partners = brand, for_partners
        super().__init__(*args, **kwargs)

    def username(self, email: str) -> str:
        return login_name(brand=self.brand, email=email, for_partners=self.for_partners)

    def may_sign_in_here(self, user: User) -> bool:
        return not user.is_team and user.brand_id == self.brand.pk


class ConfirmPasswordForm(forms.Form):
    """Who confirms an e-mail in another browser than the one that registered shows that the password is theirs."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text=_("The password you chose when you registered."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)

    def clean_password(self) -> str:
        if not self.user.check_password(self.cleaned_data["password"]):
            raise forms.ValidationError(
                _("This isn't the password you registered with. If you didn't choose one, choose a new one below.")
            )
        password: str = self.cleaned_data["password"]
        return password


class DateOfBirthWidget(forms.DateInput):
    """The browser's own date field, bounded to dates that people are born on."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        today = timezone.now().date()
        bounds = {
            "min": f"{today.year - eligibility.OLDEST_AGE}-01-01",
            "max": today.replace(year=today.year - LATEST_BIRTH_YEARS, day=1).isoformat(),
            "autocomplete": "bday",
        }
        super().__init__({**bounds, **(attrs or {})}, format="%Y-%m-%d")


class RegistrationForm(forms.Form):
    """Who somebody is, how to reach them, a password, and what they agree to."""

    first_name = forms.CharField(
        label=_("First name"), max_length=80, widget=forms.TextInput({"autocomplete": "given-name"})
    )
    last_name = forms.CharField(
        label=_("Last name"), max_length=80, widget=forms.TextInput({"autocomplete": "family-name"})
    )
    email = forms.CharField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "email"}),
        help_text=_("You'll use it to sign in."),
    )
    phone = forms.CharField(
        label=_("Phone"),
        max_length=40,
        widget=forms.TextInput({"autocomplete": "tel", "inputmode": "tel"}),
        help_text=_("Include the country code, for example +49 151 12345678."),
    )
    country = forms.ChoiceField(label=_("Country of residence"), widget=forms.Select({"autocomplete": "country"}))
    date_of_birth = forms.DateField(label=_("Date of birth"), widget=DateOfBirthWidget)
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password", "data-strength": ""}),
        help_text=_("At least 10 characters. A few words are easier to remember and harder to guess than symbols."),
    )
    referral_code = forms.CharField(
        label=_("Referral code"),
        required=False,
        max_length=24,
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
        help_text=_("If a partner gave you one."),
    )

    def __init__(
        self, *args: Any, brand: Brand, texts: dict[ConsentKind, Wording], invited_email: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.brand, self.texts, self.invited_email = brand, texts, invited_email
        self.fields["country"].choices = [  # type: ignore[attr-defined]
            ("", gettext("Choose your country")),
            *eligibility.served_countries(brand),
        ]
        if invited_email:
            self.fields["email"].disabled = True
            self.fields["email"].initial = invited_email
            self.fields["email"].help_text = _("Your invitation was sent to this address.")
        for kind, text in texts.items():
            required = kind in REQUIRED_CONSENTS
            self.fields[f"consent_{kind.value}"] = forms.BooleanField(
                label=consent_label(brand, kind, text),
                required=required,
                widget=forms.CheckboxInput({"value": text.sha256}),
                error_messages={"required": _("Read and accept this to open an account.")},
            )

    @property
    def consent_fields(self) -> list[Any]:
        return [self[f"consent_{kind.value}"] for kind in self.texts]

    def clean_email(self) -> str:
        if self.invited_email:
            return self.invited_email
        email = clean_email(self.cleaned_data["email"])
        if not email:
            raise forms.ValidationError(_("Enter your full e-mail address, for example name@company.com."))
        return email

    def clean_referral_code(self) -> str:
        code: str = self.cleaned_data["referral_code"].lower()
        if code and link_of(self.brand.pk, code) is None:
            raise forms.ValidationError(_("No partner has this code. Check its spelling, or leave the field empty."))
        return code

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        obstacles = eligibility.problems(
            self.brand, country=cleaned.get("country", ""), date_of_birth=cleaned.get("date_of_birth")
        )
        for problem in obstacles:
            self.add_error(problem.field, problem.message)
        if cleaned.get("phone"):
            phone = canonical_phone(cleaned["phone"], cleaned.get("country", ""))
            if phone:
                cleaned["phone"] = phone
            else:
                self.add_error("phone", _("Enter a valid phone number, starting with the country code."))
        self._check_password(cleaned)
        self._check_texts()
        return cleaned

    def _check_texts(self) -> None:
        """Let nobody agree to words other than those they read: each box carries the hash of its text."""
        for kind, text in self.texts.items():
            ticked = self.data.get(self.add_prefix(f"consent_{kind.value}"))
            if ticked and ticked != text.sha256:
                changed = gettext("This text has changed since you opened the page. Read it and accept it again.")
                self.add_error(f"consent_{kind.value}", changed)

    def _check_password(self, cleaned: dict[str, Any]) -> None:
        if not cleaned.get("password"):
            return
        person = User(
            username=cleaned.get("email", ""),
            email=cleaned.get("email", ""),
            first_name=cleaned.get("first_name", ""),
            last_name=cleaned.get("last_name", ""),
        )
        try:
            validate_password(cleaned["password"], person)
        except forms.ValidationError as weak:
            self.add_error("password", weak)

    def given(self) -> list[Wording]:
        return [text for kind, text in self.texts.items() if self.cleaned_data.get(f"consent_{kind.value}")]

    def refused(self) -> list[Wording]:
        return [text for kind, text in self.texts.items() if not self.cleaned_data.get(f"consent_{kind.value}")]


def consent_label(brand: Brand, kind: ConsentKind, text: Wording) -> str:
    """Write the sentence beside the tick box, with the document behind it one click away."""
    if not text.body:
        return text.heading
    return format_html(
        '{} <a href="/b/{}/legal/{}/" target="_blank" rel="noopener">{}</a>',
        text.heading,
        brand.code,
        kind.value,
        pgettext("link", "Read"),
    )
