"""Taking a file in: what it really is, whether it is whole, and a clean copy of it to keep.

Nothing that came from outside is kept as it came. Images are decoded to the last pixel and encoded anew (no metadata, no
hidden parts); PDFs are rebuilt without scripts, actions, forms and attachments. What can't be taken gets a sentence that
says what to do instead.
"""

from __future__ import annotations

import hashlib
import io
import re
import unicodedata
import warnings
from dataclasses import dataclass
from typing import BinaryIO

import pikepdf
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from crm.errors import DomainError

IMAGE_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
PDF = "application/pdf"
HEIC = {"image/heic", "image/heif", "image/heic-sequence", "image/heif-sequence", "image/avif"}
SIGNATURES = [
    ("image/jpeg", re.compile(rb"\xff\xd8\xff")),
    ("image/png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("image/webp", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    (PDF, re.compile(rb"%PDF-")),
    ("image/heic", re.compile(rb"....ftyp(heic|heix|heif|hevc|mif1|msf1|avif)", re.DOTALL)),
]
# A decoded picture takes three bytes a pixel: 50 million are 150 MB for a moment. JPEGs decode smaller (`draft`).
PIXELS_MAX = 50_000_000
JPEG_PIXELS_MAX = 120_000_000
SIDE_MIN_PX, SIDE_MAX_PX = 300, 4200
PDF_PAGES_MAX = 20
SNIFF_BYTES = 8192
READ_BYTES = 256 * 1024


class FileRefused(DomainError):
    """The file can't be taken; the message says why and what to do."""

    code = "file_refused"


@dataclass(frozen=True)
class CleanFile:
    """What is kept: the clean content, and the hash of what was sent."""

    content: bytes
    content_type: str
    page_count: int
    sha256_as_sent: str
    file_name: str


def take_in(file: BinaryIO, *, name: str) -> CleanFile:
    """Read, sniff and clean an upload. `file` is a seekable binary file (Django's UploadedFile).

    Raises: FileRefused. Reads at most UPLOAD_MAX_BYTES and one byte.
    """
    raw, digest = _read_bounded(file)
    kind = sniff(raw)
    if kind in IMAGE_FORMATS:
        content, content_type, pages = _clean_image(raw, kind), "image/jpeg", 1
    elif kind == PDF:
        content, pages = _clean_pdf(raw)
        content_type = PDF
    elif kind in HEIC:
        raise FileRefused(
            _(
                "This is an iPhone picture in HEIC format, which we can't read. Take a screenshot of it and send that, or choose "
                "Settings → Camera → Formats → Most Compatible and take it again."
            )
        )
    else:
        raise FileRefused(_("We can read JPEG, PNG and WebP pictures and PDF files. This file is something else."))
    return CleanFile(content, content_type, pages, digest, clean_name(name))


def too_large_words() -> str:
    return _("The file is larger than %(limit)s. Send a smaller picture, or a PDF with fewer pages.") % {
        "limit": filesizeformat(settings.UPLOAD_MAX_BYTES)
    }


def too_large() -> FileRefused:
    return FileRefused(too_large_words(), code="file_too_large")


def _read_bounded(file: BinaryIO) -> tuple[bytes, str]:
    size = getattr(file, "size", None)
    if size is not None and size > settings.UPLOAD_MAX_BYTES:
        raise too_large()
    file.seek(0)
    digest, parts, total = hashlib.sha256(), [], 0
    while piece := file.read(READ_BYTES):
        total += len(piece)
        if total > settings.UPLOAD_MAX_BYTES:
            raise too_large()
        digest.update(piece)
        parts.append(piece)
    if not total:
        raise FileRefused(_("The file is empty. Please choose it again."))
    return b"".join(parts), digest.hexdigest()


def sniff(raw: bytes) -> str:
    """The content type from the content; a name or a browser's word counts for nothing.

    libmagic where the machine has it; else the signatures of what we take. Either way the decoder has the last word.
    """
    try:
        import magic
    except ImportError:  # the wheel is there, the system's libmagic is not
        return next((kind for kind, signature in SIGNATURES if signature.match(raw)), "application/octet-stream")
    return magic.from_buffer(raw[:SNIFF_BYTES], mime=True)


def clean_name(name: str) -> str:
    """A display name without path, control characters or surprises; never used as a path."""
    base = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    base = "".join(character for character in base if unicodedata.category(character)[0] != "C").strip()
    return re.sub(r"\s+", " ", base)[-120:] or "document"


def _clean_image(raw: bytes, kind: str) -> bytes:
    incomplete = FileRefused(
        _("The picture is incomplete: it broke off on its way to us, or is damaged. Please send it again."),
        code="truncated",
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(raw), formats=[IMAGE_FORMATS[kind]]) as image:
                _check_size(image)
                # WeasyPrint switches this on for the whole process when it is imported: half a passport would pass.
                ImageFile.LOAD_TRUNCATED_IMAGES = False
                # A JPEG decodes at half or a quarter of its size, to the last byte all the same.
                image.draft("RGB", (SIDE_MAX_PX, SIDE_MAX_PX))
                image.load()
                upright = ImageOps.exif_transpose(image)
                return _encoded(upright)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels() from None
    except UnidentifiedImageError:
        raise incomplete from None
    except (OSError, SyntaxError, ValueError, EOFError):  # Pillow's decoders say "truncated" in many ways
        raise incomplete from None


def _check_size(image: ImageFile.ImageFile) -> None:
    width, height = image.size
    if width * height > (JPEG_PIXELS_MAX if image.format == "JPEG" else PIXELS_MAX):
        raise _too_many_pixels()
    if min(width, height) < SIDE_MIN_PX:
        raise FileRefused(
            _("The picture is only %(width)d × %(height)d pixels: too small to read. Please send a larger one.")
            % {"width": width, "height": height}
        )


def _too_many_pixels() -> FileRefused:
    return FileRefused(_("The picture has too many pixels for us. Please send a normal photo or scan."))


def _encoded(image: Image.Image) -> bytes:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        flat = Image.new("RGB", layer.size, "white")
        flat.paste(layer, mask=layer.getchannel("A"))
    else:
        flat = image.convert("RGB")
    flat.thumbnail((SIDE_MAX_PX, SIDE_MAX_PX), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    flat.save(out, "JPEG", quality=92, optimize=False, exif=b"", icc_profile=None)
    return out.getvalue()


# ── PDF ────────────────────────────────────────────────────────────────────────────────────────────────────────────
ACTIVE_ANNOTATIONS = {
    "/FileAttachment", "/RichMedia", "/Movie", "/Sound", "/Screen", "/3D", "/Widget", "/Link", "/Popup",
}  # fmt: skip


def _clean_pdf(raw: bytes) -> tuple[bytes, int]:
    """The pages, and nothing that acts: no scripts, actions, forms, attachments, media or links."""
    try:
        with pikepdf.open(io.BytesIO(raw), suppress_warnings=True) as pdf:
            pages = len(pdf.pages)
            if not pages:
                raise FileRefused(_("The PDF has no pages. Please send another file."))
            if pages > PDF_PAGES_MAX:
                raise FileRefused(
                    _("The PDF has %(pages)d pages; we take up to %(limit)d. Please send only the pages that matter.")
                    % {"pages": pages, "limit": PDF_PAGES_MAX}
                )
            clean = pikepdf.new()
            for page in pdf.pages:
                for active in ("/AA", "/PieceInfo", "/B"):
                    if active in page.obj:
                        del page.obj[active]
                _drop_active_annotations(page)
                clean.pages.append(page)
            out = io.BytesIO()
            clean.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)
            return out.getvalue(), pages
    except pikepdf.PasswordError:
        raise FileRefused(
            _("The PDF is locked with a password. Please save it without one and send it again."), code="pdf_locked"
        ) from None
    except (pikepdf.PdfError, ValueError, RuntimeError):
        raise FileRefused(
            _("The PDF is damaged or incomplete. Please save it again, or send a picture of the page."),
            code="truncated",
        ) from None


def _drop_active_annotations(page: pikepdf.Page) -> None:
    annotations = page.obj.get("/Annots")
    if annotations is None:
        return
    kept = pikepdf.Array()
    for annotation in annotations:
        if not isinstance(annotation, pikepdf.Dictionary):
            continue
        subtype = str(annotation.get("/Subtype", ""))
        if subtype in ACTIVE_ANNOTATIONS or "/A" in annotation or "/AA" in annotation:
            continue
        kept.append(annotation)
    if len(kept):
        page.obj["/Annots"] = kept
    else:
        del page.obj["/Annots"]
