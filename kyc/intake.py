"""Taking a file in: what it really is, whether it is whole, and a clean copy of it to keep.

Nothing that came from outside is kept as it came. Images are decoded to the last pixel and encoded anew (no metadata, no
hidden parts); PDFs are rebuilt without scripts, actions, forms and attachments. All of it in a child process
(`crm.files.parsing`): this one looks at the first bytes only. What can't be taken gets a sentence that says what to do instead.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.files import antivirus
from crm.files.parsing import Answer, Limits, ParsingRefused, Pool, parse

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
# A decoded picture takes four bytes a pixel. JPEGs decode smaller (`draft`): phones take up to 64 million pixels.
PIXELS_MAX = 25_000_000
JPEG_PIXELS_MAX = 64_000_000
# A zone of 44 characters reads from four pixels a character; below 300 pixels the names are for a person to compare.
SIDE_MIN_PX, SIDE_MAX_PX = 180, 4200
PDF_PAGES_MAX = 20
# What one stream of a PDF, and all of them, may unpack to: a page scanned in colour at 300 dpi has 26 MB.
STREAM_BYTES_MAX, UNPACKED_BYTES_MAX = 64 * 1024 * 1024, 256 * 1024 * 1024
LIMITS = Limits(cpu_seconds=10, wall_seconds=20, wait_seconds=10)
# As phones and computers name what they take of their own screen.
SCREENSHOT_NAME = re.compile(
    r"screen ?-?_?shot|bildschirmfoto|capture d.?.?cran|captura de pantalla|schermata|zrzut ekranu", re.I
)
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
    # What the file's maker left in it: editor, screenshot, changes of a PDF (`crm.files.parsing.child.traces`).
    traces: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RawFile:
    """What was sent, read within the limit and of a kind that we take; nothing of it is opened yet."""

    content: bytes
    kind: str
    sha256: str
    file_name: str


def receive(file: BinaryIO, *, name: str) -> RawFile:
    """Read an upload and look at its first bytes. `file` is a seekable binary file (Django's UploadedFile).

    Raises: FileRefused. Reads at most UPLOAD_MAX_BYTES and one byte.
    """
    raw, digest = _read_bounded(file)
    return RawFile(raw, sniff_or_refuse(raw), digest, clean_name(name))


def sniff_or_refuse(raw: bytes) -> str:
    """Read the content type from a file's first bytes. Raises: FileRefused for kinds that we don't take."""
    kind = sniff(raw)
    if kind in HEIC:
        raise FileRefused(
            _(
                "This is an iPhone picture in HEIC format, which we can't read. Send a screenshot of it "
                "instead, or choose Settings → Camera → Formats → Most Compatible and take it again."
            )
        )
    if kind not in IMAGE_FORMATS and kind != PDF:
        raise FileRefused(_("This file type isn't supported. Send a JPEG, PNG or WebP picture, or a PDF."))
    return kind


def clean(raw: RawFile) -> CleanFile:
    """Have the file scanned for malware, then open it in a child process and make a clean copy.

    Raises: FileRefused, ParsingBusy, and what `antivirus.scan` raises.
    """
    antivirus.scan(raw.content)
    if raw.kind == PDF:
        answer = _clean_pdf(raw.content)
        pages = int(answer.facts["pages"])
        return CleanFile(answer.content, PDF, pages, raw.sha256, raw.file_name, answer.facts["traces"])
    answer = _clean_image(raw.content, raw.kind)
    traces = answer.facts["traces"] | ({"screenshot": True} if SCREENSHOT_NAME.search(raw.file_name) else {})
    return CleanFile(answer.content, "image/jpeg", 1, raw.sha256, raw.file_name, traces)


def clean_pages(pages: Sequence[RawFile]) -> CleanFile:
    """Clean the files of one document, and join several into one PDF in their order. Raises as `clean`."""
    cleaned = [clean(page) for page in pages]
    if len(cleaned) == 1:
        return cleaned[0]
    answer = _parsed(
        "pages.join",
        b"".join(page.content for page in cleaned),
        parts=[[page.content_type, len(page.content)] for page in cleaned],
        pages_max=PDF_PAGES_MAX,
    )
    traces: dict[str, Any] = {}
    for page in reversed(cleaned):  # what the first page says of itself counts most
        traces |= page.traces
    digest = hashlib.sha256("".join(page.sha256_as_sent for page in cleaned).encode()).hexdigest()
    return CleanFile(answer.content, PDF, int(answer.facts["pages"]), digest, cleaned[0].file_name, traces)


def take_in(file: BinaryIO, *, name: str) -> CleanFile:
    """Read, sniff and clean a file at once, where nobody waits for the answer."""
    return clean(receive(file, name=name))


def too_large_words() -> str:
    """Write the refusal of a file above the upload limit."""
    return _("The file is larger than %(limit)s. Send a smaller picture, or a PDF with fewer pages.") % {
        "limit": filesizeformat(settings.UPLOAD_MAX_BYTES)
    }


def too_large() -> FileRefused:
    """Build the refusal of a file above the upload limit."""
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
    """Read the content type from the content; a name or a browser's header counts for nothing. The decoder has the last word."""
    return next((kind for kind, signature in SIGNATURES if signature.match(raw)), "application/octet-stream")


def clean_name(name: str) -> str:
    """Reduce a name to what is safe to show: no path, no control characters. Never used as a path."""
    base = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    base = "".join(character for character in base if unicodedata.category(character)[0] != "C").strip()
    return re.sub(r"\s+", " ", base)[-120:] or "document"


def _clean_image(raw: bytes, kind: str) -> Answer:
    form = IMAGE_FORMATS[kind]
    return _parsed(
        "image.clean",
        raw,
        forms=[form],
        pixels_max=JPEG_PIXELS_MAX if form == "JPEG" else PIXELS_MAX,
        side_min=SIDE_MIN_PX,
        side_max=SIDE_MAX_PX,
    )


def _clean_pdf(raw: bytes) -> Answer:
    """Copy a PDF's pages and nothing that acts: no scripts, actions, forms, attachments, media or links."""
    return _parsed(
        "pdf.clean",
        raw,
        pages_max=PDF_PAGES_MAX,
        stream_max=STREAM_BYTES_MAX,
        file_max=UNPACKED_BYTES_MAX,
        pixels_max=PIXELS_MAX,
    )


def _parsed(operation: str, raw: bytes, **options: Any) -> Answer:
    try:
        return parse(operation, raw, limits=LIMITS, pool=Pool.JOBS, **options)
    except ParsingRefused as refused:
        words, code = _words(operation, refused)
        raise FileRefused(words, code=code) from None


def _words(operation: str, refused: ParsingRefused) -> tuple[str, str]:
    """Translate a refusal of the parser into what the sender reads, with the error's code."""
    code, values = refused.code, refused.values
    if code == "pixels":
        return _("The picture has too many pixels. Please send a normal photo or scan."), "file_refused"
    if code == "small":
        words = _("The picture is only %(width)d × %(height)d pixels: too small to read. Please send a larger one.")
        return words % values, "file_refused"
    if code == "animated":
        return _("This picture is animated. Please send a photo or a scan, or a PDF."), "file_refused"
    if code == "no_pages":
        return _("The PDF has no pages. Please send another file."), "file_refused"
    if code == "pages":
        words = _("The document has %(pages)d pages; the limit is %(limit)d. Please send only the pages we need.")
        return words % {**values, "limit": PDF_PAGES_MAX}, "file_refused"
    if code == "locked":
        words = _("The PDF is password-protected. Please save it without a password and send it again.")
        return words, "pdf_locked"
    if code in ("unpacks", "memory", "output", "time"):
        return _too_demanding(operation), "too_demanding"
    if operation == "pdf.clean":
        words = _("The PDF is damaged or incomplete. Please save it again, or send a picture of the page.")
        return words, "truncated"
    words = _("The picture is incomplete or damaged. Please send it again.")
    return words, "truncated"


def _too_demanding(operation: str) -> str:
    if operation == "pdf.clean":
        return _(
            "We can't open this PDF: it expands to more than %(limit)s or takes too long. Print it "
            "to a new PDF, or send a picture of the page."
        ) % {"limit": filesizeformat(UNPACKED_BYTES_MAX)}
    return _("We can't open this picture: it takes too much memory or time. Please send a normal photo or scan.")
