"""Forms that set PSPs up: their keys as the adapter names them, and the ways to pay that they bring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.validators import MaxValueValidator
from django.db.models import QuerySet
from django.utils.text import format_lazy, slugify
from django.utils.translation import gettext_lazy as _

from clients.vocabulary import CLIENT
from crm.errors import outcome_of
from crm.models import Brand
from crm.money.amounts import exponent, from_minor, to_minor
from crm.ui.conditions import ConditionField
from crm.ui.forms import ModelForm
from wallet.models import PaymentMethod, Psp
from wallet.models.psp import FEE_BASIS_POINTS_MAX
from wallet.psp import adapter_class, adapter_of
from wallet.psp.addresses import stored_secrets
from wallet.psp.base import BaseAdapter
from wallet.psp.setup import require_address
from wallet.psp.values import Key, Method, PayBy

KEPT = _("Stored. Leave empty to keep it.")
OLD_SECRET = _("The previous secret stays valid until the next change.")
ADDRESS_HELP = _("Leave empty for the provider's default. “sandbox:code” is a PSP of the sandbox.")
CURRENCIES = ("EUR", "USD", "GBP", "CHF", "JPY")


def key_field(key: Key, *, stored: str = "") -> forms.Field:
    """Make the form's field of one credential.

    A secret is written and never shown: an empty field keeps the stored one.
    """
    if key.choices:
        return forms.ChoiceField(
            label=str(key.label),
            choices=key.choices,
            initial=stored or key.choices[0][0],
            help_text=str(key.help_text),
            required=False,
        )
    hints = [key.help_text] if key.help_text else []
    if key.is_secret and stored:
        hints.append(KEPT)
        if key.name.endswith("webhook_secret"):
            hints.append(OLD_SECRET)
    # "off" is not heeded for passwords: a browser would fill in the one that it knows for this site, over the stored key.
    return forms.CharField(
        label=str(key.label),
        required=key.is_required and not stored,
        strip=True,
        initial="" if key.is_secret else stored,
        help_text=format_lazy(" · ".join(["{}"] * len(hints)), *hints) if hints else "",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}) if key.is_secret else forms.TextInput(),
    )


class KeyedForm(forms.Form):
    """What both forms have: fields made of an adapter's keys, and what was filled into them."""

    named: Sequence[Key] = ()

    def add_key_fields(self, keys: Sequence[Key], stored: dict[str, Any]) -> None:
        self.named = keys
        for key in keys:
            self.fields[key.name] = key_field(key, stored=str(stored.get(key.name) or ""))

    def clean_base_url(self) -> str:
        text: str = self.cleaned_data["base_url"].strip()
        if text and not text.startswith("sandbox:") and not _is_address(text):
            raise forms.ValidationError(_("Enter an address that starts with https://, or leave it empty."))
        allowed = outcome_of(lambda: require_address(text))
        if not allowed:
            raise forms.ValidationError(allowed.message)
        return text

    def ask_again(self) -> None:
        """Ask for secrets again in a form that comes back with an error: they aren't sent back to the browser."""
        for key in self.named:
            if key.is_secret and self.data.get(self.add_prefix(key.name)) and key.name not in self.errors:
                self.add_error(key.name, _("Enter it again: secrets aren't sent back to the browser."))

    def keys(self) -> dict[str, str]:
        """Collect the secrets that were filled in, and all other keys, empty ones too."""
        values = {key.name: self.cleaned_data.get(key.name, "") for key in self.named}
        return {key.name: values[key.name] for key in self.named if values[key.name] or not key.is_secret}


class PspForm(KeyedForm, ModelForm[Psp]):
    """Set-up of a PSP that is there."""

    class Meta:
        model = Psp
        fields = ("name", "is_enabled", "reserve_days")
        labels = {"name": _("Name"), "is_enabled": _("In use"), "reserve_days": _("Days until a reserve is due")}
        help_texts = {"reserve_days": _("Reserves held longer become breaks. Applies to new reserves only.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reserve_days"].required = False
        self.add_key_fields(adapter_of(self.instance).keys, self.instance.credentials)

    def values(self) -> dict[str, Any]:
        """Collect what `configure_psp` takes."""
        values = {name: self.cleaned_data[name] for name in self.Meta.fields}
        return {name: value for name, value in values.items() if value is not None}


class AddressForm(KeyedForm):
    """Where a PSP shall answer from now on, and why."""

    base_url = forms.CharField(label=_("New API address"), max_length=200, required=False, help_text=ADDRESS_HELP)
    reason = forms.CharField(label=_("Reason"), max_length=300)


class ApproveAddressForm(KeyedForm):
    """Every secret that is stored, typed again by the second person."""

    def __init__(self, *args: Any, psp: Psp, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_key_fields(stored_secrets(psp), {})
        for key in self.named:
            self.fields[key.name].required = True


class NewPspForm(KeyedForm):
    """A new PSP: whose it is, its keys, and which of its methods are offered."""

    brand: forms.ModelChoiceField[Brand] = forms.ModelChoiceField(queryset=None, label=_("Brand"), empty_label=None)
    name = forms.CharField(label=_("Name"), max_length=60, help_text=_("Shown to staff"))
    code = forms.SlugField(
        label=_("Code"),
        max_length=30,
        required=False,
        help_text=_("Part of the webhook's address; empty: generated from the name"),
    )
    base_url = forms.CharField(label=_("API address"), max_length=200, required=False, help_text=ADDRESS_HELP)
    currencies = forms.CharField(
        label=_("Currencies"), initial=", ".join(CURRENCIES[:2]), help_text=_("Separate codes with commas")
    )
    methods = forms.MultipleChoiceField(
        label=_("Payment methods"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("Set limits, fees, countries and order for each method afterwards"),
    )

    def __init__(self, *args: Any, adapter: str, brands: QuerySet[Brand], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.adapter = adapter
        known = known_methods(adapter)
        self.fields["brand"].queryset = brands  # type: ignore[attr-defined]
        self.fields["name"].initial = title_of(adapter)
        methods = self.fields["methods"]
        methods.choices = [(method.code, method.label) for method in known]  # type: ignore[attr-defined]
        # Fields on our own page need a public key that not every merchant has: those who have it tick them.
        methods.initial = [method.code for method in known if method.pay_by != PayBy.HOSTED_FIELDS]
        if len(known) == 1 and not known[0].code:
            del self.fields["methods"]
        self.add_key_fields(adapter_class(adapter).keys, {})
        self.order_fields(
            ["brand", "name", *(key.name for key in self.named), "currencies", "methods", "code", "base_url"]
        )

    def clean_code(self) -> str:
        code: str = (self.cleaned_data.get("code") or slugify(self.cleaned_data.get("name", "")))[:30]
        if not code:
            raise forms.ValidationError(_("Enter a code of letters and digits."))
        if Psp.objects.filter(code=code).exists():
            raise forms.ValidationError(_("“%(code)s” is already taken. Choose another code.") % {"code": code})
        return code

    def clean_currencies(self) -> list[str]:
        return currency_codes(self.cleaned_data["currencies"])

    def method_codes(self) -> list[str]:
        return self.cleaned_data["methods"] if "methods" in self.fields else [""]


class MethodForm(ModelForm[PaymentMethod]):
    """One way to pay: for whom, for how much, at which fee, in which order."""

    currencies = forms.CharField(label=_("Currencies"), help_text=_("Separate codes with commas"))
    condition = ConditionField(CLIENT, label=_("Offered to clients where"))
    minor_fields = (
        "deposit_minimum",
        "deposit_maximum",
        "payout_minimum",
        "payout_maximum",
        "deposit_fee_fixed",
        "payout_fee_fixed",
    )

    class Meta:
        model = PaymentMethod
        fields = (
            "label",
            "is_enabled",
            "takes_deposits",
            "pays_out",
            "condition",
            "deposit_fee_basis_points",
            "payout_fee_basis_points",
            "minutes",
            "position",
            "fallback_group",
        )
        labels = {
            "label": _("Name shown to clients"),
            "is_enabled": _("Offered"),
            "takes_deposits": _("For deposits"),
            "pays_out": _("For withdrawals"),
            "deposit_fee_basis_points": _("Deposit fee in basis points"),
            "payout_fee_basis_points": _("Withdrawal fee in basis points"),
            "minutes": _("Processing time in minutes"),
            "position": _("Order"),
            "fallback_group": _("Fallback group"),
        }
        help_texts = {
            "deposit_fee_basis_points": _("Paid by the client; 100 is 1 %"),
            "payout_fee_basis_points": _("Paid by the client; 100 is 1 %"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        base = self.instance.psp.brand.base_currency
        labels = {
            "deposit_minimum": _("Minimum deposit"),
            "deposit_maximum": _("Maximum deposit"),
            "payout_minimum": _("Minimum withdrawal"),
            "payout_maximum": _("Maximum withdrawal"),
            "deposit_fee_fixed": _("Fixed deposit fee"),
            "payout_fee_fixed": _("Fixed withdrawal fee"),
        }
        for name in self.minor_fields:
            self.fields[name] = forms.DecimalField(
                label=labels[name],
                min_value=0,
                max_digits=15,
                decimal_places=exponent(base),
                help_text=base,
                initial=from_minor(getattr(self.instance, f"{name}_minor"), base),
            )
        for name in ("deposit_fee_basis_points", "payout_fee_basis_points"):
            self.fields[name].validators.append(MaxValueValidator(FEE_BASIS_POINTS_MAX))
            self.fields[name].widget.attrs["max"] = FEE_BASIS_POINTS_MAX
        self.initial["currencies"] = ", ".join(self.instance.currencies)
        self.order_fields(
            [
                "label",
                "is_enabled",
                "takes_deposits",
                "pays_out",
                "currencies",
                "condition",
                "deposit_minimum",
                "deposit_maximum",
                "deposit_fee_basis_points",
                "deposit_fee_fixed",
                "payout_minimum",
                "payout_maximum",
                "payout_fee_basis_points",
                "payout_fee_fixed",
            ]
        )

    def clean_currencies(self) -> list[str]:
        return currency_codes(self.cleaned_data["currencies"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for way in ("deposit", "payout"):
            low, high = data.get(f"{way}_minimum"), data.get(f"{way}_maximum")
            if low is not None and high is not None and not 0 < low <= high:
                self.add_error(f"{way}_maximum", _("The maximum must be above zero and not below the minimum."))
        return data

    def values(self) -> dict[str, Any]:
        """Collect what `configure_method` takes: amounts in minor units of the brand's base currency."""
        base = self.instance.psp.brand.base_currency
        plain = {name: self.cleaned_data[name] for name in (*self.Meta.fields, "currencies")}
        return plain | {f"{name}_minor": to_minor(self.cleaned_data[name], base) for name in self.minor_fields}


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 — reading it checks it
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname) and not any(letter.isspace() for letter in text)


def currency_codes(text: str) -> list[str]:
    """Read currency codes separated by commas, at least one, without doubles.

    Raises: ValidationError.
    """
    codes = [code.strip().upper() for code in text.split(",") if code.strip()]
    if not codes:
        raise forms.ValidationError(_("Enter at least one currency."))
    if wrong := [code for code in codes if not (code.isascii() and code.isalnum() and 3 <= len(code) <= 5)]:
        raise forms.ValidationError(_("“%(code)s” is not a currency code.") % {"code": wrong[0]})
    return list(dict.fromkeys(codes))


def title_of(adapter: str) -> str:
    """Look up a provider's name."""
    return str(adapter_class(adapter).title or adapter.title())


def known_methods(adapter: str) -> tuple[Method, ...]:
    """List the payment methods of a provider that isn't set up yet."""
    provider: BaseAdapter = adapter_class(adapter)(Psp(adapter=adapter, kind="card", code=adapter))
    return provider.methods
