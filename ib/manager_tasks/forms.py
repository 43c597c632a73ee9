"""Forms of tasks about partners."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.models import User
from crm.ui.forms import DayInput, ModelChoiceField
from ib.manager_tasks.partner_tasks import RESULT_CHARS, TITLE_CHARS, assignees_of

IN_DAYS = 1


class DueForm(forms.Form):
    """By when, and by whom."""

    due_on = forms.DateField(label=_("Due"), widget=DayInput())
    assignee = ModelChoiceField(User.objects.none(), label=_("Assigned to"), empty_label=None)

    def __init__(self, *args: Any, brand_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["assignee"].queryset = assignees_of(brand_id)  # type: ignore[attr-defined]


class TaskForm(DueForm):
    """A task for one partner, or the same for each of those that were chosen in the list."""

    title = forms.CharField(max_length=TITLE_CHARS, label=_("Task"))
    field_order = ["title", "due_on", "assignee"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("due_on", timezone.localdate() + dt.timedelta(days=IN_DAYS))


class ResultForm(forms.Form):
    """What came out of a task."""

    result = forms.CharField(required=False, max_length=RESULT_CHARS, label=_("Result"))
