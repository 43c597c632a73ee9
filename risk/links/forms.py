from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from risk.links.choices import KnownAs
from risk.links.graph import Tie


class KnownLinkForm(forms.Form):
    """With whom a client is known to share things, and why; `cleaned_data` has the arguments of `set_link_aside`."""

    other_id = forms.TypedChoiceField(label=_("Linked client"), coerce=int)
    why = forms.ChoiceField(label=_("Known as"), choices=KnownAs.choices)
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea({"rows": 2}))

    def __init__(self, *args: Any, ties: Iterable[Tie], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(tie.client.pk, str(tie.client)) for tie in ties if tie.known is None]
        self.fields["other_id"].choices = choices  # type: ignore[attr-defined]
