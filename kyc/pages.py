"""A document's pages as pictures, and a PDF's own text with its places. Sizes are bounded: what is huge is drawn smaller."""

from __future__ import annotations

import io

import numpy as np
import pypdfium2 as pdfium
from PIL import Image

from kyc.ocr import Word

PDF = "application/pdf"
PAGES_MAX = 20
LONG_SIDE_PX = 1800
SCALE_MAX = 4.0


def pictures(content: bytes, content_type: str, *, pages_max: int = 3) -> list[np.ndarray]:
    """The first pages as RGB arrays."""
    if content_type != PDF:
        with Image.open(io.BytesIO(content)) as image:
            return [np.array(image.convert("RGB"))]
    document = pdfium.PdfDocument(content)
    try:
        return [
            np.array(document[number].render(scale=_scale(document[number])).to_pil().convert("RGB"))
            for number in range(min(len(document), pages_max))
        ]
    finally:
        document.close()


def page_png(content: bytes, *, number: int) -> bytes:
    """One page of a PDF, from 1, drawn as PNG. Raises IndexError when there is no such page."""
    document = pdfium.PdfDocument(content)
    try:
        if not 1 <= number <= min(len(document), PAGES_MAX):
            raise IndexError(number)
        page = document[number - 1]
        out = io.BytesIO()
        page.render(scale=_scale(page)).to_pil().save(out, "PNG", compress_level=3)
        return out.getvalue()
    finally:
        document.close()


def text_layer(content: bytes, *, pages_max: int = 3) -> list[list[Word]]:
    """The words of a PDF's first pages with boxes in pixels of `pictures`; empty lists for a scan."""
    document = pdfium.PdfDocument(content)
    try:
        return [_words(document[number]) for number in range(min(len(document), pages_max))]
    finally:
        document.close()


def _scale(page: pdfium.PdfPage) -> float:
    longest = max(page.get_width(), page.get_height(), 1.0)
    return min(SCALE_MAX, LONG_SIDE_PX / longest)


def _words(page: pdfium.PdfPage) -> list[Word]:
    text = page.get_textpage()
    scale, height = _scale(page), page.get_height()
    words: list[Word] = []
    for index in range(text.count_rects()):
        left, bottom, right, top = text.get_rect(index)
        line = text.get_text_bounded(left, bottom, right, top).strip()
        pieces = line.split()
        if not pieces:
            continue
        # A rectangle is a run of text in one style: its words share its width by their length.
        step = (right - left) / max(1, len(line))
        at = 0
        for piece in pieces:
            at = line.find(piece, at)
            box = (
                round((left + at * step) * scale), round((height - top) * scale), max(1, round(len(piece) * step * scale)),
                max(1, round((top - bottom) * scale)),
            )  # fmt: skip
            words.append(Word(piece, box))
            at += len(piece)
    return words
