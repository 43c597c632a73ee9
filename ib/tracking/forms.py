"""Forms of a partner's tracking."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.ui.forms import DayInput
from ib.models.postbacks import URL_LONGEST
from ib.tracking.choices import PARTNER_STEPS, PostbackEvent


class PostbackForm(forms.Form):
    url = forms.CharField(
        max_length=URL_LONGEST,
        label=_("Address"),
        widget=forms.TextInput(
            attrs={
                "placeholder": "https://tracker.example/postback?cid={click_id}&goal={event}",
                "inputmode": "url",
                "autocomplete": "off",
            }
        ),
    )
    events = forms.MultipleChoiceField(
        choices=[(step.value, step.label) for step in PARTNER_STEPS],
        label=_("Steps"),
        widget=forms.CheckboxSelectMultiple,
    )


class SourcePostbackForm(PostbackForm):
    """A lead source's: it also hears that a lead was accepted."""

    events = forms.MultipleChoiceField(
        choices=PostbackEvent.choices, label=_("Steps"), widget=forms.CheckboxSelectMultiple
    )


class ClaimForm(forms.Form):
    """What a partner knows of a client who is missing from their list."""

    email = forms.EmailField(max_length=254, label=_("Client's e-mail address"))
    came_on = forms.DateField(
        required=False, label=_("Day of the registration"), help_text=_("If you know it"), widget=DayInput()
    )
    reason = forms.CharField(
        max_length=300,
        label=_("How the client came to you"),
        help_text=_("Link, code, event or your own click id"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ClaimAnswerForm(forms.Form):
    answer = forms.CharField(
        max_length=300,
        label=_("Answer"),
        help_text=_("The partner reads it."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
