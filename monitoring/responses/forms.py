from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.choices import StaffLimitKind
from crm.ui.forms import DayInput
from monitoring.responses.limits import PER_DAY_MAX

LIMIT_DAYS = 14


class LimitForm(forms.Form):
    kind = forms.ChoiceField(label=_("Type of limit"), choices=StaffLimitKind.choices, widget=forms.RadioSelect)
    per_day = forms.IntegerField(
        label=_("Contacts revealed per day"),
        min_value=0,
        max_value=PER_DAY_MAX,
        required=False,
        help_text=_("Only for a limit on revealed contacts. 0: none."),
    )
    until_on = forms.DateField(label=_("Until (inclusive)"), widget=DayInput())
    reason = forms.CharField(label=_("Reason"), max_length=300, help_text=_("The agent reads it."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("until_on", timezone.localdate() + dt.timedelta(days=LIMIT_DAYS))
