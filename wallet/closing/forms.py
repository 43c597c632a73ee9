"""Forms of periods."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.ui.forms import DayInput


class PeriodForm(forms.Form):
    first = forms.DateField(label=_("From"), widget=DayInput())
    last = forms.DateField(label=pgettext_lazy("day", "To"), widget=DayInput())
