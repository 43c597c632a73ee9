"""Finding the machine-readable zone on a picture, and reading it.

The zone is the widest dark-on-light band of closely set characters: black-hat, horizontal gradient, closing, and the
bounding rectangle with its angle. It is cut out, set straight and read upright and upside down; what parses with the most
right check digits wins.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from kyc import mrz, ocr

WIDTH_PX = 1000
BAND_WIDTH_PX = 1200
SHARP_WIDTH_PX = 1000
STRAIGHT_DEGREES = 2.5
EDGE = 0.004
CANDIDATES_MAX = 4
LINE_LENGTHS = {30: 3, 36: 2, 44: 2}

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Reading:
    """The zone as read and where it is, in fractions of the page."""

    mrz: mrz.Mrz
    box: Box
    is_upright: bool
    language: str

    @property
    def touches_edge(self) -> bool:
        left, top, width, height = self.box
        return left <= EDGE or top <= EDGE or left + width >= 1 - EDGE or top + height >= 1 - EDGE

    def box_of(self, line: int, start: int, end: int) -> Box:
        """Locate some characters of a line; the whole zone when the page is turned."""
        if not self.is_upright:
            return self.box
        left, top, width, height = self.box
        row, length = height / len(self.mrz.lines), len(self.mrz.lines[0])
        return (left + width * start / length, top + row * line, width * (end - start) / length, row)


@dataclass(frozen=True)
class Band:
    picture: np.ndarray
    box: Box
    is_straight: bool


def find_and_read(picture: np.ndarray, *, today: dt.date | None = None) -> Reading | None:
    """Read the zone on a grey or RGB picture; None where no zone can be read.

    Of several readings the one with the fewest failed check digits counts. Raises: LookupError when this server has no data to
    read text with.
    """
    language = ocr.best_for_mrz()
    if language is None:
        raise LookupError("no Tesseract data for machine-readable zones")
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    best: Reading | None = None
    for strip, box, is_upright in _strips(grey):
        parsed = _read(strip, language, today)
        if parsed is None:
            continue
        if best is None or len(parsed.failed) < len(best.mrz.failed):
            best = Reading(parsed, box, is_upright, language)
        if parsed.is_valid:
            break
    return best


def _strips(grey: np.ndarray) -> Iterator[tuple[np.ndarray, Box, bool]]:
    """List what to read, likeliest first: each band both ways up; then sharpened, which rescues a blurred picture."""
    bands = list(_bands(grey))
    if not any(band.box[2] > 0.5 for band in bands):
        turned = cv2.rotate(grey, cv2.ROTATE_90_CLOCKWISE)
        bands += [Band(band.picture, _unturned(band.box), False) for band in _bands(turned)]
    for sharpen in (False, True):
        for band in bands:
            strip = _sharpened(band.picture) if sharpen else band.picture
            yield strip, band.box, band.is_straight
            yield cv2.rotate(strip, cv2.ROTATE_180), band.box, False


def _sharpened(band: np.ndarray) -> np.ndarray:
    """Unsharp mask over about one stroke's width."""
    strip = cv2.resize(band, None, fx=SHARP_WIDTH_PX / band.shape[1], fy=SHARP_WIDTH_PX / band.shape[1])
    return cv2.addWeighted(strip, 2.5, cv2.GaussianBlur(strip, (0, 0), 2.5), -1.5, 0)


def _bands(grey: np.ndarray) -> Iterator[Band]:
    """Cut out and straighten what may be a zone, likeliest first, with boxes in fractions."""
    height, width = grey.shape
    scale = WIDTH_PX / width
    small = cv2.resize(grey, (WIDTH_PX, max(1, round(height * scale))), interpolation=cv2.INTER_AREA)
    for rect in _rectangles(small):
        (cx, cy), (w, h), angle = rect
        if w < h:
            w, h, angle = h, w, angle - 90 if angle > 0 else angle + 90
        if w < 0.35 * WIDTH_PX or not 3.5 <= w / max(h, 1) <= 40:
            continue
        left, top, box_w, box_h = cv2.boundingRect(cv2.boxPoints(((cx, cy), (w, h), angle)))
        box = (left / small.shape[1], top / small.shape[0], box_w / small.shape[1], box_h / small.shape[0])
        cut = _cut(grey, (cx / scale, cy / scale), (w / scale, h / scale), angle)
        yield Band(cut, box, abs(angle) < STRAIGHT_DEGREES)


def _rectangles(small: np.ndarray) -> list[tuple[Sequence[float], Sequence[float], float]]:
    smooth = cv2.GaussianBlur(small, (3, 3), 0)
    dark = cv2.morphologyEx(smooth, cv2.MORPH_BLACKHAT, cv2.getStructuringElement(cv2.MORPH_RECT, (21, 13)))
    gradient = np.absolute(cv2.Sobel(dark, cv2.CV_32F, 1, 0, ksize=-1))
    top = float(gradient.max())
    if top < 1:
        return []
    edges = (gradient * (255 / top)).astype("uint8")
    joined = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, (23, 7)))
    _level, mask = cv2.threshold(joined, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, (25, 33)))
    mask = cv2.erode(mask, np.ones((3, 3), "uint8"), iterations=3)
    contours, _hierarchy = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    widest = sorted((cv2.minAreaRect(c) for c in contours), key=lambda rect: max(rect[1]), reverse=True)
    return widest[:CANDIDATES_MAX]


def _cut(grey: np.ndarray, centre: tuple[float, float], size: tuple[float, float], angle: float) -> np.ndarray:
    """Turn the picture about the band's centre and cut the band out, with some air around it."""
    width, height = size[0] * 1.06 + 20, size[1] * 1.35 + 24
    turn = cv2.getRotationMatrix2D(centre, angle, 1.0)
    turn[0, 2] += width / 2 - centre[0]
    turn[1, 2] += height / 2 - centre[1]
    band = cv2.warpAffine(
        grey, turn, (round(width), round(height)), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    # Tesseract reads best at 30 to 40 pixels a capital: a zone of 44 characters about 1,200 wide.
    factor = BAND_WIDTH_PX / band.shape[1]
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    band = cv2.resize(band, None, fx=factor, fy=factor, interpolation=method)
    return cv2.normalize(band, np.empty_like(band), 0, 255, cv2.NORM_MINMAX)


def _read(strip: np.ndarray, language: str, today: dt.date | None) -> mrz.Mrz | None:
    text = ocr.read_block(strip, language=language, characters=ocr.MRZ_CHARACTERS)
    lines = [re.sub(r"[^A-Z0-9<]", "", line) for line in text.upper().splitlines()]
    best: mrz.Mrz | None = None
    for candidate in _candidates([line for line in lines if len(line) >= 20]):
        try:
            parsed = mrz.parse(candidate, today=today)
        except mrz.NotAnMrz:
            continue
        parsed = mrz.with_number_repaired(parsed, today=today)
        if best is None or len(parsed.failed) < len(best.failed):
            best = parsed
    # With most digits wrong it is a row of other text, not a zone.
    return best if best is not None and len(best.failed) <= len(best.checks) // 2 else None


def _candidates(lines: list[str]) -> Iterator[list[str]]:
    """Group neighbouring lines of about one length, filled or trimmed to it: OCR loses or adds fillers at the end."""
    for length, count in LINE_LENGTHS.items():
        for start in range(len(lines) - count + 1):
            group = lines[start : start + count]
            if all(abs(len(line) - length) <= 3 for line in group):
                yield [_fitted(line, length, is_last=row == count - 1) for row, line in enumerate(group)]


def _fitted(line: str, length: int, *, is_last: bool) -> str:
    """Lengthen or shorten a line in its longest run of fillers, where OCR miscounts."""
    if len(line) == length:
        return line
    runs = sorted(re.finditer(r"<{2,}", line), key=lambda run: run.end() - run.start())
    if not runs:
        return line.ljust(length, "<")[:length]
    start, end = runs[-1].span()
    filled = max(0, end - start + length - len(line))
    return (line[:start] + "<" * filled + line[end:])[:length].ljust(length, "<")


def _unturned(box: Box) -> Box:
    """Convert a box on a picture turned clockwise to the picture as it was."""
    left, top, width, height = box
    return (top, 1 - left - width, height, width)
