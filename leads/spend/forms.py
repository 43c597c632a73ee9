"""Forms of spend: some days by hand, or a file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.models import Brand, User
from crm.ui.forms import DayInput
from leads.models import Campaign
from leads.setup_forms import brands_of


class SpendForm(forms.Form):
    """What a campaign cost on some days."""

    campaign = forms.ModelChoiceField(label=_("Campaign"), queryset=Campaign.objects.none())
    first = forms.DateField(label=_("From"), widget=DayInput())
    last = forms.DateField(label=_("To (inclusive)"), widget=DayInput())
    amount = forms.DecimalField(
        label=_("Cost"),
        min_value=0,
        max_digits=12,
        decimal_places=2,
        help_text=_("For all these days together, in the brand's base currency. 0 removes what was entered for them."),
    )

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaigns = Campaign.objects.filter(brand__in=brands_of(actor)).order_by("-is_active", "name")
        self.fields["campaign"].queryset = campaigns  # type: ignore[attr-defined]


class SpendFileForm(forms.Form):
    """A table of spend of a brand's campaigns."""

    file = forms.FileField(label=_("File"))
    brand = forms.ModelChoiceField(label=_("Brand"), queryset=Brand.objects.none())

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["brand"].queryset, fields["brand"].initial = brands_of(actor), actor.brand_id
