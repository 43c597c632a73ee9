"""As how many SMS a text is billed: 160 characters of the GSM alphabet in one, 153 each in several; 70 and 67 outside of it.

Source: 3GPP TS 23.038 (alphabet; ^{}[]~\\|€ count twice) and TS 23.040 (the header of a part). A pair of an extended character, and
one of UTF-16 surrogates, is never divided between two parts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import gsm0338

ALPHABET: Final = gsm0338.Codec()
GSM_ONE, GSM_PART = 160, 153
WIDE_ONE, WIDE_PART = 70, 67


@dataclass(frozen=True, slots=True)
class Size:
    """What a text costs. is_gsm: it is written in the GSM alphabet; units: septets of it, else UTF-16 code units."""

    segments: int
    units: int
    is_gsm: bool
    per_segment: int

    @property
    def left(self) -> int:
        """How many units fit before another SMS is billed."""
        return max(self.segments * self.per_segment - self.units, 0)


def size_of(text: str) -> Size:
    """Count what a text costs as SMS; an empty one costs nothing."""
    lengths = _lengths(text)
    is_gsm = lengths is not None
    one, part = (GSM_ONE, GSM_PART) if is_gsm else (WIDE_ONE, WIDE_PART)
    lengths = lengths if lengths is not None else [2 if ord(letter) > 0xFFFF else 1 for letter in text]
    units = sum(lengths)
    if units <= one:
        return Size(1 if units else 0, units, is_gsm, one)
    return Size(_parts(lengths, part), units, is_gsm, part)


def _lengths(text: str) -> list[int] | None:
    """Return the septets of each character; None where one isn't in the alphabet."""
    try:
        return [len(ALPHABET.encode(letter)[0]) for letter in text]
    except UnicodeError:
        return None


def _parts(lengths: Iterable[int], part: int) -> int:
    count, used = 1, 0
    for length in lengths:
        if used + length > part:
            count, used = count + 1, 0
        used += length
    return max(count, math.ceil(sum(lengths) / part))
