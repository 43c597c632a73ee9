"""Forms of the calendar: a follow-up's time, its reminder, and the reminder that a person's follow-ups have otherwise."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.forms import ReminderField, moment_widget
from clients.models import Task


class MoveForm(forms.Form):
    """A follow-up's time, in the agent's zone, and when its reminder comes."""

    due_at = forms.DateTimeField(label=_("Due"), widget=moment_widget())
    remind_before = ReminderField()

    def __init__(self, *args: Any, task: Task, **kwargs: Any) -> None:
        kwargs["initial"] = {"due_at": task.due_at, "remind_before": task.remind_before_minutes}
        super().__init__(*args, **kwargs)


class DropForm(forms.Form):
    """What a drop on a slot sends: the follow-up, the slot's instant, and the time that the page showed."""

    task = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    to = forms.DateTimeField(input_formats=["%Y-%m-%dT%H:%M:%S%z"])
    seen = forms.DateTimeField(input_formats=["%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z"])
