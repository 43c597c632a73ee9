"""The form that changes one policy: its value, the day from which it holds, and why."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Policy
from crm.brand_policies.registry import today
from crm.models import Brand
from crm.ui.forms import DayInput


class PolicyForm(forms.Form):
    """`cleaned_data["value"]` is what the policy's kind takes; None goes back to the default."""

    value = forms.Field()
    effective_on = forms.DateField(label=_("Effective from"), widget=DayInput())
    reason = forms.CharField(label=_("Reason"), max_length=300)
    to_default = forms.BooleanField(label=_("Go back to the default"), required=False)

    def __init__(self, data: Any = None, *, policy: Policy[Any], brand: Brand) -> None:
        day = today(brand)
        start = {"value": policy.kind.initial(policy.stored(brand, day), brand), "effective_on": day}
        super().__init__(data, initial=start)
        self.policy, self.brand = policy, brand
        self.fields["value"] = policy.kind.field(brand)
        self.fields["value"].label = str(policy.label)
        if policy.segment:
            self.fields["to_default"].label = str(_("Go back to the brand's value"))
        if self.is_bound and self.data.get("to_default"):
            self.fields["value"].required = False

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("to_default"):
            data["value"] = None
        elif "value" in data:
            data["value"] = self.policy.kind.entered(data["value"], self.brand)
        return data

    @property
    def day(self) -> dt.date:
        day: dt.date = self.cleaned_data["effective_on"]
        return day
