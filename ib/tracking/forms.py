"""Forms of a partner's tracking."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from ib.models.postbacks import URL_LONGEST
from ib.tracking.choices import PostbackEvent


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
        choices=PostbackEvent.choices, label=_("Steps"), widget=forms.CheckboxSelectMultiple
    )
