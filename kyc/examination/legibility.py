"""Is the picture sharp, large and free of reflections? Figures only name the reason: a page that was read is legible.

Thresholds were measured on pages 1,000 pixels wide (variance of the Laplacian; its 90th percentile over tiles): a clean
page has about 1,000 and 4,000; a blur that still reads has 90 and 340; one that hardly reads 9 and 36.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from kyc.choices import DocumentKind, IssueCode
from kyc.examination.sheet import Box, Result, Sheet, failed, passed, unsure

WIDTH_PX = 1000
TILE_PX = 50
LONG_SIDE_MIN_PX = 600
BLUR_CERTAIN, BLUR_TILES_CERTAIN, BLUR_POSSIBLE = 30, 100, 150
WHITE_LEVEL, GREY_SATURATION = 252, 20
GLARE_SHARE = 0.015
BORDER_PX = 3
# Of the page: a word so near to its edge is cut off there.
EDGE, WORD_SURE = 0.004, 60


def check(sheet: Sheet) -> Iterator[Result]:
    """Measure whether a photographed page can be read: size, sharpness, light, reflections."""
    found = [] if sheet.has_words else list(_flaws(sheet))
    yield from found or [passed(score=0.8)]


def _flaws(sheet: Sheet) -> Iterator[Result]:
    page = sheet.pages[0]
    height, width = page.shape[:2]
    small = cv2.resize(page, (WIDTH_PX, max(1, round(height * WIDTH_PX / width))), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    sharp, tiles = sharpness(grey)
    sheet.measures.update(
        {
            "sharpness": round(sharp, 1),
            "sharpness_tiles": round(tiles, 1),
            "light": round(float(grey.mean()), 1),
            "width": width,
            "height": height,
        }
    )
    if max(width, height) < LONG_SIDE_MIN_PX:
        yield unsure(IssueCode.TOO_SMALL, 0.9)
    was_read = (sheet.zone is not None and sheet.zone.mrz.is_valid) or {"surname", "birth_date"} <= set(sheet.extracted)
    if sharp < BLUR_CERTAIN or tiles < BLUR_TILES_CERTAIN:
        # What was read in full is legible, however soft it looks.
        yield unsure(IssueCode.BLUR, 0.6) if was_read else failed(IssueCode.BLUR, 0.95)
    elif sharp < BLUR_POSSIBLE and not was_read:
        yield unsure(IssueCode.BLUR, 0.6)
    if (edge := cut_word(sheet)) is not None:
        yield unsure(IssueCode.CROPPED, 0.6, page=edge[0], box=edge[1])
    if sheet.kind != DocumentKind.PROOF_OF_ADDRESS:
        glare = largest_reflection(small)
        if glare is not None:
            box, share = glare
            sheet.measures["glare_share"] = round(share, 4)
            covers_zone = sheet.zone is None and sheet.wants_zone
            score = 0.95 if covers_zone else min(0.9, 0.5 + share * 5)
            yield failed(IssueCode.GLARE, score, box=box) if covers_zone else unsure(IssueCode.GLARE, score, box=box)


def cut_word(sheet: Sheet) -> tuple[int, Box] | None:
    """Find a word that ends at the picture's edge: the document goes on beyond it. None on pages that were turned to be read."""
    page = sheet.printed
    if page is None or page.is_turned or not page.layers:
        return None
    for word in page.layers[0].words:
        left, top, width, height = page.place(word)
        is_at_edge = left <= EDGE or top <= EDGE or left + width >= 1 - EDGE
        if is_at_edge and word.confidence >= WORD_SURE and sum(map(str.isalnum, word.text)) >= 4:
            return page.page_number, (left, top, width, height)
    return None


def is_sharp(page: np.ndarray) -> bool:
    """Tell whether a picture is sharp enough for a page of text to be read on it."""
    height, width = page.shape[:2]
    small = cv2.resize(page, (WIDTH_PX, max(1, round(height * WIDTH_PX / width))), interpolation=cv2.INTER_AREA)
    return sharpness(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))[0] >= BLUR_CERTAIN


def sharpness(grey: np.ndarray) -> tuple[float, float]:
    """Measure (variance of the Laplacian over the page, its 90th percentile over tiles)."""
    edges = cv2.Laplacian(grey, cv2.CV_64F)
    rows, columns = edges.shape[0] // TILE_PX, edges.shape[1] // TILE_PX
    if not rows or not columns:
        return float(edges.var()), float(edges.var())
    tiles = edges[: rows * TILE_PX, : columns * TILE_PX].reshape(rows, TILE_PX, columns, TILE_PX).var(axis=(1, 3))
    return float(edges.var()), float(np.percentile(tiles, 90))


def largest_reflection(small: np.ndarray) -> tuple[Box, float] | None:
    """Find the largest burnt-out spot and its share of the page, when it is large enough to hide something.

    A spot along the page's whole border is the table or scanner beneath, not a reflection.
    """
    hsv = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)
    burnt = ((hsv[..., 2] >= WHITE_LEVEL) & (hsv[..., 1] < GREY_SATURATION)).astype("uint8")
    burnt = cv2.morphologyEx(burnt, cv2.MORPH_OPEN, np.ones((5, 5), "uint8"))
    count, _labels, stats, _centres = cv2.connectedComponentsWithStats(burnt, connectivity=8)
    height, width = burnt.shape
    best: tuple[Box, float] | None = None
    for left, top, box_width, box_height, area in stats[1:count]:
        share = float(area) / (height * width)
        sides = sum(
            (
                left <= BORDER_PX,
                top <= BORDER_PX,
                left + box_width >= width - BORDER_PX,
                top + box_height >= height - BORDER_PX,
            )
        )
        if share < GLARE_SHARE or sides >= 2 or (best is not None and share <= best[1]):
            continue
        best = (float(left / width), float(top / height), float(box_width / width), float(box_height / height)), share
    return best
