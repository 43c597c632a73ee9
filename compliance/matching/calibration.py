"""Name pairs with a known answer, made from the lists' own aliases, to measure the matcher by.

Two names of one entry belong together; the most similar names of two entries of one list do not. A pair falls into one of two
halves by a hash of its entry: rules are tuned on `TUNING` and judged on `REPORTED`, which nobody looks at while tuning.
Aliases that share no word with the name even roughly (a war name, a translation) say nothing about spelling and are left out.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from anyascii import anyascii
from rapidfuzz import fuzz, process

from compliance.sources import SOURCES, LeftOut, ParsedEntry
from compliance.sources.base import ENTITY, PERSON

TUNING, REPORTED = 0, 1
# Below this two names of one entry have nothing to do with each other; roughly romanised, so that every script counts.
RELATED_MIN, RELATED_ACROSS_SCRIPTS_MIN = 45, 25
# Firms' names in two scripts are mostly translations.
RELATED_FIRMS_ACROSS_SCRIPTS_MIN = 60
# As alike as this two names of different entries make a hard pair.
NEAR_MIN, NEAR_MAX = 62, 99
# Marks of several names in one field, which the importers leave together.
SEVERAL = (", ", " or ", "also known", "a.k.a", ";", " and ")
# By the name that decides an entry's half: the list's code, and its file.
FILES = {
    "un": ("un", "un-2026-02-27.xml.gz"),
    "ofac-consolidated": ("ofac-consolidated", "cons_prim.csv.gz"),
    "eu-belarus": ("eu-journal", "eu-journal/eu-32006R0765.csv.gz"),
    "eu-syria": ("eu-journal", "eu-journal/eu-32012R0036.csv.gz"),
    "canada-sema": ("canada-sema", "canada-sema-2025.xml.gz"),
}


@dataclass(frozen=True)
class NamePair:
    one: str
    other: str
    is_firm: bool
    is_same: bool
    group: str
    half: int


def entries_of(folder: Path) -> dict[str, list[ParsedEntry]]:
    """Read the lists that come with the product, as their importers do."""
    return {name: entries_in(code, folder / file) for name, (code, file) in FILES.items()}


def entries_in(code: str, path: Path) -> list[ParsedEntry]:
    """Read the entries of one file as the importer of a list does."""
    return [entry for entry in SOURCES[code].format.parse(path) if not isinstance(entry, LeftOut)]


def half_of(source: str, entry: ParsedEntry) -> int:
    """Say which half an entry and all of its pairs belong to."""
    return hashlib.sha256(f"{source}:{entry.external_id}".encode()).digest()[0] % 2


def pairs_of(lists: dict[str, list[ParsedEntry]], *, seed: int = 7) -> list[NamePair]:
    """Build the labelled pairs: spellings, scripts and typing errors of one entry, near names of two."""
    rng = random.Random(seed)  # noqa: S311  # the same pairs every time
    found: list[NamePair] = []
    for source, entries in lists.items():
        for entry in entries:
            if entry.kind in (PERSON, ENTITY):
                found += _positives(source, entry, rng)
        for kind in (PERSON, ENTITY):
            found += _negatives(source, [entry for entry in entries if entry.kind == kind], rng)
    return found


def _positives(source: str, entry: ParsedEntry, rng: random.Random) -> list[NamePair]:
    is_firm, half = entry.kind == ENTITY, half_of(source, entry)
    strong = [name.text for name in entry.names if not name.is_weak and len(name.text) >= 5]
    if not strong:
        return []
    first, others = strong[0], strong[1:]
    by_script: dict[str, list[str]] = defaultdict(list)
    for other in others:
        by_script[script_of(other)].append(other)
    pairs = []
    for script, names in sorted(by_script.items()):
        other = rng.choice(names)
        if (
            _is_related(first, other, is_firm=is_firm)
            and not any(mark in other for mark in SEVERAL)
            and (is_firm or len(other.split()) > 1)
            and _plain(first) != _plain(other)
        ):
            pairs.append(NamePair(first, other, is_firm, True, "firm" if is_firm else script, half))
    if script_of(first) == "latin" and len(first.split()) > 1 and rng.random() < 0.15:
        pairs.append(NamePair(misspelt(first, rng, is_firm=is_firm), first, is_firm, True, "typing error", half))
    return pairs


def _is_related(first: str, other: str, *, is_firm: bool) -> bool:
    if script_of(first) == script_of(other):
        least = RELATED_MIN
    else:
        least = RELATED_FIRMS_ACROSS_SCRIPTS_MIN if is_firm else RELATED_ACROSS_SCRIPTS_MIN
    return fuzz.token_set_ratio(_plain(first), _plain(other)) >= least


def _negatives(source: str, entries: list[ParsedEntry], rng: random.Random) -> list[NamePair]:
    """Pair each of some entries with the likest name of another one that is surely somebody else."""
    chosen = rng.sample(entries, min(len(entries), 700))
    names = [_plain(entry.primary_name) for entry in entries]
    pairs = []
    for entry in chosen:
        mine = _plain(entry.primary_name)
        for _name, likeness, place in process.extract(mine, names, scorer=fuzz.token_sort_ratio, limit=4):
            other = entries[place]
            if NEAR_MIN <= likeness <= NEAR_MAX and other is not entry and _surely_another(entry, other):
                is_firm = entry.kind == ENTITY
                half = half_of(source, entry)
                group = "firm" if is_firm else "near name"
                pairs.append(NamePair(entry.primary_name, other.primary_name, is_firm, False, group, half))
                break
    return pairs


def _surely_another(one: ParsedEntry, other: ParsedEntry) -> bool:
    """Tell two people by their births; two firms by the aliases, of which they share none."""
    if {_plain(name.text) for name in one.names} & {_plain(name.text) for name in other.names}:
        return False
    if one.kind == ENTITY:
        return True
    return all(
        mine.last.year + 1 < theirs.first.year or theirs.last.year + 1 < mine.first.year
        for mine in one.births
        for theirs in other.births
    ) and bool(one.births and other.births)


def _plain(text: str) -> str:
    return " ".join(sorted(anyascii(text).lower().replace("-", " ").replace(",", " ").split()))


def script_of(text: str) -> str:
    """Name the script that most letters of a name are in: latin, cyrillic, arabic or other."""
    counts = Counter(
        "latin"
        if ord(letter) < 0x370 or 0x1E00 <= ord(letter) < 0x1F00
        else "cyrillic"
        if 0x400 <= ord(letter) < 0x530
        else "arabic"
        if 0x600 <= ord(letter) < 0x780 or 0xFB50 <= ord(letter) < 0xFEFF
        else "other"
        for letter in text
        if letter.isalpha()
    )
    return counts.most_common(1)[0][0] if counts else "latin"


def misspelt(name: str, rng: random.Random, *, is_firm: bool = False) -> str:
    """Make one typing error, and now and then another order of a person's names; nobody writes “Stock Company X Joint”."""
    words = name.split()
    long = [place for place, word in enumerate(words) if len(word) > 4]
    if long:
        place = rng.choice(long)
        word, at = words[place], rng.randrange(1, len(words[place]) - 1)
        words[place] = rng.choice(
            [
                word[:at] + word[at + 1 :],
                word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :],
                word[:at] + word[at - 1 :],
            ]
        )
    is_turned = rng.random() < 0.3 and not is_firm
    return " ".join(words[1:] + words[:1] if is_turned else words)


@dataclass(frozen=True)
class Quality:
    """How well a threshold tells the pairs apart."""

    precision: float
    recall: float
    wrong: tuple[NamePair, ...]

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def judge(pairs: Iterable[NamePair], score: Callable[[NamePair], float], threshold: float) -> Quality:
    """Compare what the scores say at the threshold with what is known."""
    tally: Counter[tuple[bool, bool]] = Counter()
    wrong = []
    for pair in pairs:
        said = score(pair) >= threshold
        tally[pair.is_same, said] += 1
        if said != pair.is_same:
            wrong.append(pair)
    hit, missed, false = tally[True, True], tally[True, False], tally[False, True]
    return Quality(hit / (hit + false) if hit else 0.0, hit / (hit + missed) if hit else 0.0, tuple(wrong))
