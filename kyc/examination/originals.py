"""Is it the document itself? Photos of a screen, printed copies and screenshots give themselves away.

A screen's pixel grid and a printer's raster cover the whole picture: the same sharp peaks stand in the spectrum of every part of
it. Text and guilloche repeat as well, but elsewhere in another way. None of this is proof: a person compares, or the client sends
a picture of the original.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from kyc.choices import IssueCode
from kyc.examination.sheet import Result, Sheet, failed, passed, unsure

TILE_PX, TILES_MAX, TILES_MIN = 256, 24, 4
# Cycles per pixel: below are the page's own shapes. Half degrees: beside the axes are the edges of JPEG's blocks.
FREQUENCY_MIN, ANGLES, AXIS_ANGLES, OTHER_DIRECTION, RAY_PX = 0.07, 720, 1, 80, 31
# Measured: 162 public pictures of documents reach 1.1, drawn ones turned at an angle 1.3, photos of screens begin at 2.0.
RASTER_CERTAIN, RASTER_POSSIBLE = 2.5, 1.8
# Of the Lab colour planes, whose neutral is 128: a copy in black and white has one tint all over.
COLOUR_SPREAD_MIN = 1.6


def check(sheet: Sheet) -> Iterator[Result]:
    """Look for signs that the picture shows a screen or a copy instead of the document."""
    if sheet.has_words:
        yield passed(score=0.6)
        return
    page = sheet.pages[sheet.measures.get("zone_page", 1) - 1]
    grey = cv2.cvtColor(page, cv2.COLOR_RGB2GRAY)
    raster, colour = raster_strength(grey), colour_spread(page)
    sheet.measures.update({"raster": round(raster, 2), "colour": round(colour, 1)})
    found = []
    if raster >= RASTER_CERTAIN:
        found.append(failed(IssueCode.SCREEN_PHOTO, min(0.95, raster / 4)))
    elif raster >= RASTER_POSSIBLE:
        found.append(unsure(IssueCode.SCREEN_PHOTO, 0.5))
    if colour < COLOUR_SPREAD_MIN:
        found.append(unsure(IssueCode.NO_COLOUR, 0.8))
    if sheet.traces.get("screenshot"):
        found.append(failed(IssueCode.SCREENSHOT, 0.9))
    yield from found or [passed(score=0.7)]


def raster_strength(grey: np.ndarray) -> float:
    """Measure the raster that the spectra of all parts of a picture share: the weaker of its two directions' sharpest peaks, above
    what is around it (natural logarithm)."""
    tiles = list(_tiles(grey))
    if len(tiles) < TILES_MIN:
        return 0.0
    window = np.outer(np.hanning(TILE_PX), np.hanning(TILE_PX)).astype(np.float32)
    spectra = []
    for tile in tiles:
        level = tile.astype(np.float32)
        level -= cv2.GaussianBlur(level, (0, 0), 6)
        spectra.append(np.log(np.abs(np.fft.fftshift(np.fft.fft2(level * window))) + 1.0))
    # A low share of the tiles, not their mean: one tile of dense print must not speak for the page.
    common = np.percentile(np.stack(spectra), 30, axis=0).astype(np.float32)
    centre = (TILE_PX / 2, TILE_PX / 2)
    rays = cv2.warpPolar(common, (TILE_PX // 2, ANGLES), centre, TILE_PX / 2, cv2.WARP_POLAR_LINEAR)[: ANGLES // 2]
    # The edges of straight text are rays through the whole spectrum, a raster is points: both surroundings count.
    along = cv2.blur(rays, (RAY_PX, 1))
    around = cv2.blur(cv2.medianBlur(rays, 5), (13, 25))
    rise = cv2.GaussianBlur(rays - np.maximum(along, around), (3, 3), 0)
    rise[:, : round(FREQUENCY_MIN * TILE_PX)] = 0
    quarter = ANGLES // 4
    for axis in (0, quarter, ANGLES // 2):
        rise[max(0, axis - AXIS_ANGLES) : axis + AXIS_ANGLES + 1] = 0
    best = rise.max(axis=1)
    # A raster has rows and columns: lines in one direction, as on security paper, are none.
    first = int(best.argmax())
    turned = np.abs((np.arange(len(best)) - first + quarter) % (2 * quarter) - quarter)
    return float(best[turned > OTHER_DIRECTION].max())


def _tiles(grey: np.ndarray) -> Iterator[np.ndarray]:
    """Cut tiles evenly spread over the picture, at its own resolution: a smaller picture has lost the grid."""
    rows, columns = grey.shape[0] // TILE_PX, grey.shape[1] // TILE_PX
    places = [(row * TILE_PX, column * TILE_PX) for row in range(rows) for column in range(columns)]
    for top, left in places[:: max(1, -(-len(places) // TILES_MAX))]:
        yield grey[top : top + TILE_PX, left : left + TILE_PX]


def colour_spread(page: np.ndarray) -> float:
    """Measure how far the page's colours differ from one tint."""
    height, width = page.shape[:2]
    middle = page[height // 5 : height - height // 5, width // 5 : width - width // 5]  # without the table
    small = cv2.resize(middle, (256, 256), interpolation=cv2.INTER_AREA)
    planes = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)[..., 1:].astype(np.float32)
    return float(np.sqrt(planes.var(axis=(0, 1)).sum()))
