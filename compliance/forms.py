"""Forms of decisions, restrictions and filters."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.countries import country_choices
from compliance.choices import IDENTIFIER_KINDS, ClearReason, EntryKind, RestrictionKind
from compliance.lists.numbers import IMO, KINDS
from compliance.matches.name_check import NAME_CHARS_MAX
from compliance.tables import AREAS, WHO
from compliance.trails import TrailFilter
from crm.choices import AccessKind
from crm.ui.forms import DayInput

NUMBERS = (*KINDS, IMO)


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


class NameCheckForm(forms.Form):
    """A name to screen; the number is of `number_kind`, issued by `country`."""

    name = forms.CharField(label=_("Full name"), max_length=NAME_CHARS_MAX, help_text=_("In any script"))
    kind = forms.ChoiceField(label=_("Type"), choices=EntryKind.choices)
    born = forms.DateField(label=_("Date of birth"), required=False, widget=DayInput())
    country = forms.ChoiceField(label=_("Country"), required=False)
    number_kind = forms.ChoiceField(
        label=_("Kind of number"),
        required=False,
        choices=[("", "–"), *((kind, IDENTIFIER_KINDS[kind]) for kind in NUMBERS)],
    )
    number = forms.CharField(label=_("Number"), required=False, max_length=80)
    reference = forms.CharField(
        label=_("Reference"),
        required=False,
        max_length=200,
        help_text=_("Why you screen, such as a withdrawal's number"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        country = self.fields["country"]
        assert isinstance(country, forms.ChoiceField)
        country.choices = country_choices(blank=str(_("Unknown")))

    def clean_kind(self) -> EntryKind:
        return EntryKind(self.cleaned_data["kind"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("number") and not data.get("number_kind"):
            self.add_error("number_kind", _("Choose what kind of number it is."))
        return data


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
