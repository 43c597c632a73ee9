"""Comparing the name on a document with the name of the registration.

Doc 9303 (part 3, section 6) leaves issuers a choice for many letters: Ü may be printed UE, UXX or U. So both sides are folded
into every permitted spelling, and the closest pair counts. Other scripts go through ICAO's table for Cyrillic and a general
romanisation.
"""

from __future__ import annotations

import itertools
import re
import unicodedata

from anyascii import anyascii
from rapidfuzz import fuzz

# Latin letters for which Doc 9303 names more than the base letter.
LATIN = {
    "Ä": ("AE", "AXX", "A"), "Å": ("AA", "A"), "Æ": ("AE",), "Ö": ("OE", "OXX", "O"), "Ø": ("OE", "O"), "Œ": ("OE",),
    "Ü": ("UE", "UXX", "U"), "Ñ": ("NXX", "N"), "ß": ("SS",), "ẞ": ("SS",), "Þ": ("TH",), "Ð": ("D", "DH"), "Ĳ": ("IJ",),
    "Ł": ("L",), "Đ": ("D",), "Ħ": ("H",), "ı": ("I",), "İ": ("I",), "Ŋ": ("N",), "Ŧ": ("T",), "Ə": ("E", "A"),
    "Ğ": ("G",), "Ş": ("S",),
}  # fmt: skip  # a table of pairs
# Doc 9303 part 3, table "Transliteration of Cyrillic characters", with the common variants of passports.
CYRILLIC = {
    "А": ("A",), "Б": ("B",), "В": ("V",), "Г": ("G", "H"), "Ґ": ("G",), "Д": ("D",), "Е": ("E", "YE"), "Ё": ("E", "IO"),
    "Ж": ("ZH",), "З": ("Z",), "И": ("I", "Y"), "І": ("I",), "Ї": ("I", "YI"), "Й": ("I", "Y"), "К": ("K",), "Л": ("L",),
    "М": ("M",), "Н": ("N",), "О": ("O",), "П": ("P",), "Р": ("R",), "С": ("S",), "Т": ("T",), "У": ("U",), "Ф": ("F",),
    "Х": ("KH", "H"), "Ц": ("TS",), "Ч": ("CH",), "Ш": ("SH",), "Щ": ("SHCH", "SHT"), "Ъ": ("IE", ""), "Ы": ("Y",),
    "Ь": ("",), "Э": ("E",), "Ю": ("IU", "YU"), "Я": ("IA", "YA"), "Ў": ("U",), "Є": ("IE", "YE"), "Ђ": ("D", "DJ"),
    "Ј": ("J",), "Љ": ("LJ",), "Њ": ("NJ",), "Ћ": ("C",), "Џ": ("DZ",),
}  # fmt: skip  # a table of pairs
VARIANTS_MAX = 24


def folded(text: str) -> str:
    """Capital letters A to Z and digits, words separated by one space: the plainest spelling."""
    decomposed = unicodedata.normalize("NFKD", text.upper().replace("ß", "SS"))
    plain = anyascii("".join(character for character in decomposed if not unicodedata.combining(character)))
    return re.sub(r"[^A-Z0-9]+", " ", re.sub(r"['’`]", "", plain.upper())).strip()


def variants(text: str) -> list[str]:
    """List every spelling that a machine-readable zone may use for a name, at most VARIANTS_MAX."""
    choices: list[tuple[str, ...]] = []
    for character in unicodedata.normalize("NFC", text).replace("ß", "ẞ").upper().replace("SS", "ẞ"):
        choices.append(LATIN.get(character) or CYRILLIC.get(character) or (character,))
    spellings = dict.fromkeys(
        folded("".join(pieces)) for pieces in itertools.islice(itertools.product(*choices), VARIANTS_MAX)
    )
    spellings.setdefault(folded(text))
    return [spelling for spelling in spellings if spelling]


def likeness(registered: str, printed: str, *, is_cut: bool = False) -> float:
    """0 to 1: how surely every word of the registered name is in the printed one, in any order.

    Further given names on the document do not count against it. is_cut: the printed name may break off in a word.
    """
    words = folded(printed).split()
    if not words:
        return 0.0
    best = 0.0
    for spelling in variants(registered):
        scores = [_best_word(word, words, is_cut) for word in spelling.split()]
        together = _best_word(spelling.replace(" ", ""), ["".join(words)], is_cut)
        best = max(best, together, sum(scores) / len(scores) if scores else 0.0)
        if best == 1.0:
            break
    return best


def _best_word(word: str, words: list[str], is_cut: bool) -> float:
    best = max(fuzz.ratio(word, other) for other in words) / 100
    if is_cut and len(words[-1]) >= 2 and word.startswith(words[-1]):
        best = 1.0
    return best


def person_likeness(
    *, first_name: str, last_name: str, given_names: str, surname: str, is_cut: bool = False
) -> tuple[float, float]:
    """Compare (first name, last name): each with its own part of the zone, or, swapped, with the other at a discount."""
    straight = (likeness(first_name, given_names, is_cut=is_cut), likeness(last_name, surname, is_cut=is_cut))
    # Where the whole name fills the zone, the given names may be gone altogether.
    if is_cut and not given_names:
        straight = (1.0, straight[1])
    swapped = (likeness(first_name, surname) * 0.9, likeness(last_name, given_names) * 0.9)
    return straight if sum(straight) >= sum(swapped) else swapped
