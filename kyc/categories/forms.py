"""Forms of compliance for a client's category."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.choices import Category
from clients.models import Client
from kyc.categories.choices import PROPOSED_BASES, Basis


class ProposeForm(forms.Form):
    """A category that was not asked for in the portal: per se, a review, a correction."""

    category = forms.ChoiceField(label=_("Category"), choices=Category.choices)
    basis = forms.ChoiceField(
        label=_("Basis"), choices=[(one.value, one.label) for one in PROPOSED_BASES if one != Basis.REQUEST]
    )
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea({"rows": 2}))

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        kwargs["initial"] = {"category": client.category}
        super().__init__(*args, **kwargs)
