"""The form that proposes rules for one or many countries."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.choices import CountryBand, Gate, Product
from clients.country_rules import listing
from clients.country_rules.rules import NOT_FOR_RETAIL, Limits, rule_of
from clients.models.country_rules import CountryRuleProposal, CountryTerms
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
    minimum_age = forms.IntegerField(
        label=_("Minimum age"),
        min_value=CountryTerms.AGE_MIN,
        max_value=CountryTerms.AGE_MAX,
        required=False,
        help_text=_("For registration, deposits and trading accounts. Empty: the brand's minimum age."),
    )
    approval_age = forms.IntegerField(
        label=_("Exemption needed from age"),
        min_value=CountryTerms.AGE_MIN + 1,
        max_value=CountryTerms.AGE_MAX,
        required=False,
        help_text=_("From this age, deposits and trading accounts need an exemption that two people approved."),
    )
    not_for_retail = forms.MultipleChoiceField(
        label=NOT_FOR_RETAIL, choices=Product.choices, widget=forms.CheckboxSelectMultiple, required=False
    )
    not_offered = forms.MultipleChoiceField(
        label=_("Not offered"), choices=Product.choices, widget=forms.CheckboxSelectMultiple, required=False
    )
    product_age = forms.IntegerField(
        label=_("Products offered from age"),
        min_value=CountryTerms.AGE_MIN + 1,
        max_value=CountryTerms.AGE_MAX,
        required=False,
        help_text=_("Below it, the products chosen beside it aren't offered. Empty: no age of their own."),
    )
    not_below_age = forms.MultipleChoiceField(
        label=_("Not offered below that age"),
        choices=Product.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    effective_on = forms.DateField(label=_("Effective from"), widget=DayInput())
    reason = forms.CharField(label=_("Reason"), max_length=300)

    def __init__(self, data: Any = None, *, brand: Brand, slugs: list[str]) -> None:
        rule = rule_of(brand, listing.code_of(slugs[0]) if slugs else "")
        start = {"countries": slugs, "band": rule.band, "accepted": rule.gates, "effective_on": today(brand)}
        start |= rule.limits.body()
        super().__init__(data, initial=start)

    @property
    def codes(self) -> list[str]:
        return [listing.code_of(slug) for slug in self.cleaned_data["countries"]]

    @property
    def limits(self) -> Limits:
        return Limits(
            self.cleaned_data["minimum_age"],
            self.cleaned_data["approval_age"],
            frozenset(self.cleaned_data["not_offered"]),
            frozenset(self.cleaned_data["not_for_retail"]),
            self.cleaned_data["product_age"],
            frozenset(self.cleaned_data["not_below_age"]),
        )

    @property
    def terms(self) -> CountryRuleProposal:
        """What was entered, unsaved, for the preview."""
        data = self.cleaned_data
        limits = self.limits.body() if data["band"] else {}
        accepted = data["accepted"] if data["band"] else []
        return CountryRuleProposal(band=data["band"], accepted=accepted, effective_on=self.day, **limits)

    @property
    def day(self) -> dt.date:
        day: dt.date = self.cleaned_data["effective_on"]
        return day
