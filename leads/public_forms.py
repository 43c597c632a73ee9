"""Forms of the leads app: the public one, and those of sales."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.canonical import canonical_phone
from clients.countries import country_choices
from clients.custom_fields.forms import HasCustomFields
from clients.models import CustomField
from leads.choices import Experience
from leads.declared.declaration import INTENDED_MAX
from leads.models import LandingPage


class EnquiryForm(HasCustomFields):
    """The form of a landing page. Errors say what to write; what was typed stays."""

    first_name = forms.CharField(
        label=gettext_lazy("First name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "given-name"})
    )
    last_name = forms.CharField(
        label=gettext_lazy("Last name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "family-name"})
    )
    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )
    country = forms.ChoiceField(label=gettext_lazy("Country"), widget=forms.Select(attrs={"autocomplete": "country"}))
    phone = forms.CharField(
        label=gettext_lazy("Phone"),
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )
    experience = forms.ChoiceField(label=gettext_lazy("Trading experience (optional)"), required=False)
    intended_deposit = forms.DecimalField(
        label=gettext_lazy("Intended deposit (optional)"),
        required=False,
        min_value=1,
        max_value=INTENDED_MAX,
        decimal_places=2,
        widget=forms.NumberInput(attrs={"inputmode": "decimal"}),
    )
    message = forms.CharField(
        label=gettext_lazy("Your question (optional)"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    contact = forms.BooleanField(
        label=gettext_lazy("You may contact me by phone or e-mail about this enquiry."),
        error_messages={"required": gettext_lazy("We need your consent to reply.")},
    )
    offers = forms.BooleanField(
        label=gettext_lazy("Also send me market news and offers. I can unsubscribe at any time."), required=False
    )

    def __init__(
        self,
        *args: Any,
        page: LandingPage,
        custom: Iterable[CustomField] = (),
        required: Collection[int] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.add_custom(custom, required=required)
        self._ask_what_is_declared(page)
        country: Any = self.fields["country"]
        country.choices = country_choices(blank=_("Choose"))

    def _ask_what_is_declared(self, page: LandingPage) -> None:
        """Leave the questions in that the page asks; amounts are in the brand's base currency."""
        fields: Any = self.fields
        fields["experience"].choices = [("", "–"), *Experience.choices]
        fields["intended_deposit"].help_text = page.brand.base_currency
        if not page.asks_experience:
            del fields["experience"]
        if not page.asks_deposit:
            del fields["intended_deposit"]

    @property
    def declared_inputs(self) -> list[BoundField]:
        """List the questions about experience and deposit that the page asks."""
        return [self[name] for name in ("experience", "intended_deposit") if name in self.fields]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("phone") and data.get("country"):
            number = canonical_phone(data["phone"], data["country"])
            if number:
                data["phone"] = number
            else:
                self.add_error(
                    "phone",
                    ValidationError(
                        _("Enter a valid phone number: as you dial it, or starting with + and the country code.")
                    ),
                )
        return data
