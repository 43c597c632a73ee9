"""The filter bar of the returns of campaigns: what they are grouped by, and whom people are credited to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from reports.campaigns.returns import Attribution, Dimension
from reports.filters import FilterForm


class ReturnsForm(FilterForm):
    """The usual bar with two choices more."""

    by = forms.ChoiceField(required=False, label=_("Group by"), choices=Dimension.choices)
    attribution = forms.ChoiceField(required=False, label=_("Attribution"), choices=Attribution.choices)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound:
            self.initial = {"by": Dimension.CAMPAIGN, "attribution": Attribution.FIRST}

    @property
    def chosen_dimension(self) -> Dimension:
        self.selection()
        return Dimension(getattr(self, "cleaned_data", {}).get("by") or Dimension.CAMPAIGN)

    @property
    def chosen_attribution(self) -> Attribution:
        self.selection()
        return Attribution(getattr(self, "cleaned_data", {}).get("attribution") or Attribution.FIRST)
