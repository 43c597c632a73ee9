"""The form that proposes rules for one or many countries."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.choices import CountryBand, Gate
from clients.country_rules import listing
from clients.country_rules.rules import rule_of
from crm.brand_policies.registry import today
from crm.models import Brand
from crm.ui.forms import DayInput


class CountryRulesForm(forms.Form):
    """`codes` and `band` are what `propose_country_rules` takes; an empty band goes back to the default."""

    countries = forms.MultipleChoiceField(label=_("Countries"), choices=listing.choices)
    band = forms.ChoiceField(label=_("Risk band"), choices=[*CountryBand.choices, ("", _("Default"))], required=False)
    accepted = forms.MultipleChoiceField(
        label=_("Accepted for"),
        choices=Gate.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("Withdrawals that aren't accepted are reviewed by a person. Ignored with the default."),
    )
    effective_on = forms.DateField(label=_("Effective from"), widget=DayInput())
    reason = forms.CharField(label=_("Reason"), max_length=300)

    def __init__(self, data: Any = None, *, brand: Brand, slugs: list[str]) -> None:
        rule = rule_of(brand, listing.code_of(slugs[0]) if slugs else "")
        start = {"countries": slugs, "band": rule.band, "accepted": rule.gates, "effective_on": today(brand)}
        super().__init__(data, initial=start)

    @property
    def codes(self) -> list[str]:
        return [listing.code_of(slug) for slug in self.cleaned_data["countries"]]

    @property
    def day(self) -> dt.date:
        day: dt.date = self.cleaned_data["effective_on"]
        return day
