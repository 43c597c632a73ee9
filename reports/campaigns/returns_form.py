"""The filter bar of the returns of campaigns: what they are grouped by, whom people are credited to, and of which segment."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clients.models import Segment
from clients.segments.policies import segments_visible_to
from reports.campaigns.returns import Attribution, Dimension
from reports.filters import FilterForm


class ReturnsForm(FilterForm):
    """The usual bar with three choices more."""

    by = forms.ChoiceField(required=False, label=_("Group by"), choices=Dimension.choices)
    attribution = forms.ChoiceField(required=False, label=_("Attribution"), choices=Attribution.choices)
    segment = forms.ModelChoiceField(
        required=False, label=_("Segment"), queryset=Segment.objects.none(), empty_label=_("Everyone")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        segments = segments_visible_to(kwargs["user"]).filter(archived_at=None).order_by("name")
        self.fields["segment"].queryset = segments  # type: ignore[attr-defined]
        if not self.is_bound:
            self.initial = {"by": Dimension.CAMPAIGN, "attribution": Attribution.FIRST}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("segment") and cleaned.get("by") == Dimension.COHORT:
            self.add_error("segment", gettext("Cohorts can’t be narrowed to a segment."))
        return cleaned

    @property
    def chosen_segment(self) -> Segment | None:
        """Return the segment whose members count; None for everyone."""
        self.selection()
        return getattr(self, "cleaned_data", {}).get("segment")

    @property
    def chosen_dimension(self) -> Dimension:
        self.selection()
        return Dimension(getattr(self, "cleaned_data", {}).get("by") or Dimension.CAMPAIGN)

    @property
    def chosen_attribution(self) -> Attribution:
        self.selection()
        return Attribution(getattr(self, "cleaned_data", {}).get("attribution") or Attribution.FIRST)
