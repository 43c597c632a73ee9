"""What is printed on an identity document outside of its machine-readable zone, and what is found there.

The page is turned upright (the zone says by how much; without one the rows of text do) and read up to LAYERS times, each time
prepared in another way, until everything asked for was found. Coloured background and stamps vanish where only the brightest of
the three colours counts.
"""

from __future__ import annotations

import datetime as dt
import re
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from kyc import mrz_zone, ocr
from kyc.dates import PrintedDate, printed_dates
from kyc.examination.sheet import Box, Sheet
from kyc.names import ORDER, Match, compare_words, folded, is_other_gender
from kyc.ocr import Word

WORDS_MAX = 400
SIDE_PX, SIDE_MAX_PX = 1250, 1500
WORD_SURE, READABLE_WORDS = 50, 7
READING_SECONDS_MAX, TURNING_SECONDS_MAX = 0.9, 0.8
# Letters that must be read exactly where the others are ones with accents, which the English model reads as anything.
PLAIN_LETTERS_MIN = 3
# Of the page's height: kept away from the zone's first line.
EDGE = 0.006
# Of the zone's width: the page is that much wider on either side.
BESIDE = 0.05


@dataclass
class Layer:
    """The words of one reading, and the same as one text with the place of each word."""

    words: list[Word]
    text: str = ""
    starts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        parts: list[str] = []
        length = 0
        for word in self.words:
            plain = plain_text(word.text)
            self.starts.append(length)
            parts.append(plain)
            length += len(plain) + 1
        self.text = " ".join(parts)

    def word_at(self, place: int) -> Word | None:
        """Find the word at a place of the text."""
        number = sum(start <= place for start in self.starts) - 1
        return self.words[number] if number >= 0 else None


@dataclass(frozen=True)
class Hit:
    """How well something was found, as which text, and where."""

    match: Match
    text: str = ""
    box: Box | None = None


@dataclass
class Printed:
    """The printed text of one page, read again in another way as long as something is missing."""

    page_number: int
    is_turned: bool
    layers: list[Layer] = field(default_factory=list)
    # No word was found any way up: one more look is enough, and noise takes longest to read.
    is_wordless: bool = False
    more: Iterator[Layer] = field(default_factory=lambda: iter(()))
    place: Callable[[Word], Box] = lambda word: (0.0, 0.0, 1.0, 1.0)

    @property
    def is_readable(self) -> bool:
        """Enough of the page was read for a field that wasn't found to be missing."""
        return max((readable_words(layer.words) for layer in self.layers), default=0) >= READABLE_WORDS

    def read_until(self, is_complete: Callable[[], bool]) -> None:
        """Read on until everything was found, every way to read was tried, or the time is up."""
        started = time.process_time()
        while not is_complete():
            is_late = bool(self.layers) and time.process_time() - started > READING_SECONDS_MAX
            layer = None if is_late or (self.layers and self.is_wordless) else next(self.more, None)
            if layer is None:
                return
            self.layers.append(layer)

    def find_name(self, name: str, *, registered: str = "") -> Hit:
        """Find every word of a name; the worst of them counts. registered: the name with its accents."""
        words = [word for word in re.split(r"[\s\-]+", name) if folded(word)]
        accented = [word for word in re.split(r"[\s\-]+", registered or name) if not word.isascii()]
        hits = [self._find_word(word, accented) for word in words]
        return max(hits, key=lambda hit: ORDER.index(hit.match), default=Hit(Match.MISSING))

    def _find_word(self, name: str, accented: list[str]) -> Hit:
        best, other_gender = Hit(Match.MISSING), False
        shapes = [shape for word in accented if compare_words(word, name) == Match.SAME and (shape := shape_of(word))]
        for layer in self.layers:
            for number, word in enumerate(layer.words):
                for text in _readings(layer.words, number):
                    match = compare_words(name, text)
                    if match != Match.SAME and any(shape.fullmatch(folded(text)) for shape in shapes):
                        match = Match.SAME
                    other_gender |= match == Match.DIFFERENT and is_other_gender(folded(name), folded(text))
                    if match in (Match.SAME, Match.NEAR) and ORDER.index(match) < ORDER.index(best.match):
                        best = Hit(match, text, self.place(word))
                        if match == Match.SAME:
                            return best
        return Hit(Match.DIFFERENT) if other_gender else best

    def find_number(self, number: str) -> Hit:
        """Find a document number: exact but for O and 0; one look-alike character is near."""
        wanted = number_key(number)
        for layer in self.layers:
            for start in range(len(layer.words)):
                joined = ""
                for word in layer.words[start : start + 5]:
                    joined += number_key(word.text)
                    if joined == wanted or (len(wanted) >= 7 and wanted in joined):
                        return Hit(Match.SAME, number, self.place(layer.words[start]))
                    if len(joined) > len(wanted) + 6:
                        break
        loose = number_key(number).translate(LOOSE)
        for layer in self.layers:
            for word in layer.words:
                if len(loose) >= 6 and loose in number_key(word.text).translate(LOOSE):
                    return Hit(Match.NEAR, word.text, self.place(word))
        return Hit(Match.MISSING)

    def find_date(self, day: dt.date) -> Hit:
        """Find a date in any way of writing it."""
        for layer in self.layers:
            for found in printed_dates(layer.text):
                if found.is_day(day):
                    word = layer.word_at(found.place)
                    return Hit(Match.SAME, day.isoformat(), self.place(word) if word else None)
        return Hit(Match.MISSING)

    def dates(self) -> list[tuple[PrintedDate, str, Box | None]]:
        """List the dates of all readings, each with the text before it and its place."""
        found = []
        for layer in self.layers:
            for date in printed_dates(layer.text):
                word = layer.word_at(date.place)
                found.append(
                    (date, layer.text[max(0, date.place - 60) : date.place], self.place(word) if word else None)
                )
        return found

    def text(self) -> str:
        """All readings as one text."""
        return " \n ".join(layer.text for layer in self.layers)


LOOSE = str.maketrans("ILZSBGQD", "11258600")


def shape_of(word: str) -> re.Pattern[str] | None:
    """Make a pattern of a name in which letters with accents may have been read as any one or two characters."""
    letters = [folded(letter) if letter.isascii() else "" for letter in unicodedata.normalize("NFC", word)]
    if sum(map(bool, letters)) < PLAIN_LETTERS_MIN:
        return None
    return re.compile("".join(re.escape(letter) if letter else "[A-Z0-9 ]{1,2}" for letter in letters))


def plain_text(text: str) -> str:
    """Capital letters A to Z, digits and the separators of dates, as wide as they were read."""
    decomposed = unicodedata.normalize("NFKD", text.upper())
    return "".join(
        character if character in "./-:," or (character.isascii() and character.isalnum()) else " "
        for character in decomposed
        if not unicodedata.combining(character)
    ).strip()


def number_key(text: str) -> str:
    """Write a document number in capitals and digits, O as 0."""
    return re.sub(r"[^A-Z0-9]", "", folded(text)).replace("O", "0")


def readable_words(words: list[Word]) -> int:
    """Count the words that were surely read."""
    return sum(word.confidence >= WORD_SURE and sum(map(str.isalnum, word.text)) >= 3 for word in words)


def _readings(words: list[Word], number: int) -> Iterator[str]:
    """Give a word as read, and together with the next one where it is a fragment of a name."""
    text = words[number].text.strip(".,:;|'\"()[]{}«»_-=*")
    if len(text) >= 2 and folded(text):
        yield text
        if "/" in text:
            yield from (part for part in text.split("/") if folded(part))
        if number + 1 < len(words) and words[number + 1].text[:1].isalpha():
            yield text + words[number + 1].text


def start(sheet: Sheet) -> Printed | None:
    """Prepare to read the printed text of an identity document; None where this server can't."""
    if not ocr.available(ocr.ENGLISH):
        return None
    sheet.engines.add(ocr.engine_name(ocr.ENGLISH))
    number = sheet.measures.get("zone_page", 1) if sheet.zone else 1
    words = READABLE_WORDS
    page = sheet.pages[number - 1]
    if sheet.zone is not None:
        degrees = sheet.zone.degrees
    else:
        degrees, words = upright_degrees(page)
        sheet.measures["turned"] = round(degrees, 1)
    level = mrz_zone.turned(page, degrees) if abs(degrees) >= 1 else page
    is_turned = abs(degrees) >= mrz_zone.STRAIGHT_DEGREES
    rows, columns = level.shape[:2]
    left, right, bottom = 0, columns, rows
    if sheet.zone is not None:
        ends = [mrz_zone.point_after_turning(page.shape, degrees, end) for end in sheet.zone.edge]
        ends = ends if abs(degrees) >= 1 else list(sheet.zone.edge)
        air = BESIDE * (ends[1][0] - ends[0][0])
        left, right = max(0, round(columns * (ends[0][0] - air))), min(columns, round(columns * (ends[1][0] + air)))
        bottom = max(1, round(rows * (max(end[1] for end in ends) - EDGE)))
    visible = level[:bottom, left:right]

    def place(word: Word) -> Box:
        if is_turned:
            return (0.0, 0.0, 1.0, 1.0)
        scale = word_scale(visible)
        x, y, width, height = (side / scale for side in word.box)
        return ((left + x) / columns, y / rows, width / columns, height / rows)

    printed = Printed(number, is_turned, is_wordless=not words, place=place)
    printed.more = _layers(visible)
    return printed


def word_scale(picture: np.ndarray) -> float:
    """Return the factor by which a page is scaled to be read."""
    width = int(picture.shape[1])
    return min(3.0, max(SIDE_PX, min(width, SIDE_MAX_PX)) / width)


def _layers(visible: np.ndarray) -> Iterator[Layer]:
    scale = word_scale(visible)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    page = cv2.resize(visible, None, fx=scale, fy=scale, interpolation=method)
    ink = page.max(axis=2) if page.ndim == 3 else page
    grey = cv2.cvtColor(page, cv2.COLOR_RGB2GRAY) if page.ndim == 3 else page
    even = cv2.createCLAHE(2.0, (8, 8)).apply(grey)
    sharp = cv2.addWeighted(ink, 2.2, cv2.GaussianBlur(ink, (0, 0), 2.5), -1.2, 0)
    for picture in (ink, even, sharp):
        words = ocr.read_words(np.ascontiguousarray(picture), is_scattered=True)[:WORDS_MAX]
        yield Layer([word for word in words if not _is_zone(word)])


def _is_zone(word: Word) -> bool:
    """Leave out what belongs to a zone, wherever it is: fillers, and runs longer than any printed word."""
    return "<" in word.text or "«" in word.text or len(word.text) >= 24


def upright_degrees(page: np.ndarray) -> tuple[float, int]:
    """Find by how much to turn a page without a zone, and how many words are read so: rows of text level, then the best way up."""
    grey = cv2.cvtColor(page, cv2.COLOR_RGB2GRAY) if page.ndim == 3 else page
    skew = mrz_zone.skew_of(grey)
    skew = skew if abs(skew) >= mrz_zone.SKEW_MIN else 0.0
    best: tuple[int, float] = (-1, skew)
    started = time.process_time()
    for quarter in (0, 180, 90, 270):
        if time.process_time() - started > TURNING_SECONDS_MAX:
            break
        level = mrz_zone.turned(grey, skew + quarter) if skew or quarter else grey
        factor = 800 / max(level.shape)
        small = cv2.resize(level, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        words = readable_words(ocr.read_words(small, is_scattered=True)[:WORDS_MAX])
        if words > best[0]:
            best = (words, skew + quarter)
        if words >= READABLE_WORDS:
            break
    return best[1], best[0]
