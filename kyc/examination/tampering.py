"""Hints that a file was edited: what its maker left in it, and parts with another past.

Hints only: honest clients crop, compress and convert. Each is a warning to the officer and keeps the policy from approving
without one; none is a reason to reject.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from kyc.choices import IssueCode
from kyc.examination.sheet import Box, Result, Sheet, passed, unsure

GHOST_QUALITIES = (55, 60, 65, 70, 75, 80, 85)
BLOCK_PX, GHOST_PIXELS_MAX = 8, 2_400_000
# Variance of a block of 8 × 8: below, no edge of a letter is in it.
TEXTURE_MIN = 60
# A block that was compressed at a quality before hardly changes when it is compressed so again.
SAME_PAST_MAX, OTHER_PAST_MIN = 0.45, 0.8
SHARE_WITH_PAST_MIN, CLUSTER_SHARE_MIN, CLUSTER_BLOCKS_MIN = 0.6, 0.4, 14


def check(sheet: Sheet) -> Iterator[Result]:
    """Collect hints: the program that saved the file, later changes and mixed fonts of a PDF, parts compressed otherwise."""
    found: list[Result] = []
    editor, updates = sheet.traces.get("editor", ""), sheet.traces.get("updates", 0)
    if editor:
        found.append(unsure(IssueCode.EDITED, 0.6, found=editor))
    if updates or sheet.traces.get("changed_later"):
        found.append(unsure(IssueCode.PDF_CHANGED, 0.5))
    if sheet.traces.get("mixed_words"):
        found.append(unsure(IssueCode.FONTS_DIFFER, 0.5))
    if not sheet.has_words and (ghost := pasted_part(sheet.pages[0])) is not None:
        found.append(unsure(IssueCode.PARTS_DIFFER, 0.5, box=ghost))
    yield from found or [passed(score=0.6)]


def pasted_part(page: np.ndarray) -> Box | None:
    """Find a part of a JPEG that was not compressed together with the rest; None where all has one past, or none is known.

    After Farid's JPEG ghosts (2009): most of an edited page carries the marks of its first compression, what was pasted doesn't.
    """
    page = _core(page)
    grey = cv2.cvtColor(page, cv2.COLOR_RGB2GRAY)
    rows, columns = grey.shape[0] // BLOCK_PX, grey.shape[1] // BLOCK_PX
    grey = np.ascontiguousarray(grey[: rows * BLOCK_PX, : columns * BLOCK_PX])
    textured = _per_block(grey.astype(np.float32), np.var) > TEXTURE_MIN
    if textured.sum() < 4 * CLUSTER_BLOCKS_MIN:
        return None
    residuals = np.stack([_residual(grey, quality) for quality in GHOST_QUALITIES])
    for number in range(1, len(GHOST_QUALITIES) - 1):
        beside = (residuals[number - 1] + residuals[number + 1]) / 2 + 0.05
        dip = residuals[number] / beside
        with_past = float((dip[textured] < SAME_PAST_MAX).mean())
        if with_past >= SHARE_WITH_PAST_MIN:
            return _cluster(textured & (dip > OTHER_PAST_MIN), textured, (rows, columns))
    return None


def _core(page: np.ndarray) -> np.ndarray:
    """Keep the middle of a large picture, on the grid of its blocks."""
    height, width = page.shape[:2]
    if height * width <= GHOST_PIXELS_MAX:
        return page
    share = (1 - (GHOST_PIXELS_MAX / (height * width)) ** 0.5) / 2
    top, left = (int(side * share) // BLOCK_PX * BLOCK_PX for side in (height, width))
    return page[top : height - top, left : width - left]


def _residual(grey: np.ndarray, quality: int) -> np.ndarray:
    _done, packed = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])
    again = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE))
    return _per_block(np.square(grey.astype(np.float32) - again.astype(np.float32)), np.mean)


def _per_block(values: np.ndarray, function: object) -> np.ndarray:
    rows, columns = values.shape[0] // BLOCK_PX, values.shape[1] // BLOCK_PX
    blocks = values.reshape(rows, BLOCK_PX, columns, BLOCK_PX)
    return np.asarray(function(blocks, axis=(1, 3)))  # type: ignore[operator]


def _cluster(strange: np.ndarray, textured: np.ndarray, shape: tuple[int, int]) -> Box | None:
    """Find a group of blocks without the past of the others that fills its surroundings, as a pasted word does."""
    joined = cv2.dilate(strange.astype("uint8"), np.ones((3, 5), "uint8"))
    count, _labels, stats, _centres = cv2.connectedComponentsWithStats(joined, connectivity=8)
    best, most = None, CLUSTER_BLOCKS_MIN - 1
    for left, top, width, height, _area in stats[1:count]:
        inside = (slice(top, top + height), slice(left, left + width))
        found, of = int(strange[inside].sum()), int(textured[inside].sum())
        if width > height and found > most and found >= CLUSTER_SHARE_MIN * of:
            best, most = (left, top, width, height), found
    if best is None:
        return None
    rows, columns = shape
    left, top, width, height = best
    return (float(left / columns), float(top / rows), float(width / columns), float(height / rows))
