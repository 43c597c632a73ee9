"""QR codes, drawn here so that no other host learns of what they say: as SVG in a page or file, and as PNG."""

from __future__ import annotations

from io import BytesIO
from typing import Final

import qrcode
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from PIL import Image

QUIET_ZONE: Final = 2  # modules of white around the code, on a white ground
PIXELS_PER_MODULE: Final = 16


def matrix(text: str) -> list[list[bool]]:
    """Encode a text; True is a dark module. The border is included."""
    code = qrcode.QRCode(border=QUIET_ZONE, error_correction=qrcode.ERROR_CORRECT_M)
    code.add_data(text)
    rows: list[list[bool]] = code.get_matrix()
    return rows


def _path(rows: list[list[bool]]) -> str:
    return "".join(f"M{x} {y}h1v1h-1z" for y, line in enumerate(rows) for x, is_dark in enumerate(line) if is_dark)


def svg(text: str, *, label: str) -> SafeString:
    """Draw a code as SVG; `label` is its name for screen readers. Good inside a page and as a file."""
    rows = matrix(text)
    size = len(rows)
    return format_html(
        '<svg class="k-qr" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {0}" role="img" aria-label="{1}" '
        'shape-rendering="crispEdges"><rect width="{0}" height="{0}" fill="#fff"/><path d="{2}" fill="#000"/></svg>',
        size,
        label,
        mark_safe(_path(rows)),  # noqa: S308  numbers of our own
    )


def png(text: str) -> bytes:
    """Draw a code as a black and white PNG, large enough for print."""
    rows = matrix(text)
    size = len(rows)
    image = Image.new("1", (size, size), 1)
    image.putdata([0 if is_dark else 255 for line in rows for is_dark in line])
    file = BytesIO()
    image.resize((size * PIXELS_PER_MODULE,) * 2, Image.Resampling.NEAREST).save(file, "PNG", optimize=True)
    return file.getvalue()
