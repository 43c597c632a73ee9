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


CHARACTERS_MAX = 20_000


def _words(page: pdfium.PdfPage) -> list[Word]:
    """Characters with their boxes, put together to words at spaces and line ends."""
    text = page.get_textpage()
    scale, height = _scale(page), page.get_height()
    words: list[Word] = []
    letters: list[str] = []
    edges: list[tuple[float, float, float, float]] = []

    def close() -> None:
        if letters:
            left, bottom = min(edge[0] for edge in edges), min(edge[1] for edge in edges)
            right, top = max(edge[2] for edge in edges), max(edge[3] for edge in edges)
            box = (
                round(left * scale), round((height - top) * scale), max(1, round((right - left) * scale)),
                max(1, round((top - bottom) * scale)),
            )  # fmt: skip
            words.append(Word("".join(letters), box))
            letters.clear()
            edges.clear()

    for index in range(min(text.count_chars(), CHARACTERS_MAX)):
        character = chr(pdfium.raw.FPDFText_GetUnicode(text, index))
        if character.isspace() or not character.isprintable():
            close()
            continue
        edge = text.get_charbox(index)
        if edges and abs(edge[1] - edges[-1][1]) > max(2.0, edges[-1][3] - edges[-1][1]):
            close()  # another line without a line end between
        letters.append(character)
        edges.append(edge)
    close()
    return words
