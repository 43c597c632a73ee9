from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.models import User
from crm.ui.forms import DayInput
from monitoring.choices import Verdict, WatchKind
from monitoring.queries import agents_visible_to


class DecisionForm(forms.Form):
    verdict = forms.ChoiceField(choices=[("", ""), *Verdict.choices], label=_("Decision"))
    text = forms.CharField(
        max_length=2000,
        label=_("Reason"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("What you reviewed and whom you asked. The agent may ask to read it."),
    )


class WatchForm(forms.Form):
    agent = forms.ModelChoiceField(User.objects.none(), label=_("Agent"))
    kind = forms.ChoiceField(choices=WatchKind.choices, label=_("Type"))
    from_on = forms.DateField(label=_("From"), widget=DayInput())
    to_on = forms.DateField(label=_("To (inclusive)"), widget=DayInput())
    reason = forms.CharField(max_length=200, label=_("Reason"))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        agent = self.fields["agent"]
        assert isinstance(agent, forms.ModelChoiceField)
        agent.queryset = agents_visible_to(user).filter(is_active=True).order_by("first_name", "last_name")
        today = timezone.localdate()
        self.initial.setdefault("from_on", today)
        self.initial.setdefault("to_on", today + dt.timedelta(days=30))


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=200, label=_("Reason"))
