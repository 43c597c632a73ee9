from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from risk.abuse.choices import HANDLING, Abuse, Handling
from risk.abuse.models import AbuseEpisode
from risk.abuse.queue import ABUSE


class EpisodeForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("Decision"),
        choices=[(code, outcome.label) for code, outcome in ABUSE.outcomes.items()],
        widget=forms.RadioSelect,
    )
    handling = forms.ChoiceField(
        label=_("Handling, if abuse is confirmed"), choices=[("", "–"), *Handling.choices], required=False
    )
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea({"rows": 4}))

    def __init__(self, *args: Any, episode: AbuseEpisode, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["handling"].initial = HANDLING[Abuse(episode.kind)]
