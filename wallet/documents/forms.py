"""Forms of documents."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.errors import outcome_of
from crm.files.parsing import Limits, ParsingBusy, ParsingRefused, parse
from crm.models import Brand
from wallet.choices.documents import DocumentKind
from wallet.documents.batches import KINDS

LOGO_BYTES_MAX = 1024 * 1024
LOGO_SIDE_MAX, LOGO_PIXELS_MAX = 900, 16_000_000
LOGO_LIMITS = Limits(memory_bytes=512 * 1024 * 1024, cpu_seconds=5, wall_seconds=8, wait_seconds=8)
PROVE_BYTES_MAX = 50 * 1024 * 1024


class ProveForm(forms.Form):
    """A file that somebody presents, or the hash that is printed on it."""

    hash = forms.CharField(
        label=_("Hash"),
        max_length=120,
        required=False,
        help_text=_("Printed at the end of the document. The first 12 characters are enough."),
        widget=forms.TextInput({"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    file = forms.FileField(label=_("File"), required=False)

    def clean_hash(self) -> str:
        text = "".join(str(self.cleaned_data["hash"]).split()).lower()
        if text and not re.fullmatch(r"[0-9a-f]{12,64}", text):
            raise forms.ValidationError(_("A hash has 12 to 64 characters: 0–9 and a–f."))
        return text

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not self.errors and not data.get("hash") and not data.get("file"):
            raise forms.ValidationError(_("Enter the hash or upload the file."))
        return data


class MonthForm(forms.Form):
    """All clients of a brand, a month."""

    brand = forms.ModelChoiceField(queryset=Brand.objects.none(), label=_("Brand"), empty_label=None)
    kind = forms.ChoiceField(label=_("Document"), choices=[(kind.value, kind.label) for kind in KINDS])
    month = forms.CharField(label=_("Month"), widget=forms.TextInput({"type": "month"}))

    def __init__(self, *args: Any, brands: QuerySet[Brand], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["brand"].queryset = brands  # type: ignore[attr-defined]

    def clean_kind(self) -> DocumentKind:
        return DocumentKind(self.cleaned_data["kind"])

    def clean_month(self) -> dt.date:
        try:
            return dt.date.fromisoformat(f"{self.cleaned_data['month'].strip()}-01")
        except ValueError:
            raise forms.ValidationError(_("Enter the month as YYYY-MM, for example 2026-10.")) from None


class LanguageForm(forms.Form):
    """The language of a document."""

    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)


class LetterheadForm(forms.Form):
    address = forms.CharField(label=_("Address"), max_length=300, required=False, widget=forms.Textarea({"rows": 3}))
    tax_number = forms.CharField(label=_("Tax number"), max_length=40, required=False)
    tax_note = forms.CharField(
        label=_("Tax note"),
        max_length=300,
        required=False,
        widget=forms.Textarea({"rows": 2}),
        help_text=_("Printed below invoices, for example why no tax is charged."),
    )
    logo = forms.FileField(
        label=_("Logo"), required=False, help_text=_("PNG or JPEG, at most 1 MB, preferably landscape.")
    )
    remove_logo = forms.BooleanField(label=_("Remove logo"), required=False)

    def clean_logo(self) -> bytes:
        """Decode the picture, make it smaller and write it as PNG. Nothing of the upload itself is stored."""
        upload = self.cleaned_data.get("logo")
        if not upload:
            return b""
        if upload.size > LOGO_BYTES_MAX:
            raise forms.ValidationError(_("The image is larger than 1 MB."))
        logo = outcome_of(
            lambda: parse(
                "image.logo",
                upload.read(),
                limits=LOGO_LIMITS,
                forms=["PNG", "JPEG"],
                pixels_max=LOGO_PIXELS_MAX,
                side_max=LOGO_SIDE_MAX,
            ),
            only=(ParsingRefused, ParsingBusy),
        )
        if logo:
            return logo.result.content
        if logo.error.code == "pixels":
            raise forms.ValidationError(_("The image has too many pixels."))
        if isinstance(logo.error, ParsingBusy):
            raise forms.ValidationError(logo.message)
        raise forms.ValidationError(_("The file isn't a PNG or JPEG image, or it's damaged."))
