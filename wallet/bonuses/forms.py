"""Forms of bonuses and their plans."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.models import Segment
from crm.models import Brand
from crm.money.amounts import to_minor
from crm.ui.forms import DayInput
from wallet.choices.bonuses import BonusTrigger, OnWithdrawal, ReleaseBy
from wallet.core.forms import BrandForm
from wallet.models import BonusPlan


class GrantForm(forms.Form):
    request_key = forms.CharField(max_length=60, widget=forms.HiddenInput)
    plan = forms.ModelChoiceField(BonusPlan.objects.none(), label=_("Plan"), empty_label=None)
    amount = forms.DecimalField(label=_("Amount"), min_value=0, max_digits=18, decimal_places=2)
    currency = forms.CharField(label=_("Currency"), max_length=5)
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["plan"].queryset = BonusPlan.objects.filter(brand=brand, is_enabled=True)  # type: ignore[attr-defined]

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"].strip().upper()
        return currency


class BonusReturnForm(forms.Form):
    """Whether credit that a chargeback took is restored, now that the dispute is won."""

    restores = forms.TypedChoiceField(
        label=_("Outcome"),
        coerce=lambda value: value == "yes",
        choices=[("yes", _("Restore bonus")), ("no", _("Don't restore bonus"))],
    )
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class PlanForm(BrandForm):
    name = forms.CharField(label=_("Name"), max_length=60)


class RuleForm(forms.Form):
    """A plan's terms from a day on. Amounts in the brand's base currency."""

    valid_from = forms.DateField(label=_("From"), widget=DayInput())
    trigger = forms.ChoiceField(label=_("Granted for"), choices=BonusTrigger.choices)
    percent = forms.DecimalField(
        label=_("Percentage of deposit"), min_value=0, max_value=200, decimal_places=2, initial=0
    )
    maximum = forms.DecimalField(label=_("Maximum per client"), min_value=0, max_digits=18, decimal_places=2)
    deposit_minimum = forms.DecimalField(label=_("Minimum deposit"), min_value=0, decimal_places=2, initial=0)
    segment = forms.ModelChoiceField(
        Segment.objects.none(), label=_("Only for the segment"), required=False, empty_label=_("All clients")
    )
    release_by = forms.ChoiceField(label=_("Release condition"), choices=ReleaseBy.choices)
    lots_per_hundred = forms.DecimalField(label=_("Lots per 100"), min_value=0, decimal_places=2, required=False)
    release_days = forms.IntegerField(label=_("Days until release"), min_value=1, max_value=3650, required=False)
    expires_days = forms.IntegerField(label=_("Expires after (days)"), min_value=1, max_value=3650, required=False)
    on_withdrawal = forms.ChoiceField(
        label=_("On withdrawal"), choices=OnWithdrawal.choices, initial=OnWithdrawal.PROPORTIONAL
    )
    four_eyes = forms.DecimalField(label=_("Second approval above"), min_value=0, decimal_places=2, initial=100)

    def __init__(self, *args: Any, plan: BonusPlan, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plan = plan
        self.fields["segment"].queryset = Segment.objects.filter(  # type: ignore[attr-defined]
            brand=plan.brand_id, archived_at=None
        ).order_by("name")
        self.fields["valid_from"].initial = timezone.now().date()

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("trigger") != BonusTrigger.BY_HAND and not values.get("percent"):
            self.add_error("percent", _("Enter the percentage of the deposit that the campaign grants."))
        if values.get("release_by") == ReleaseBy.LOTS and not values.get("lots_per_hundred"):
            self.add_error("lots_per_hundred", _("Enter how many lots release 100."))
        if values.get("release_by") == ReleaseBy.DAYS and not values.get("release_days"):
            self.add_error("release_days", _("Enter the number of days until release."))
        if values.get("maximum") == 0:
            self.add_error("maximum", _("Enter an amount above zero."))
        return values

    def terms(self) -> dict[str, Any]:
        base, data = self.plan.brand.base_currency, self.cleaned_data
        by = data["release_by"]
        return {
            **{
                name: data[name]
                for name in (
                    "valid_from",
                    "trigger",
                    "percent",
                    "segment",
                    "release_by",
                    "expires_days",
                    "on_withdrawal",
                )
            },
            "lots_per_hundred": data["lots_per_hundred"] if by == ReleaseBy.LOTS else None,
            "release_days": data["release_days"] if by == ReleaseBy.DAYS else None,
            **{f"{name}_minor": to_minor(data[name], base) for name in ("maximum", "deposit_minimum", "four_eyes")},
        }
