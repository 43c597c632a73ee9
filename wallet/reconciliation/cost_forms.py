"""The form of what a PSP charges."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.money.amounts import from_minor, to_minor
from crm.ui.forms import DayInput
from wallet.choices.reconciliation import RowType
from wallet.psp.forms import currency_codes
from wallet.reconciliation.costs import BASIS_POINTS_MAX, TYPES, Terms


class TermsForm(forms.Form):
    """Amounts in the currency of the terms, with as many decimals as it has."""

    type = forms.ChoiceField(
        label=_("Applies to"),
        choices=[(str(kind), RowType(kind).label) for kind in TYPES],
        widget=forms.Select({"autofocus": True}),
    )
    currency = forms.CharField(label=_("Currency"), max_length=20)
    percent = forms.DecimalField(
        label=_("Percentage of the amount"), min_value=0, max_value=BASIS_POINTS_MAX // 100, decimal_places=4, initial=0
    )
    fixed = forms.DecimalField(label=_("Fixed amount each"), min_value=0, max_digits=15, decimal_places=8, initial=0)
    tolerance = forms.DecimalField(
        label=_("Tolerance"),
        min_value=0,
        max_digits=15,
        decimal_places=8,
        required=False,
        help_text=_("For rounding; empty: the currency's smallest unit"),
    )
    valid_from = forms.DateField(label=_("From"), widget=DayInput())
    reason = forms.CharField(label=_("Agreed in"), max_length=300, help_text=_("For example the contract and clause"))

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["valid_from"].initial = today

    def clean_currency(self) -> str:
        codes = currency_codes(self.cleaned_data["currency"])
        if len(codes) > 1:
            raise forms.ValidationError(_("Enter one currency only. Each currency has its own terms."))
        return codes[0]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        currency = data.get("currency")
        if currency and data.get("tolerance") is None and "tolerance" not in self.errors:
            data["tolerance"] = from_minor(1, currency)
        for name in ("fixed", "tolerance"):
            amount = data.get(name)
            if currency and amount is not None and not _is_whole(amount, currency):
                self.add_error(name, _("Too many decimal places for %(currency)s.") % {"currency": currency})
        return data

    def terms(self) -> Terms:
        data = self.cleaned_data
        return Terms(
            type=data["type"],
            currency=data["currency"],
            basis_points=data["percent"] * 100,
            fixed_minor=to_minor(data["fixed"], data["currency"]),
            tolerance_minor=to_minor(data["tolerance"], data["currency"]),
            valid_from=data["valid_from"],
        )


def _is_whole(amount: Decimal, currency: str) -> bool:
    try:
        to_minor(amount, currency)
    except ValueError:
        return False
    return True
