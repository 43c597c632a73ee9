from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from risk.retention.choices import DECISIONS
from risk.retention.deciding import SNOOZE_DAYS_MAX


class DecisionForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("Result"), choices=[(state.value, state.label) for state in DECISIONS], widget=forms.RadioSelect
    )
    reason = forms.CharField(
        label=_("Note"),
        max_length=1000,
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("Needed when no action is taken."),
    )
    was_useful = forms.TypedChoiceField(
        label=_("Were the flags useful?"),
        choices=[("", _("No answer")), ("yes", _("Yes")), ("no", _("No"))],
        required=False,
        coerce=lambda value: value == "yes",
        empty_value=None,
    )


class SnoozeForm(forms.Form):
    days = forms.IntegerField(label=_("Days"), min_value=1, max_value=SNOOZE_DAYS_MAX, initial=3)
    reason = forms.CharField(label=_("Reason"), max_length=300)
