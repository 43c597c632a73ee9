"""A document's pages as pictures, and a PDF's own text with its places. Sizes are bounded: what is huge is drawn smaller.

Drawn in a child process (`crm.files.parsing`): what is kept was made by us, but from a stranger's file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crm.files.parsing import Limits, ParsingRefused, Pool, parse
from kyc.intake import SIDE_MAX_PX
from kyc.ocr import Word

PDF = "application/pdf"
# Somebody waits for a page; the checks have more time.
PAGE_LIMITS = Limits(cpu_seconds=6, wall_seconds=8, wait_seconds=8)
COPY_LIMITS = Limits(cpu_seconds=15, wall_seconds=25, wait_seconds=10)
SHEET_LIMITS = Limits(cpu_seconds=15, wall_seconds=30, wait_seconds=60)


__all__ = ["Drawn", "ParsingRefused", "draw", "page_picture", "whole_file"]


@dataclass(frozen=True)
class Drawn:
    """The first pages as RGB arrays; of a PDF, the words of its text layer with boxes in the pictures' pixels."""

    pictures: list[np.ndarray]
    text_layer: list[list[Word]] | None


def draw(content: bytes, content_type: str, *, pages_max: int = 3) -> Drawn:
    """Draw the first pages for the checks. Raises ParsingRefused, ParsingBusy."""
    if content_type != PDF:
        side = SIDE_MAX_PX + 1
        answer = parse(
            "image.pixels", content, limits=SHEET_LIMITS, pool=Pool.JOBS, forms=["JPEG"], pixels_max=side * side
        )
        return Drawn(_pictures(answer.facts["pages"], answer.content), None)
    answer = parse("pdf.sheet", content, limits=SHEET_LIMITS, pool=Pool.JOBS, pages_max=pages_max)
    words = [[Word(text, (box[0], box[1], box[2], box[3])) for text, box in page] for page in answer.facts["words"]]
    return Drawn(_pictures(answer.facts["pages"], answer.content), words)


def _pictures(sizes: list[list[int]], content: bytes) -> list[np.ndarray]:
    made, start = [], 0
    for width, height in sizes:
        end = start + width * height * 3
        made.append(np.frombuffer(content[start:end], np.uint8).reshape(height, width, 3))
        start = end
    return made


def page_picture(content: bytes, content_type: str, *, number: int, lines: list[str]) -> bytes:
    """Draw one page, from 1, as a JPEG with a watermark in its pixels.

    Raises IndexError (no such page), ParsingRefused, ParsingBusy.
    """
    if content_type != PDF:
        return _picture(content, lines)
    try:
        return parse("pdf.page", content, limits=PAGE_LIMITS, number=number, lines=lines).content
    except ParsingRefused as refused:
        if refused.code == "no_page":
            raise IndexError(number) from None
        raise


def whole_file(content: bytes, content_type: str, *, lines: list[str]) -> bytes:
    """Draw all pages with a watermark: a JPEG, or a PDF of pictures. Raises ParsingRefused, ParsingBusy."""
    if content_type != PDF:
        return _picture(content, lines)
    return parse("pdf.watermarked", content, limits=COPY_LIMITS, lines=lines).content


def _picture(content: bytes, lines: list[str]) -> bytes:
    most = (SIDE_MAX_PX + 1) ** 2
    return parse("image.watermarked", content, limits=PAGE_LIMITS, lines=lines, forms=["JPEG"], pixels_max=most).content
