"""The form of a brand's look, which checks and rebuilds what is uploaded."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from crm.errors import outcome_of
from crm.files import svg
from crm.files.parsing import Limits, ParsingBusy, ParsingRefused, parse
from crm.staff.brand_look import Drawing

FILE_BYTES_MAX: Final = 2 * 1024 * 1024
LOGO_SIDE_MAX, PICTURE_SIDE_MAX, PIXELS_MAX = 400, 1_600, 16_000_000
LIMITS: Final = Limits(memory_bytes=512 * 1024 * 1024, cpu_seconds=5, wall_seconds=8, wait_seconds=8)
REMOVED: Final = Drawing(b"", 1.0)
is_colour = RegexValidator(r"^#[0-9a-fA-F]{6}$", _("Enter a colour as #rrggbb."))


class BrandLookForm(forms.Form):
    colour = forms.CharField(
        label=_("Main colour"), max_length=7, validators=[is_colour], widget=forms.TextInput({"type": "color"})
    )
    accent_colour = forms.CharField(
        label=_("Accent colour"), max_length=7, validators=[is_colour], widget=forms.TextInput({"type": "color"})
    )
    logo = forms.FileField(
        label=_("Logo"),
        required=False,
        help_text=_(
            "SVG, PNG or JPEG, at most 2 MB. A wide logo replaces the brand's name; a square one appears beside it."
        ),
    )
    remove_logo = forms.BooleanField(label=_("Remove logo"), required=False)
    picture = forms.FileField(
        label=_("Picture"),
        required=False,
        help_text=_(
            "SVG, PNG or JPEG, at most 2 MB. Shown behind the client's equity, beside the sign-in and on landing pages."
        ),
    )
    remove_picture = forms.BooleanField(label=_("Remove picture"), required=False)

    def clean_logo(self) -> Drawing | None:
        return _drawing(self.cleaned_data.get("logo"), LOGO_SIDE_MAX)

    def clean_picture(self) -> Drawing | None:
        return _drawing(self.cleaned_data.get("picture"), PICTURE_SIDE_MAX)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        for name in ("logo", "picture"):
            if data.get(f"remove_{name}") and not data.get(name):
                data[name] = REMOVED
        return data


def _drawing(upload: UploadedFile[Any] | None, side_max: int) -> Drawing | None:
    """Check an upload and rebuild it: nothing of the file itself is stored."""
    if not upload:
        return None
    if (upload.size or 0) > FILE_BYTES_MAX:
        raise forms.ValidationError(_("The image is larger than 2 MB."))
    content = upload.read()
    if b"<svg" in content[:2000]:
        drawn = outcome_of(lambda: svg.rebuilt(content), only=(svg.UnsafeDrawing,))
        if not drawn:
            raise forms.ValidationError(drawn.message)
        return Drawing(*drawn.result)
    made = outcome_of(
        lambda: parse(
            "image.logo", content, limits=LIMITS, forms=["PNG", "JPEG"], pixels_max=PIXELS_MAX, side_max=side_max
        ),
        only=(ParsingRefused, ParsingBusy),
    )
    if not made:
        busy = isinstance(made.error, ParsingBusy)
        raise forms.ValidationError(
            made.message if busy else _("The file isn't an SVG, PNG or JPEG image, or it's damaged.")
        )
    width, height = made.result.facts["size"]
    return Drawing(made.result.content, width / height)
