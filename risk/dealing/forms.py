from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from risk.abuse.models import AbuseEpisode
from risk.dealing.choices import ExecutionBook


class RoutingForm(forms.Form):
    """An execution book; `cleaned_data` has the arguments of `propose_routing`, for several clients all but the case."""

    book = forms.ChoiceField(label=_("Execution book"), choices=ExecutionBook.choices, widget=forms.RadioSelect)
    passed_percent = forms.IntegerField(
        label=_("Passed on to the A-book, in percent"),
        min_value=1,
        max_value=99,
        required=False,
        help_text=_("For a split only, from 1 to 99."),
    )
    episode_id = forms.TypedChoiceField(
        label=_("Case that it rests on"), coerce=int, empty_value=None, required=False, help_text=_("Optional.")
    )
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea({"rows": 3}))

    def __init__(self, *args: Any, cases: Sequence[AbuseEpisode] | None, **kwargs: Any) -> None:
        """cases: of the one client; None where several are proposed together."""
        super().__init__(*args, **kwargs)
        if cases is None:
            del self.fields["episode_id"]
        else:
            choices = [("", "–"), *((case.pk, str(case)) for case in cases)]
            self.fields["episode_id"].choices = choices  # type: ignore[attr-defined]
