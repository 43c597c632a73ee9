"""Set-up forms of account types and leverage caps."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.utils.translation import gettext_lazy as _

from clients.choices import Category
from clients.countries import country_choices
from crm.models import Brand, User
from crm.security.scope import reach_of
from crm.ui.forms import DayInput, ModelForm
from trading.choices import InstrumentClass
from trading.models import AccountType


class CountriesField(SimpleArrayField):
    """Two-letter codes with commas between them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(forms.CharField(max_length=2), **{"required": False, **kwargs})

    def clean(self, value: Any) -> list[str]:
        codes = sorted({code.strip().upper() for code in super().clean(value) or [] if code.strip()})
        known = {code for code, _name in country_choices()}
        strange = [code for code in codes if code not in known]
        if strange:
            raise forms.ValidationError(
                _("Unknown country code: %(codes)s. Use two letters, e.g. DE, AT.") % {"codes": ", ".join(strange)}
            )
        return codes


class AccountTypeForm(ModelForm[AccountType]):
    leverages = SimpleArrayField(
        forms.IntegerField(min_value=1, max_value=500),
        label=_("Leverages"),
        help_text=_("1:n, e.g. 10, 20, 30"),
        error_messages={"item_invalid": _("Item %(nth)s isn't a leverage from 1 to 500:")},
    )
    countries = CountriesField(label=_("Countries"), help_text=_("Codes, e.g. DE, AT. Leave empty for all countries."))
    excluded_countries = CountriesField(
        label=_("Excluded countries"), help_text=_("Codes of countries to remove from the list before")
    )

    class Meta:
        model = AccountType
        fields = (
            "brand",
            "name",
            "kind",
            "server",
            "group",
            "currency",
            "leverages",
            "default_leverage",
            "min_deposit",
            "spread_from",
            "commission_per_lot",
            "execution",
            "is_swap_free",
            "kyc_level",
            "countries",
            "excluded_countries",
            "position",
            "is_default",
            "is_enabled",
            "asks_for_passwords",
        )
        labels = {
            "brand": _("Brand"),
            "name": _("Name"),
            "kind": _("Kind"),
            "server": _("Trading server"),
            "group": _("Group"),
            "currency": _("Currency"),
            "default_leverage": _("Default leverage"),
            "min_deposit": _("Minimum deposit"),
            "spread_from": _("Spread from (pips)"),
            "commission_per_lot": _("Commission per lot"),
            "execution": _("Execution"),
            "is_swap_free": _("Swap-free"),
            "kyc_level": _("KYC level"),
            "position": _("Sort order"),
            "is_default": _("Opens automatically"),
            "is_enabled": _("Offered"),
            "asks_for_passwords": _("Review password requests"),
        }
        help_texts = {
            "group": _("Exactly as on the platform, e.g. real\\standard-EUR or LIVE_STANDARD_EUR"),
            "currency": _("The group's currency"),
            "default_leverage": _("One of the leverages, applied when none is chosen"),
            "min_deposit": _("In the account's currency; 0 for none"),
            "spread_from": _("Shown to clients when they compare account types. Leave empty to hide it."),
            "commission_per_lot": _(
                "In the account's currency, opened and closed. 0 for none; leave empty to hide it."
            ),
            "position": _("Lists show the lowest number first"),
            "is_enabled": _("When off, no new accounts are opened; existing accounts stay"),
        }

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        brands = Brand.objects.filter(pk__in=reach_of(user).brands).order_by("name")
        self.fields["brand"].queryset = brands  # type: ignore[attr-defined]
        if self.instance.pk:
            self.fields["brand"].disabled = True
            minimum = self.instance.min_deposit
            self.initial["min_deposit"] = f"{minimum.normalize():f}" if minimum else "0"

    def _post_clean(self) -> None:
        """Leave the instance alone: the verb writes the row and checks it, the form only reads what was typed."""


class CapForm(forms.Form):
    """A line of a regulator's rule, from a day on."""

    authority = forms.CharField(label=_("Regulator"), max_length=20)
    countries = CountriesField(label=_("Countries"), required=True, help_text=_("Codes, e.g. DE, AT"))
    category = forms.ChoiceField(label=_("Client category"), choices=Category.choices)
    instrument_class = forms.ChoiceField(label=_("Instruments"), choices=InstrumentClass.choices)
    leverage = forms.IntegerField(
        label=_("Maximum leverage"), min_value=0, max_value=500, help_text=_("Enter 0 if it may not be offered")
    )
    valid_from = forms.DateField(label=_("First day"), widget=DayInput())
    valid_until = forms.DateField(label=_("Last day"), required=False, widget=DayInput())
    source = forms.CharField(label=_("Source"), max_length=200)
