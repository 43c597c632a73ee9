"""Forms of decisions, restrictions and filters."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from compliance.choices import ClearReason, RestrictionKind
from compliance.tables import AREAS, WHO
from compliance.trails import TrailFilter
from crm.choices import AccessKind
from crm.ui.forms import DayInput


class ClearForm(forms.Form):
    # Nothing is chosen beforehand: what makes it another person is for the officer to say.
    reason_code = forms.ChoiceField(label=_("Reason"), choices=[("", _("Choose a reason")), *ClearReason.choices])
    reason = forms.CharField(label=_("Explanation"), widget=forms.Textarea(attrs={"rows": 3}), max_length=2000)
    is_contradiction_checked = forms.BooleanField(
        label=_("I checked this against a document, and the comparison is wrong"),
        required=False,
        widget=forms.HiddenInput(),
    )

    def offer_override(self) -> None:
        """Offer the tick that clears the match although the comparison contradicts the reason."""
        self.fields["is_contradiction_checked"].widget = forms.CheckboxInput()
        self.add_error("is_contradiction_checked", _("Choose another reason, or tick this box and explain below."))


class ConfirmForm(forms.Form):
    reason = forms.CharField(label=_("Explanation"), widget=forms.Textarea(attrs={"rows": 3}), max_length=2000)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "confirm_%s", **kwargs})  # `ClearForm` is on the same page


class RestrictForm(forms.Form):
    kind = forms.ChoiceField(label=_("Restriction"), choices=RestrictionKind.choices)
    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}), max_length=2000)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}), max_length=2000)


class TrailForm(forms.Form):
    """What part of a trail goes into a pack: the filter of the page."""

    area = forms.ChoiceField(choices=[("", ""), *AREAS], required=False)
    who = forms.ChoiceField(choices=[("", ""), *WHO], required=False)
    day_after = forms.DateField(required=False)
    day_before = forms.DateField(required=False)

    def chosen(self) -> TrailFilter:
        data = self.cleaned_data
        return TrailFilter(data["area"], data["who"], data["day_after"], data["day_before"])


class ViewForm(forms.Form):
    kind = forms.ChoiceField(label=_("Type"), choices=[("", _("Any")), *AccessKind.choices], required=False)
    person = forms.EmailField(label=_("User (e-mail)"), required=False)
    client = forms.IntegerField(label=_("Client number"), required=False, min_value=1)
    day = forms.DateField(label=_("Until"), required=False, widget=DayInput())
