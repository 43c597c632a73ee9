"""Forms of payment methods and unverified limits."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.money.amounts import to_minor
from crm.ui.forms import DayInput
from wallet.choices.psp import PspKind
from wallet.core.forms import BrandForm


class TryOutForm(forms.Form):
    """For which client, currency and amount the offers are shown."""

    client = forms.IntegerField(label=_("Client number"), min_value=1)
    currency = forms.CharField(label=_("Currency"), max_length=5)
    amount = forms.DecimalField(label=_("Amount"), required=False, min_value=0, max_digits=18, decimal_places=8)

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"].strip().upper()
        return currency


class UnverifiedRuleForm(BrandForm):
    """A dated rule for the deposits of clients who aren't verified."""

    valid_from = forms.DateField(label=_("From"), widget=DayInput())
    maximum = forms.DecimalField(label=_("Total deposit limit"), min_value=0, decimal_places=2)
    kinds = forms.MultipleChoiceField(
        label=_("Allowed payment methods"), choices=PspKind.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    own_name_only = forms.BooleanField(label=_("Only from accounts in the client's name"), required=False)
    low_risk_only = forms.BooleanField(label=_("Low-risk clients only"), required=False)
    needs_profile = forms.BooleanField(label=_("Require personal details first"), required=False)
    days = forms.IntegerField(label=_("Days from first deposit"), min_value=1, max_value=365, required=False)
    source = forms.CharField(label=_("Legal source"), max_length=300)

    def terms(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        brand, maximum = data.pop("brand"), data.pop("maximum")
        return {**data, "maximum_minor": to_minor(maximum, brand.base_currency)}
