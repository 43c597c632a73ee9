"""The first step of an upload: which document, and which country issued it."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from kyc.choices import DocumentKind
from kyc.uploads.guidance import countries_for, plan_of


class DocumentForm(forms.Form):
    """The type of a document and, where it matters, its issuing country: the probable ones first."""

    kind = forms.ChoiceField(
        label=_("Document"), widget=forms.RadioSelect, error_messages={"required": _("Choose a document.")}
    )
    country = forms.ChoiceField(
        label=_("Issued by"),
        required=False,
        error_messages={"invalid_choice": _("Choose the country that issued the document.")},
    )

    def __init__(self, data: object, *, client: Client, kinds: Sequence[DocumentKind], initial: dict[str, str]) -> None:
        super().__init__(data, initial=initial)  # type: ignore[arg-type]
        likely, every = countries_for(client)
        self.fields["kind"].choices = [(kind.value, kind.label) for kind in kinds]  # type: ignore[attr-defined]
        self.fields["country"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose a country")),
            *([(_("Probably"), likely)] if likely else []),
            (_("All countries"), every),
        ]
        if not any(plan_of(kind).has_country for kind in kinds):
            del self.fields["country"]
