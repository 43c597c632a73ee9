"""Several cleaned files of one document as one PDF, in their order."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

from .refusal import Refusal

Result = tuple[dict[str, Any], bytes]
PDF = "application/pdf"
# A4's width: what a picture is scaled to, so that a page of a PDF and a photo of one are equally large.
WIDTH_PT = 595


def join(file: BinaryIO, *, parts: list[list[Any]], pages_max: int) -> Result:
    """Join JPEGs and PDFs, which lie in the file one after another, each named by type and length. Refusal: `pages` (pages)."""
    import pikepdf

    made = pikepdf.new()
    for kind, size in parts:
        content = file.read(size)
        if kind == PDF:
            with pikepdf.open(io.BytesIO(content)) as pdf:
                made.pages.extend(pdf.pages)
        else:
            _add_picture(made, content)
        if len(made.pages) > pages_max:
            raise Refusal("pages", pages=len(made.pages))
    out = io.BytesIO()
    made.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return {"pages": len(made.pages)}, out.getvalue()


def _add_picture(made: Any, content: bytes) -> None:
    """Put a JPEG on a page of its own, as it is: compressed again it would lose the hints of what was done to it."""
    import pikepdf
    from PIL import Image

    width, height = Image.open(io.BytesIO(content), formats=["JPEG"]).size
    image = pikepdf.Stream(
        made,
        content,
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image,
        Width=width,
        Height=height,
        ColorSpace=pikepdf.Name.DeviceRGB,
        BitsPerComponent=8,
        Filter=pikepdf.Name.DCTDecode,
    )
    tall = round(WIDTH_PT * height / width)
    page = made.add_blank_page(page_size=(WIDTH_PT, max(3, tall)))
    page.add_resource(image, pikepdf.Name.XObject, pikepdf.Name.Im0)
    page.contents_add(f"q {WIDTH_PT} 0 0 {tall} 0 0 cm /Im0 Do Q".encode())


OPERATIONS = {"join": join}
