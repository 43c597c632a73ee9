"""Forms of differences and of the past read again."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.ui.forms import DayInput


class SettleForm(forms.Form):
    reason = forms.CharField(label=_("Finding and decision"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


class BackfillForm(forms.Form):
    """Days of the server's own calendar, both included."""

    first_day = forms.DateField(label=_("From"), widget=DayInput(), help_text=_("Server time"))
    last_day = forms.DateField(label=_("Until"), required=False, widget=DayInput(), help_text=_("Empty: today"))

    def clean_first_day(self) -> dt.date:
        day: dt.date = self.cleaned_data["first_day"]
        if day > timezone.now().date():
            raise forms.ValidationError(_("The first day is in the future."))
        return day
