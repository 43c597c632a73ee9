"""The form of a member of staff's HR dates."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.ui.forms import DayInput


class DatesForm(forms.Form):
    """The HR dates of a member of staff."""

    joined_on = forms.DateField(label=_("Joined"), required=False, widget=DayInput())
    role_changed_on = forms.DateField(
        label=_("Role changed"),
        required=False,
        widget=DayInput(),
        help_text=_("From then on monitoring learns the person's normal activity again."),
    )
    notice_on = forms.DateField(
        label=_("Notice given"),
        required=False,
        widget=DayInput(),
        help_text=_("From then on alerts need less, and exports are blocked where the brand's policy requires it."),
    )
    leaves_on = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=DayInput(),
        help_text=_("The account is deactivated after it where the brand's policy requires it."),
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=300, required=False, help_text=_("Required where notice or the last day changes.")
    )
