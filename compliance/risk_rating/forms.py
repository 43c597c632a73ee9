"""Forms of a model's factor, of its bands and caps, of its proposal, and of a client's own rating."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from clients.choices import RiskRating
from compliance.choices import RiskGroup
from compliance.risk_rating.content import LABEL_CHARS_MAX, POINTS_MAX, RANKS, Content, Factor, factor_problems
from compliance.risk_rating.vocabulary import risk_fields_for
from crm.brand_policies.registry import today
from crm.models import Brand
from crm.ui.conditions import ConditionField
from crm.ui.forms import DayInput


class FactorForm(forms.Form):
    """One factor, with the brand's custom fields in its condition. Without a name a shipped one keeps that of the release."""

    label = forms.CharField(label=_("Name"), max_length=LABEL_CHARS_MAX)
    group = forms.ChoiceField(label=_("Group"), choices=RiskGroup.choices)
    points = forms.IntegerField(
        label=_("Points"),
        min_value=-POINTS_MAX,
        max_value=POINTS_MAX,
        help_text=_("Negative points lower the risk. The sum never falls below 0."),
    )
    at_least = forms.ChoiceField(
        label=_("Always at least"),
        choices=[("", _("No minimum")), *((rank.value, rank.label) for rank in RANKS[1:])],
        required=False,
        help_text=_("Whatever the points, and above a rating that a person gave."),
    )

    def __init__(self, data: Any = None, *, brand: Brand, factor: Factor | None) -> None:
        start = {"group": RiskGroup.CLIENT.value, "points": 10}
        if factor is not None:
            start = {**factor.body(), "label": factor.name}
        super().__init__(data, initial=start)
        self.factor = factor
        self.vocabulary = risk_fields_for(brand.pk)
        self.fields["condition"] = ConditionField(self.vocabulary, label=_now("Counts for clients where"))

    def clean(self) -> dict[str, Any]:
        entered: dict[str, Any] = super().clean() or {}
        if not self.errors:
            for problem in factor_problems(self.entered, self.vocabulary):
                self.add_error(None, problem)
        return entered

    @property
    def entered(self) -> Factor:
        """The factor as entered."""
        values, old = self.cleaned_data, self.factor
        label = values["label"].strip()
        if old is not None and not old.label and label == old.name:
            label = ""  # still named by the release, in each reader's language
        return Factor(
            code=old.code if old is not None else "",
            group=values["group"],
            condition=values["condition"],
            points=values["points"],
            at_least=values["at_least"],
            label=label,
        )


class BandsForm(forms.Form):
    """From how many points on a client is a medium or high risk, and the most that a group of factors counts."""

    medium_from = forms.IntegerField(label=_("Medium from, points"), min_value=1, max_value=10_000)
    high_from = forms.IntegerField(label=_("High from, points"), min_value=2, max_value=10_000)

    def __init__(self, data: Any = None, *, content: Content) -> None:
        start = {"medium_from": content.medium_from, "high_from": content.high_from}
        super().__init__(data, initial=start)
        for group in RiskGroup:
            self.fields[f"cap_{group}"] = forms.IntegerField(
                label=_now("%(group)s: at most, points") % {"group": group.label},
                min_value=1,
                max_value=POINTS_MAX,
                required=False,
                initial=content.caps.get(group),
            )

    def clean(self) -> dict[str, Any]:
        entered: dict[str, Any] = super().clean() or {}
        if not self.errors and entered["medium_from"] >= entered["high_from"]:
            self.add_error("high_from", _now("High must begin at more points than Medium, and Medium above 0."))
        return entered

    @property
    def caps(self) -> dict[str, int]:
        """The caps as entered, without the empty ones."""
        entered = self.cleaned_data
        return {group.value: cap for group in RiskGroup if (cap := entered[f"cap_{group}"]) is not None}

    @property
    def cap_fields(self) -> list[forms.BoundField]:
        return [self[f"cap_{group}"] for group in RiskGroup]


class ProposeForm(forms.Form):
    """From when a draft shall hold, and why."""

    effective_on = forms.DateField(label=_("Effective from"), widget=DayInput())
    reason = forms.CharField(label=_("Reason"), max_length=300)

    def __init__(self, data: Any = None, *, brand: Brand) -> None:
        super().__init__(data, initial={"effective_on": today(brand)})

    @property
    def day(self) -> dt.date:
        day: dt.date = self.cleaned_data["effective_on"]
        return day


class OverrideForm(forms.Form):
    """A client's own rating, its last day and the reason."""

    rating = forms.ChoiceField(label=_("Risk rating"), required=False)
    ends_on = forms.DateField(label=_("Last day"), widget=DayInput(), required=False)
    reason = forms.CharField(label=_("Reason"), max_length=300)

    def __init__(self, data: Any = None, *, can_end: bool) -> None:
        super().__init__(data)
        choices: list[tuple[str, Any]] = [(rank.value, RiskRating(rank).label) for rank in RANKS]
        rating = self.fields["rating"]
        assert isinstance(rating, forms.ChoiceField)
        rating.choices = [*choices, ("", _now("As the model rates"))] if can_end else choices

    def clean(self) -> dict[str, Any]:
        entered: dict[str, Any] = super().clean() or {}
        if entered.get("rating") and not entered.get("ends_on") and "ends_on" not in self.errors:
            self.add_error("ends_on", _now("Enter the last day."))
        return entered
