"""Comparing the name on a document with the name of the registration.

Doc 9303 (part 3, section 6) leaves issuers a choice for many letters: Ü may be printed UE, UXX or U. So both sides are folded
into every permitted spelling. Beyond that a word is the same only after what a standard permits (the Latin spellings of one
Cyrillic or Arabic name, `_key` and ARABIC) or after one letter that readers confuse. Every other single difference is near and
left to a person; a feminine or masculine ending makes another name, however alike the letters are.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from anyascii import anyascii
from rapidfuzz.distance import OSA

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
# Spellings of one Arabic name as passports of different states print it (ISO 233 writes no vowel that is not in the script).
ARABIC = tuple(
    frozenset(spellings.split())
    for spellings in (
        "MOHAMMED MUHAMMAD MOHAMED MOHAMMAD MUHAMMED MOHAMAD MUHAMAD MOHAMMOD MUHAMED MOUHAMED MOHAMET",
        "AHMED AHMAD AHMET", "HUSSEIN HUSAIN HUSSAIN HOSSEIN HUSSIEN HUSAYN HOSSAIN HOUSSEIN HUSEIN HUSEYIN",
        "YUSUF YOUSEF YOUSSEF YUSEF YOUSUF YOUSIF YOUSSOUF YUSSUF", "OMAR UMAR OMER", "KHALED KHALID KHALEED",
        "HASAN HASSAN HASSEN", "MUSTAFA MOSTAFA MOUSTAFA MUSTAPHA", "IBRAHIM EBRAHIM IBRAHEEM BRAHIM",
        "ISMAIL ISMAEL ESMAIL ISMAEEL ISMAIEL", "MAHMUD MAHMOUD MAHMOOD MEHMOOD", "UTHMAN OTHMAN OSMAN USMAN OUSMANE",
        "TARIQ TAREK TARIK TAREQ", "RASHID RASHEED RACHID", "JAMAL GAMAL DJAMAL JAMEL", "KARIM KAREEM",
        "SALIM SALEEM SELIM", "WALID WALEED OUALID", "HAMID HAMEED", "ABDULLAH ABDALLAH ABDULLA ABDELLAH",
        "ABDULRAHMAN ABDELRAHMAN ABDURRAHMAN ABDERRAHMAN ABDURAHMAN", "ABDUL ABDEL ABDAL ABDOUL",
        "YASIN YASSIN YASEEN YASSINE", "FATIMA FATEMA FATIMAH FATEMEH FATMA", "AISHA AYESHA AICHA AYSHA",
        "ZAINAB ZAYNAB ZEINAB ZINEB ZEYNEP", "MARYAM MARIAM MERYEM MIRIAM", "LEILA LAYLA LAILA LEYLA",
        "SULAIMAN SULEIMAN SOLIMAN SULAYMAN SULEYMAN", "SAID SAEED SAEID", "SAMIR SAMEER", "AMIN AMEEN",
        "QASIM KASSEM QASEM KASIM GHASEM", "NUR NOUR NOOR", "YAHYA YEHIA YAHIA", "REZA RIZA RIDHA",
    )
)  # fmt: skip  # a table of spellings
# May be left out, or written together with the word behind it.
PARTICLES = frozenset(
    "VON VOM VAN DER DEN DEM DE DA DI DEL DELLA DELA DES DU DOS DAS DO LA LE LAS LOS EL AL BIN IBN BINT BEN ZU ZUM ZUR TER TEN "
    "TE T Y E I AF AV".split()
)
TITLES = frozenset("DR PROF DIPL ING MAG MR MRS MS MSC BSC PHD JR SR II III IV".split())
# What stands before the name at birth; either name counts.
BIRTH_NAME = frozenset("GEB GEBOREN GEBORENE NEE NE BORN ROZ ROZENA ZDOMU DOMU EPOUSE EP VEUVE OZV".split())
UNKNOWN = frozenset({"FNU", "LNU", "XXX", "UNKNOWN"})
# Letters of OCR-B and of print that Tesseract confuses; digits stand here because a printed name has none of its own.
CONFUSED = (
    *(frozenset(pair) for pair in ("O0", "I1", "L1", "Z2", "S5", "B8", "G6", "A4", "T7", "Q0", "D0")),
    *(frozenset(pair) for pair in ("OQ", "IL", "UV")),
)
# Two letters that are both letters: only in a word so long that another name is unlikely.
CONFUSED_LETTERS_LENGTH_MIN = 6
DIGRAPHS = (("AE", "A"), ("OE", "O"), ("UE", "U"), ("AA", "A"), ("AXX", "A"), ("OXX", "O"), ("UXX", "U"), ("NXX", "N"))
VARIANTS_MAX = 24
WORDS_MAX = 12
NEAR_LENGTH_MIN = 4


class Match(StrEnum):
    """How a registered name and a printed one relate, best first. Only SAME is a match; NEAR and CUT are for a person."""

    SAME = "same"
    CUT = "cut"
    NEAR = "near"
    MISSING = "missing"
    DIFFERENT = "different"


ORDER = list(Match)


@dataclass(frozen=True)
class PersonMatch:
    """First and last name, each beside its own part of the document, or both beside the other's (`is_swapped`)."""

    first: Match
    last: Match
    is_swapped: bool = False

    @property
    def worst(self) -> Match:
        return max(self.first, self.last, key=ORDER.index)


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


# ── one word ───────────────────────────────────────────────────────────────────────────────────────────────────────
def compare_words(one: str, other: str) -> Match:
    """Compare two words, each in all of its spellings: SAME, NEAR or DIFFERENT."""
    mine, theirs = set(variants(one)), set(variants(other))
    if mine & theirs:
        return Match.SAME
    return min((_compare_spellings(a, b) for a in mine for b in theirs), key=ORDER.index, default=Match.DIFFERENT)


def _compare_spellings(one: str, other: str) -> Match:
    one, other = one.replace(" ", ""), other.replace(" ", "")
    if one == other:
        return Match.SAME
    if is_other_gender(one, other):
        return Match.DIFFERENT
    if _key(one) == _key(other) or any(one in spellings and other in spellings for spellings in ARABIC):
        return Match.SAME
    if _is_one_digraph_apart(one, other) or _is_confused(one, other):
        return Match.SAME
    if len(one) == 1 or len(other) == 1:
        return Match.NEAR if one[:1] == other[:1] else Match.DIFFERENT  # an initial
    shorter = min(len(one), len(other))
    edits_max = 0 if shorter < NEAR_LENGTH_MIN else 1 if shorter < 2 * NEAR_LENGTH_MIN else 2
    return Match.NEAR if OSA.distance(one, other) <= edits_max else Match.DIFFERENT


def is_other_gender(one: str, other: str) -> bool:
    """Tell whether only a feminine or masculine ending differs: Martin and Martina, Mario and Maria, Kowalski and Kowalska."""
    short, long = sorted((one, other), key=len)
    if len(long) == len(short) + 1:
        return long[:-1] == short and long[-1] in "AOE"
    if len(long) != len(short) or long[:-1] != short[:-1]:
        return False
    ends = {one[-1], other[-1]}
    return bool(ends & {"A", "O"}) and ends <= set("AOIYEU")


def _key(word: str) -> str:
    """Write the letters alike that ICAO, ISO 9 and older passports transliterate in different ways: Yuliya and Iuliia, Sergej
    and Sergey. Not inside a word before E or a consonant: Mayer and Maier are two names."""
    word = re.sub(r"^YE(?=.{3})", "E", word)
    if len(word) >= 5 or word[:1] != "J":
        word = re.sub(r"^[YJI](?=[AUO])", "I", word)
    word = word[:1] + re.sub(r"[YJI](?=[AUO])", "I", word[1:])
    word = re.sub(r"I?[YJI]$", "I", word) if len(word) > 2 else word
    word = re.sub(r"I{2,}", "I", word)
    return word.replace("KS", "X").replace("KH", "H")


def _is_one_digraph_apart(one: str, other: str) -> bool:
    """Tell whether one has UE, AE, OE … exactly where the other has the bare letter; -AEL and -UEL end other names (Michael)."""
    short, long = sorted((one, other), key=len)
    for digraph, letter in DIGRAPHS:
        if len(long) - len(short) != len(digraph) - len(letter):
            continue
        for found in re.finditer(digraph, long):
            if long[: found.start()] + letter + long[found.end() :] == short and long[found.end() :] != "L":
                return True
    return False


def _is_confused(one: str, other: str) -> bool:
    """Tell whether exactly one character differs, and readers confuse the two."""
    if len(one) != len(other):
        return False
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
    if len(pairs) != 1 or frozenset(pairs[0]) not in CONFUSED:
        return False
    return not "".join(pairs[0]).isalpha() or len(one) >= CONFUSED_LETTERS_LENGTH_MIN


# ── a name ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def compare(registered: str, printed: str, *, is_cut: bool = False, is_surname: bool = False) -> Match:
    """Compare a name of the registration with one on a document, word by word in any order.

    Further given names on the document are fine, a further surname is near. is_cut: the printed name may break off, so that it
    never is the same for certain.
    """
    mine, theirs = _core(registered), _core(printed)
    if not mine or not theirs:
        return Match.MISSING
    together = min(
        compare_words("".join(mine), "".join(theirs)),
        compare_words("".join(_words(registered)), "".join(_words(printed))),
        key=ORDER.index,
    )
    if together == Match.SAME:
        return Match.CUT if is_cut else Match.SAME
    best = min(
        (_compare_parts(my_part, their_part, is_surname) for my_part in _parts(mine) for their_part in _parts(theirs)),
        key=ORDER.index,
    )
    if is_cut and (best in (Match.SAME, Match.NEAR) or _begins_alike(mine, theirs)):
        return Match.CUT
    if best == Match.DIFFERENT and together == Match.NEAR:
        return Match.NEAR
    return best


def _words(text: str) -> list[str]:
    """Split a name into words without titles; spellings are compared later, so letters stay as they are."""
    words = [word for word in re.split(r"[\s\-‐–./,<]+", re.sub(r"['’`]", "", text)) if folded(word)][:WORDS_MAX]
    return [word for word in words if folded(word) not in TITLES] or words


def _core(text: str) -> list[str]:
    words = _words(text)
    return [word for word in words if folded(word) not in PARTICLES] or words


def _parts(words: list[str]) -> list[list[str]]:
    """Split off a name at birth: either of the two counts, or both together."""
    for place, word in enumerate(words):
        if folded(word) in BIRTH_NAME:
            before, behind = words[:place], words[place + 1 :]
            return [part for part in (before, behind, before + behind) if part] or [words]
    return [words]


def _compare_parts(mine: list[str], theirs: list[str], is_surname: bool) -> Match:
    left = list(theirs)
    found: list[Match] = []
    place = 0
    while place < len(mine):
        match, used, length = _best(mine, place, left)
        if match == Match.DIFFERENT and any(
            is_other_gender(a, b) for a in variants(mine[place]) for b in map(folded, left)
        ):
            return Match.DIFFERENT
        found.append(match)
        left = [word for number, word in enumerate(left) if number not in used]
        place += length
    if all(match == Match.SAME for match in found):
        return Match.NEAR if is_surname and left else Match.SAME
    return Match.NEAR if any(match != Match.DIFFERENT for match in found) else Match.DIFFERENT


def _best(mine: list[str], place: int, theirs: list[str]) -> tuple[Match, set[int], int]:
    """Find what answers a word, or the word together with the next one: (how well, places used up, words of ours)."""
    options: list[tuple[Match, set[int], int]] = []
    for length in (1, 2):
        word = "".join(mine[place : place + length])
        if len(mine) - place < length:
            continue
        for start in range(len(theirs)):
            for size in (1, 2) if length == 1 else (1,):
                if start + size <= len(theirs):
                    match = compare_words(word, "".join(theirs[start : start + size]))
                    options.append((match, set(range(start, start + size)), length))
    best = min(options, key=lambda option: (ORDER.index(option[0]), option[2]), default=(Match.DIFFERENT, set(), 1))
    return best if best[0] != Match.DIFFERENT else (Match.DIFFERENT, set(), 1)


def _begins_alike(mine: list[str], theirs: list[str]) -> bool:
    last = folded(theirs[-1])
    return len(last) >= 2 and any(spelling.startswith(last) for word in mine for spelling in variants(word))


def compare_person(
    *, first_name: str, last_name: str, given_names: str, surname: str, is_cut: bool = False
) -> PersonMatch:
    """Compare first and last name with the document's; people also register in the other order."""
    given_names = "" if folded(given_names) in UNKNOWN else given_names
    # What the zone's length cuts is at its end: the surname only where nothing follows it.
    straight = PersonMatch(
        compare(first_name, given_names, is_cut=is_cut) if given_names or not is_cut else Match.CUT,
        compare(last_name, surname, is_cut=is_cut and not given_names, is_surname=True),
    )
    swapped = PersonMatch(
        compare(first_name, surname, is_surname=True), compare(last_name, given_names, is_cut=is_cut), is_swapped=True
    )
    return straight if ORDER.index(straight.worst) <= ORDER.index(swapped.worst) else swapped
