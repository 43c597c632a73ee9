"""The form of a banner, which rebuilds the picture that is uploaded."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from crm.errors import outcome_of
from crm.files.parsing import Limits, ParsingBusy, ParsingRefused, parse
from crm.models import Brand, User
from ib.materials.banners import CLICK_TAG, PAGE_TYPE, Picture, brands_of
from ib.models.materials import SIDE_MAX, SIDE_MIN

FILE_BYTES_MAX: Final = 2 * 1024 * 1024
PIXELS_MAX: Final = 16_000_000
LIMITS: Final = Limits(memory_bytes=512 * 1024 * 1024, cpu_seconds=5, wall_seconds=8, wait_seconds=8)
FRAMES_MAX: Final = 100
JPEG: Final = b"\xff\xd8\xff"
ZIP: Final = b"PK\x03\x04"
FILES_MAX, UNPACKED_MAX = 60, 4 * 1024 * 1024
REFUSED: Final = {
    "files": _("The archive holds more than 60 files."),
    "unpacks": _("The archive is larger than 4 MB when unpacked."),
    "kind": _("“%(name)s” can't be part of a banner. Use HTML, CSS, JavaScript, pictures, fonts, MP3 or MP4."),
    "page": _("The archive has no index.html."),
    "size": _("The page doesn't state its size. Add a meta tag ad.size with width and height."),
    "clicktag": _("The page doesn't set a clickTag, so clicks wouldn't lead to us."),
    "outside": _("The page loads “%(name)s”, which isn't in the archive. Add the file."),
}


class BannerForm(forms.Form):
    """A banner of a brand."""

    brand = forms.ModelChoiceField(Brand.objects.none(), label=_("Brand"), empty_label=None)
    name = forms.CharField(max_length=80, label=_("Name"))
    alt = forms.CharField(
        max_length=160,
        label=_("Alternative text"),
        help_text=_("Read out to people who can't see the picture. Include the risk warning."),
    )
    language = forms.ChoiceField(label=_("Language"), required=False)
    page = forms.SlugField(
        max_length=60, label=_("Landing page"), required=False, help_text=_("Leave empty for registration.")
    )
    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "PNG, JPEG, GIF or WebP, 50 to 2,000 pixels on each side, at most 2 MB and 100 frames. Or an HTML5 banner as a zip "
            "of at most 60 files and 4 MB unpacked, with index.html, ad.size and clickTag."
        ),
    )
    is_multipart_form = True

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["brand"].queryset = brands_of(user)  # type: ignore[attr-defined]
        self.fields["language"].choices = [("", _("All languages")), *settings.LANGUAGES]  # type: ignore[attr-defined]

    def clean_file(self) -> Picture:
        return rebuilt(self.cleaned_data["file"])


def rebuilt(upload: Any) -> Picture:
    """Check an upload and rebuild it: nothing of the file itself is stored. Raises: ValidationError."""
    if (upload.size or 0) > FILE_BYTES_MAX:
        raise forms.ValidationError(_("The image is larger than 2 MB."))
    content = upload.read()
    if content.startswith(ZIP):
        return joined(content)
    form = form_of(content)

    def run() -> Any:
        if form == "JPEG":
            return parse(
                "image.clean",
                content,
                limits=LIMITS,
                forms=["JPEG"],
                pixels_max=PIXELS_MAX,
                side_min=SIDE_MIN,
                side_max=SIDE_MAX,
                quality=88,
            )
        if form in ("GIF", "WEBP"):
            return parse(
                "image.moving",
                content,
                limits=LIMITS,
                forms=[form],
                pixels_max=PIXELS_MAX,
                side_max=SIDE_MAX,
                frames_max=FRAMES_MAX,
            )
        return parse("image.logo", content, limits=LIMITS, forms=["PNG"], pixels_max=PIXELS_MAX, side_max=SIDE_MAX)

    made = outcome_of(run, only=(ParsingRefused, ParsingBusy))
    if not made:
        busy = isinstance(made.error, ParsingBusy)
        wrong = _("The file isn't a PNG, JPEG, GIF or WebP image, it's damaged, or it has too many frames.")
        raise forms.ValidationError(made.message if busy else wrong)
    width, height = made.result.facts["size"]
    if min(width, height) < SIDE_MIN:
        raise forms.ValidationError(_("The picture is smaller than 50 pixels."))
    if len(made.result.content) > FILE_BYTES_MAX:
        raise forms.ValidationError(_("The image is larger than 2 MB."))
    return Picture(made.result.content, f"image/{form.lower()}", width, height)


def joined(content: bytes) -> Picture:
    """Join the files of an HTML5 banner into one page that loads nothing from elsewhere. Raises: ValidationError."""
    bounds: dict[str, Any] = {"files_max": FILES_MAX, "unpacked_max": UNPACKED_MAX, "mark": CLICK_TAG}
    made = outcome_of(
        lambda: parse("bundle.page", content, limits=LIMITS, **bounds), only=(ParsingRefused, ParsingBusy)
    )
    if not made:
        error = made.error
        is_ours = isinstance(error, ParsingRefused) and error.code in REFUSED
        raise forms.ValidationError(str(REFUSED[error.code]) % error.values if is_ours else made.message)  # type: ignore[attr-defined]
    width, height = made.result.facts["size"]
    if not (SIDE_MIN <= width <= SIDE_MAX and SIDE_MIN <= height <= SIDE_MAX):
        raise forms.ValidationError(_("A banner is 50 to 2,000 pixels wide and high."))
    return Picture(made.result.content, PAGE_TYPE, width, height)


def form_of(content: bytes) -> str:
    """Recognise a picture by its first bytes; what is none is taken for a PNG, and refused as one."""
    if content.startswith(JPEG):
        return "JPEG"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    return "WEBP" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else "PNG"
