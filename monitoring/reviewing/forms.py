from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.ui.forms import DayInput
from monitoring.reviewing.escalating import ESCALATION

ANSWER_DAYS = 3


class QuestionForm(forms.Form):
    question = forms.CharField(
        max_length=1000,
        label=_("Question"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("What you'd like explained, without details of other agents' clients."),
    )
    due_on = forms.DateField(label=_("Answer by"), widget=DayInput())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("due_on", timezone.localdate() + dt.timedelta(days=ANSWER_DAYS))


class AnswerForm(forms.Form):
    answer = forms.CharField(
        max_length=4000,
        label=_("Your explanation"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The reviewer reads it. It can't be changed later."),
    )


class EscalationForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("Decision"),
        choices=[(code, outcome.label) for code, outcome in ESCALATION.outcomes.items()],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea({"rows": 4}))
