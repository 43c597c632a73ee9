from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from monitoring.anomalies.queue import ANOMALY


class AnomalyForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("Decision"),
        choices=[(code, outcome.label) for code, outcome in ANOMALY.outcomes.items()],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea({"rows": 4}))
