"""Finding the machine-readable zone on a picture, and reading it.

The zone is the widest dark-on-light band of closely set characters: black-hat, horizontal gradient, closing, and the
bounding rectangle with its angle. It is cut out, set straight and read upright and upside down; what parses with the most
right check digits wins. On dense or white pages the band melts into its surroundings: then the lower part of the page is read
as one block of text, and the page turned so that its rows of characters lie level. Readings are counted: READS_MAX a page.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

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
LENGTH_SLIP_MAX, RUNS_MAX = 3, 3
DOCUMENT_LETTERS = "PVIAC"
# Of the page's height, from below, and how wide the block is read.
BLOCKS = ((0.45, 1200), (0.34, 1200), (0.34, 1700), (0.34, 900))
READS_MAX = 12
# Of one side to the other: two cards of 1.59 to 1 one below or beside the other.
STACKED_MIN, BESIDE_MIN = 1.15, 2.2
# Of processor time; a page of noise takes many times what a page of text does.
READING_SECONDS_MAX = 1.3
SLOW_READS_MIN, SLOW_SECONDS = 2, 0.27
SKEW_SIDE_PX, SKEW_DEGREES_MAX, SKEW_STEP, SKEW_MIN = 360, 45, 1.5, 2.5

Box = tuple[float, float, float, float]
Point = tuple[float, float]
# From a place on a strip to the place on the page, both in fractions.
ToPage = Callable[[Point], Point]


@dataclass(frozen=True)
class Reading:
    """The zone as read and where it is, in fractions of the page."""

    mrz: mrz.Mrz
    box: Box
    is_upright: bool
    language: str
    # How far the page must be turned, counter-clockwise, for its text to stand upright.
    degrees: float = 0.0
    # The ends of the zone's upper edge, in fractions of the page: what is printed is above it.
    edge: tuple[Point, Point] = ((0.0, 1.0), (1.0, 1.0))

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
    degrees: float
    to_page: ToPage

    @property
    def is_straight(self) -> bool:
        return abs(self.degrees) < STRAIGHT_DEGREES


@dataclass(frozen=True)
class Strip:
    """A piece of the page to read. degrees: how far the page was turned, counter-clockwise, for its text to stand upright."""

    picture: np.ndarray
    box: Box
    is_upright: bool
    degrees: float
    to_page: ToPage


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
    started = time.process_time()
    for count, strip in enumerate(itertools.islice(_strips(grey), READS_MAX)):
        spent = time.process_time() - started
        if spent > READING_SECONDS_MAX or (count >= SLOW_READS_MIN and spent > SLOW_SECONDS * count):
            break
        read = _read(strip.picture, language, today)
        if read is None:
            continue
        parsed, top = read
        if best is None or len(parsed.failed) < len(best.mrz.failed):
            edge = strip.to_page((0.0, top)), strip.to_page((1.0, top))
            best = Reading(parsed, strip.box, strip.is_upright, language, strip.degrees, edge)
        if parsed.is_valid:
            break
    return best


def _strips(grey: np.ndarray) -> Iterator[Strip]:
    """List what to read, likeliest first: bands both ways up, blocks of the page, both on the page set level, bands sharpened."""
    bands = list(_bands(grey))
    yield from _both_ways(bands)
    sideways = cv2.rotate(grey, cv2.ROTATE_90_CLOCKWISE)
    beside = [
        Band(band.picture, _unturned(band.box), band.degrees - 90, _after(band.to_page, _unturned_point))
        for band in _bands(sideways)
    ]
    if not any(band.box[2] > 0.5 for band in bands):
        yield from _both_ways(beside)
    yield from _of_two_sides(grey)
    yield from _blocks(grey)
    skew = skew_of(grey)
    if abs(skew) >= SKEW_MIN:
        level = turned(grey, skew)
        for strip in (*_both_ways(list(_bands(level))[:2], degrees=skew), *_blocks(level, degrees=skew)):
            back = _after(strip.to_page, lambda place: point_before_turning(grey.shape, skew, place))
            yield Strip(strip.picture, (0.0, 0.0, 1.0, 1.0), False, strip.degrees, back)
    blurred = [*bands[:2], *beside[:1]]
    yield from _both_ways([replace(band, picture=_sharpened(band.picture)) for band in blurred])


def _both_ways(bands: list[Band], *, degrees: float = 0.0) -> Iterator[Strip]:
    for band in bands:
        yield Strip(band.picture, band.box, band.is_straight and not degrees, degrees + band.degrees, band.to_page)
        flipped = cv2.rotate(band.picture, cv2.ROTATE_180)
        yield Strip(flipped, band.box, False, degrees + band.degrees + 180, _after(_flipped, band.to_page))


def _of_two_sides(grey: np.ndarray) -> Iterator[Strip]:
    """Cut each half of a picture that may hold both sides of a card, the likelier half first."""
    height, width = grey.shape
    if height > STACKED_MIN * width:
        halves = [(0.0, 0.5, 1.0, 0.5), (0.0, 0.0, 1.0, 0.5)]
    elif width > BESIDE_MIN * height:
        halves = [(0.5, 0.0, 0.5, 1.0), (0.0, 0.0, 0.5, 1.0)]
    else:
        return
    for left, top, across, down in halves:
        part = grey[
            round(top * height) : round((top + down) * height), round(left * width) : round((left + across) * width)
        ]
        back = _in_the_part(left, top, across, down)
        for strip in (*_both_ways(list(_bands(part))[:1]), *itertools.islice(_blocks(part), 1)):
            box = (left + strip.box[0] * across, top + strip.box[1] * down, strip.box[2] * across, strip.box[3] * down)
            yield replace(strip, box=box, to_page=_after(strip.to_page, back))


def _blocks(grey: np.ndarray, *, degrees: float = 0.0) -> Iterator[Strip]:
    """Cut the lower part of the page, as it is and turned upside down, at two sizes each."""
    flipped = cv2.rotate(grey, cv2.ROTATE_180)
    for page, share, width, is_flipped in (
        *((grey, share, width, False) for share, width in BLOCKS[:3]),
        *((flipped, share, width, True) for share, width in BLOCKS[:1]),
        *((grey, share, width, False) for share, width in BLOCKS[3:]),
    ):
        part = page[round(page.shape[0] * (1 - share)) :]
        factor = width / part.shape[1]
        method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        block = cv2.resize(part, None, fx=factor, fy=factor, interpolation=method)
        box = (0.0, 0.0, 1.0, share) if is_flipped else (0.0, 1 - share, 1.0, share)
        # The zone's place in the block isn't known: a field is shown as the whole block.
        even = cv2.normalize(block, np.empty_like(block), 0, 255, cv2.NORM_MINMAX)
        lower = _in_the_lower(share)
        yield Strip(even, box, False, degrees + 180 * is_flipped, _after(lower, _flipped) if is_flipped else lower)


def _after(first: ToPage, then: ToPage) -> ToPage:
    return lambda place: then(first(place))


def _flipped(place: Point) -> Point:
    return 1 - place[0], 1 - place[1]


def _unturned_point(place: Point) -> Point:
    return place[1], 1 - place[0]


def _in_the_part(left: float, top: float, across: float, down: float) -> ToPage:
    return lambda place: (left + place[0] * across, top + place[1] * down)


def _in_the_lower(share: float) -> ToPage:
    return lambda place: (place[0], 1 - share + place[1] * share)


def _turning(shape: tuple[int, ...], degrees: float) -> tuple[np.ndarray, tuple[int, int]]:
    """Make the matrix that turns a page counter-clockwise, and the size (width, height) that holds all of it."""
    height, width = shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
    size = round(height * sin + width * cos), round(height * cos + width * sin)
    turn[0, 2] += size[0] / 2 - width / 2
    turn[1, 2] += size[1] / 2 - height / 2
    return turn, size


def turned(picture: np.ndarray, degrees: float) -> np.ndarray:
    """Turn a picture counter-clockwise on a canvas that holds all of it."""
    turn, size = _turning(picture.shape, degrees)
    return cv2.warpAffine(picture, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def point_after_turning(shape: tuple[int, ...], degrees: float, place: Point) -> Point:
    """Follow a point through `turned`, in fractions of both pictures."""
    turn, size = _turning(shape, degrees)
    x, y = turn @ (place[0] * shape[1], place[1] * shape[0], 1.0)
    return float(x / size[0]), float(y / size[1])


def point_before_turning(shape: tuple[int, ...], degrees: float, place: Point) -> Point:
    """Follow a point back through `turned`, in fractions of both pictures."""
    turn, size = _turning(shape, degrees)
    x, y = cv2.invertAffineTransform(turn) @ (place[0] * size[0], place[1] * size[1], 1.0)
    return float(x / shape[1]), float(y / shape[0])


def skew_of(grey: np.ndarray) -> float:
    """Estimate by how many degrees, counter-clockwise, the page must be turned for its rows of characters to lie level.

    Rows of text alternate with empty rows: at the right angle the sums over rows differ most.
    """
    factor = SKEW_SIDE_PX / max(grey.shape)
    small = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    ink = cv2.morphologyEx(small, cv2.MORPH_BLACKHAT, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
    side = round(max(ink.shape) * 1.42)
    canvas = np.zeros((side, side), "uint8")
    top, left = (side - ink.shape[0]) // 2, (side - ink.shape[1]) // 2
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    steps = round(SKEW_DEGREES_MAX / SKEW_STEP)

    def sharpness(degrees: float) -> float:
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), degrees, 1.0)
        rows = cv2.warpAffine(canvas, turn, (side, side)).sum(axis=1, dtype=np.float64)
        return float(np.square(np.diff(rows)).sum())

    return max((step * SKEW_STEP for step in range(-steps, steps + 1)), key=sharpness)


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
        cut, to_page = _cut(grey, (cx / scale, cy / scale), (w / scale, h / scale), angle)
        yield Band(cut, box, angle, to_page)


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


def _cut(
    grey: np.ndarray, centre: tuple[float, float], size: tuple[float, float], angle: float
) -> tuple[np.ndarray, ToPage]:
    """Turn the picture about the band's centre and cut the band out, with some air around it."""
    width, height = size[0] * 1.06 + 20, size[1] * 1.35 + 24
    turn = cv2.getRotationMatrix2D(centre, angle, 1.0)
    turn[0, 2] += width / 2 - centre[0]
    turn[1, 2] += height / 2 - centre[1]
    band = cv2.warpAffine(
        grey, turn, (round(width), round(height)), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    back, rows, columns = cv2.invertAffineTransform(turn), grey.shape[0], grey.shape[1]

    def to_page(place: Point) -> Point:
        x, y = back @ (place[0] * round(width), place[1] * round(height), 1.0)
        return float(x / columns), float(y / rows)

    # Tesseract reads best at 30 to 40 pixels a capital: a zone of 44 characters about 1,200 wide.
    factor = BAND_WIDTH_PX / band.shape[1]
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    band = cv2.resize(band, None, fx=factor, fy=factor, interpolation=method)
    return cv2.normalize(band, np.empty_like(band), 0, 255, cv2.NORM_MINMAX), to_page


def _read(strip: np.ndarray, language: str, today: dt.date | None) -> tuple[mrz.Mrz, float] | None:
    """Read a zone on a strip: what it says, and where its first line begins, as a fraction of the strip's height."""
    read = ocr.read_lines(strip, language=language, characters=ocr.MRZ_CHARACTERS)
    lines = [(re.sub(r"[^A-Z0-9<]", "", text.upper()), top) for text, top in read]
    best: tuple[mrz.Mrz, int] | None = None
    for candidate, top in _candidates([line for line in lines if len(line[0]) >= 20]):
        try:
            parsed = mrz.parse(candidate, today=today)
        except mrz.NotAnMrz:
            continue
        if best is None or len(parsed.failed) < len(best[0].failed):
            best = parsed, top
    if best is None:
        return None
    zone, top = mrz.repaired(best[0], today=today), best[1]
    # With most digits wrong it is a row of other text, not a zone.
    is_zone = len(zone.failed) <= len(zone.checks) // 2 and zone.lines[0][0] in DOCUMENT_LETTERS
    return (zone, top / strip.shape[0]) if is_zone else None


def _candidates(lines: list[tuple[str, int]]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Group neighbouring lines of about one length, each brought to it in every likely way: OCR loses or adds characters."""
    for length, count in LINE_LENGTHS.items():
        for start in range(len(lines) - count + 1):
            group = lines[start : start + count]
            if all(abs(len(line) - length) <= LENGTH_SLIP_MAX for line, _top in group):
                for fitted in itertools.product(*(_fitted(line, length) for line, _top in group)):
                    yield fitted, group[0][1]


def _fitted(line: str, length: int) -> list[str]:
    """Bring a line to its length: in a run of fillers, longest first, where OCR miscounts; or without what was read beside it."""
    surplus = len(line) - length
    if not surplus:
        return [line]
    runs = sorted(re.finditer(r"<+", line), key=lambda run: run.start() - run.end())
    fitted = []
    for start, end in [
        run.span() for run in runs[:RUNS_MAX] if run.end() - run.start() > max(surplus, 1 - (surplus == -1))
    ]:
        fitted.append(line[:start] + "<" * (end - start - surplus) + line[end:])
    if surplus > 0:
        fitted += [line[surplus:], line[:length], line[1 : length + 1]]
    else:
        fitted.append(line.ljust(length, "<"))
    return list(dict.fromkeys(fitted))


def _unturned(box: Box) -> Box:
    """Convert a box on a picture turned clockwise to the picture as it was."""
    left, top, width, height = box
    return (top, 1 - left - width, height, width)
