"""Names that Korea and Japan read from Han characters: 金正恩 is 김정은 and Kim Jong Un, 安倍晋三 is あべしんぞう and Abe Shinzo.

`text.latin` reads each Han character as Mandarin does. Here the whole name is read as Korea does, syllable by syllable, and as
Japan does, where families and given names are known by their characters. Only names that are read alike throughout are one:
what one sign more or less makes of so short a name is another's.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from importlib import resources
from operator import add
from pathlib import Path
from typing import Final

from anyascii import anyascii

from compliance.matching import tables
from compliance.matching import text as spelling
from compliance.matching.explanation import Explanation

FOLDER: Final = Path(__file__).parent
SYLLABLES: Final = range(2, 5)
# Two Han characters are read alike by too many names.
SAME, SHORT = 0.9, 2
READINGS_MAX = 24
HANGUL: Final = re.compile(r"[\uac00-\ud7a3]")
KANA: Final = re.compile(r"[\u3040-\u30ff\s]+")
Codes = frozenset[str]


def compare_readings(mine: str, listed: str) -> Explanation | None:
    """Compare two names in two scripts, one of them East Asian, by what Korea and Japan read; None where no reading is one."""
    if script_of(mine) == script_of(listed):
        return None  # characters of one script tell apart what one reading merges
    how = ""
    if any(_is_same_sequence(one, other) for one in korean(mine) for other in korean(listed)):
        is_short = any(spelling.has_han(name) and len(spelling.characters(name)) <= SHORT for name in (mine, listed))
        how = "" if is_short else "korean"
    if not japanese(mine).isdisjoint(japanese(listed)):
        how = "japanese"
    if not how:
        return None
    pair: dict[str, object] = {"client": mine, "listed": listed, "likeness": SAME, "how": "reading"}
    return Explanation(0.0, client_name=mine, listed_name=listed, name_score=SAME, notes=[f"read_{how}"], pairs=[pair])


def script_of(name: str) -> str:
    """Name the script of a name as far as readings tell: Han, Hangul, Kana, or letters."""
    if not spelling.has_east_asian(name):
        return "letters"
    return "hangul" if HANGUL.search(name) else "kana" if KANA.fullmatch(name) else "han"


def reading_keys(name: str) -> list[str]:
    """List the keys by which a name in Han, Kana or Hangul meets one in other letters, whichever of them is on a list."""
    sequences = itertools.chain.from_iterable(itertools.product(*sequence) for sequence in korean(name))
    read = {"-".join(codes) for codes in itertools.islice(sequences, READINGS_MAX)}
    return sorted(f"^{key}" for key in read | {"-".join(words) for words in japanese(name)})


# ── Korea ──────────────────────────────────────────────────────────────────────────────────────────────────────────
# Thaek for Taek, Ahn for An, Roh for Ro.
OWN_WAYS: Final = re.compile(r"(?<=^[tkp])h|(?<=[aeo])h(?=n?$)")
# At a name's beginning the South drops an R, and an N before I and Y: 리 is 이, 룡 is 용, 로 is 노.
OPEN: Final = {"u": "o", "yu": "yo"}
SOFT: Final = ("i", "ya", "yo", "yu", "ye")


@lru_cache(maxsize=50_000)
def korean(name: str) -> tuple[tuple[Codes, ...], ...]:
    """Split a name into Korean syllables, each as what it may be; several ways for letters that leave it open."""
    if not spelling.has_east_asian(name):
        return _romanised(tuple(spelling.words(name)))
    signs = spelling.characters(name)
    if len(signs) not in SYLLABLES or len(signs) != len(re.sub(r"\s", "", name)):
        return ()
    codes = tuple(
        frozenset(code for heard in _heard(sign) for code in _spoken(heard, is_first=place < SHORT))
        for place, sign in enumerate(signs)
    )
    return (codes,) if all(codes) else ()


def _heard(sign: str) -> Sequence[str]:
    return (sign,) if HANGUL.match(sign) else _hanja().get(sign, ())


def _spoken(syllable: str, *, is_first: bool) -> Iterable[str]:
    code = tables.KOREAN.get(spelling.latin(syllable))
    if code is None:
        return
    onset, vowel, coda = code.split(".")
    onsets = {onset, "" if vowel in SOFT else "n"} if is_first and onset in ("r", "n") else {onset}
    for begun in onsets:
        yield f"{begun}.{vowel}.{coda}"
        if begun and vowel == "ui":
            yield f"{begun}.i.{coda}"  # 희 is spoken hi


@lru_cache(maxsize=50_000)
def _romanised(words: tuple[str, ...]) -> tuple[tuple[Codes, ...], ...]:
    """Split a name in Latin letters into Korean syllables, family name first or last."""
    if len(words) not in SYLLABLES:
        return ()
    options = [_syllables(word) for word in words]
    found = []
    for order in (options, [options[-1], *options[:-1]]):
        if any(len(way) == 1 for way in order[0]):
            ways = itertools.islice(itertools.product(*order), READINGS_MAX)
            found += [tuple(itertools.chain.from_iterable(way)) for way in ways if len(way[0]) == 1]
    return tuple(dict.fromkeys(way for way in found if len(way) in SYLLABLES))


@cache
def _syllables(word: str) -> tuple[tuple[Codes, ...], ...]:
    family = {name for group in tables.FAMILY_GROUPS.get(word, ()) for name in tables.FAMILY_NAMES[group].split()}
    whole = frozenset(code for name in family | {word} for code in _codes(name))
    parts = ((_codes(word[:place]), _codes(word[place:])) for place in range(1, len(word)))
    two = tuple((one, other) for one, other in parts if one and other)
    return ((whole,), *two) if whole else two


@cache
def _codes(syllable: str) -> Codes:
    """List what a romanised syllable may be: besides the state's romanisations as people write their own names."""
    code = tables.KOREAN.get(syllable) or tables.KOREAN.get(OWN_WAYS.sub("", syllable.replace("ck", "k")))
    if code is None:
        return frozenset()
    onset, vowel, coda = code.split(".")
    if "oo" in syllable or "eu" in syllable:
        return frozenset({code})
    # Chun for 전, Hyun for 현, Suk for 석.
    return frozenset({code, f"{onset}.{OPEN.get(vowel, vowel)}.{coda}"})


def _is_same_sequence(one: tuple[Codes, ...], other: tuple[Codes, ...]) -> bool:
    return len(one) == len(other) and all(mine & theirs for mine, theirs in zip(one, other, strict=True))


@cache
def _hanja() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for line in (FOLDER / "hanja.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            syllable, signs = line.split()
            for sign in signs:
                found[sign] += (syllable,)
    return dict(found)


# ── Japan ──────────────────────────────────────────────────────────────────────────────────────────────────────────
MORAE: Final = re.compile(r"(?:(?:[kgsztdnhbpmrfyjw]|[kgnhbpmrjs]y|sh|ch|ts|cch|ssh|tts|([kstp])\1)?[aiueo]|n)+")
# As Japan's own romanisation writes (si, tu), and long vowels, which passports leave out.
SOFTER: Final = {"k": "g", "sh": "j", "s": "z", "ch": "j", "ts": "z", "t": "d", "h": "b", "f": "b"}
VOICED: Final = re.compile(r"^(?:sh|ch|ts|[kshtf])")
JAPANESE_MAX: Final = 100
SIGNS_MAX: Final = 6  # more is no person's name
RULES: Final = """
    sy:sh ty:ch zy|jy:j si:shi ti:chi tu:tsu hu:fu zi|di:ji du:zu tch:cch m(?=[bmp]):n oh(?![aiueo])|ou|oo:o uu:u
"""
ROMAJI: Final = [(re.compile(pattern), sound) for pattern, sound in (rule.split(":") for rule in RULES.split())]


@lru_cache(maxsize=50_000)
def japanese(name: str) -> frozenset[tuple[str, str]]:
    """List how Japan reads a name: family and given name in the alphabet's order, long vowels short."""
    if not spelling.has_east_asian(name):
        words = [word for word in spelling.words(name) if word not in spelling.PARTICLES]
    elif KANA.fullmatch(name):
        words = [str(anyascii(word)).lower() for word in name.split()]
    else:
        return _kanji(spelling.characters(name)) if spelling.has_han(name) else frozenset()
    if len(words) != 2 or not all(MORAE.fullmatch(_folded(word)) for word in words):
        return frozenset()
    return frozenset({_in_order(*words)})


def _in_order(one: str, other: str) -> tuple[str, str]:
    one, other = sorted((_folded(one), _folded(other)))
    return one, other


@lru_cache(maxsize=50_000)
def _folded(word: str) -> str:
    for pattern, sound in ROMAJI:
        word = pattern.sub(sound, word)
    return word


def _kanji(signs: str) -> frozenset[tuple[str, str]]:
    """List the readings of a name of which the family or the given name is known; the other one may be read sign by sign."""
    families, given = _japanese_names()
    signs = signs.translate(_new_forms())
    found: list[tuple[int, tuple[str, str]]] = []
    for place in range(1, len(signs) if len(signs) <= SIGNS_MAX else 0):
        family, own = families.get(signs[:place], ()), given.get(signs[place:], ())
        if family or own:
            family = (*family, *_sign_by_sign(signs[:place], is_voiced=True))
            own = (*own, *_sign_by_sign(signs[place:]))
            found += [(i + j, _in_order(one, other)) for i, one in enumerate(family) for j, other in enumerate(own)]
    # What the tables say comes first, and of signs their likelier readings.
    return frozenset(names for _rank, names in sorted(found)[:JAPANESE_MAX])


def _sign_by_sign(signs: str, *, is_voiced: bool = False) -> Iterator[str]:
    """Read characters one by one; in a family's name a later one may begin voiced (渕 fuchi, 小渕 obuchi)."""
    heard = [_japanese_signs().get(sign, ()) for sign in signs]
    if is_voiced:
        voiced = [tuple(VOICED.sub(lambda found: SOFTER[found[0]], word) for word in words) for words in heard[1:]]
        heard[1:] = [tuple(dict.fromkeys(both)) for both in map(add, heard[1:], voiced)]
    return ("".join(words) for words in itertools.islice(itertools.product(*heard), READINGS_MAX))


@cache
def _japanese_signs() -> dict[str, tuple[str, ...]]:
    lines = (FOLDER / "kanji.txt").read_text(encoding="utf-8").splitlines()
    return {line[0]: tuple(line.split()[1:]) for line in lines if not line.startswith("#")}


@cache
def _new_forms() -> dict[int, str]:
    """Read the old forms of characters that families keep (髙, 澤, 邊), with the new one that dictionaries have."""
    lines = (FOLDER / "shinjitai.txt").read_text(encoding="utf-8").splitlines()
    return {ord(pair[0]): pair[1] for line in lines if not line.startswith("#") for pair in line.split()}


@cache
def _japanese_names() -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Read the package's tables: families by their characters, and given names with all that they're read as."""
    tables_of = resources.files("japanese_personal_name_dataset") / "dataset"
    forms = _new_forms()
    families: dict[str, tuple[str, ...]] = defaultdict(tuple)
    given: dict[str, tuple[str, ...]] = defaultdict(tuple)
    with (tables_of / "last_name_org.csv").open(encoding="utf-8") as file:
        for signs, _count, _kana, romaji in csv.reader(file):
            families[signs.translate(forms)] += (romaji,)
    for sex in ("man", "woman"):
        with (tables_of / f"first_name_{sex}_org.csv").open(encoding="utf-8") as file:
            for _kana, romaji, *spelled in csv.reader(file):
                for signs in spelled:
                    given[signs.translate(forms)] += (romaji,)
    return dict(families), dict(given)
