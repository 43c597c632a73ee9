from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.ui.forms import DayInput

DAYS_MAX = 400


class PerformanceForm(forms.Form):
    """Which days, and by whom. What makes no sense is reported at its field and left out."""

    first = forms.DateField(required=False, label=_("From"), widget=DayInput())
    last = forms.DateField(required=False, label=_("To (inclusive)"), widget=DayInput())
    by = forms.ChoiceField(required=False, label=_("Group by"), choices=[("agent", _("Agent")), ("desk", _("Desk"))])

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.initial.update({"first": today.replace(day=1), "last": today, "by": "agent"})

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and first > last:
            self.add_error("last", _("The end date is before the start date."))
        elif first and last and (last - first).days > DAYS_MAX:
            self.add_error("first", _("Choose a period of at most 400 days."))
        return cleaned

    def chosen(self) -> tuple[dt.date, dt.date, str]:
        """Return first day, last day and grouping; this month by agent where nothing valid was chosen."""
        cleaned = self.cleaned_data if self.is_bound and self.is_valid() else {}
        last = cleaned.get("last") or self.today
        first = cleaned.get("first") or min(last, self.today).replace(day=1)
        return first, max(first, last), cleaned.get("by") or "agent"

    def query(self) -> str:
        first, last, by = self.chosen()
        return urlencode({"first": first.isoformat(), "last": last.isoformat(), "by": by})
