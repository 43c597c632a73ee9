"""How alike two words of a name are, and which word of one name stands for which of the other."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from rapidfuzz.distance import OSA, Indel, JaroWinkler

from compliance.matching import sounds, tables
from compliance.matching import text as spelling
from compliance.matching.explanation import Explanation

# Under FAINT a word is another word; up to DOUBTFUL it counts less and less, so that no single letter decides.
FAINT, DOUBTFUL = 0.62, 0.84
OTHER_ENDING = 0.7
PATRONYMIC, FAMILY_NAME = re.compile(r"[eo]v(?:[iy]ch|na)$"), re.compile(r"[eo]va?$")
# So many equal consonants are one word, whatever the vowels.
CONSONANTS_SUFFICE = 4
H_LETTERS_MIN, WITHOUT_H = 4, 0.88
SPOKEN_I = re.compile(r"[ae][iy]|ee")
INITIALS_VOWEL = re.compile(r"[aeiouy]")
LENGTHS_MIN = 0.6
REPEATED_LETTERS_MIN, REPEATED_LETTERS = 5, 0.95
BACKWARDS_LETTERS_MIN, BACKWARDS = 5, 0.85
ORIGIN_LETTERS_MAX = 7
MISSPELT_SYLLABLES_MIN, MISSPELT = 6, 0.83


@dataclass(frozen=True, order=True)
class Pair:
    likeness: float
    nearness: int
    mine: tuple[int, ...]
    theirs: tuple[int, ...]
    how: str


@dataclass(frozen=True)
class Compared:
    """What the scripts of two names permit: whether vowels must agree, and which foldings apply.

    is_bare: one of the names lacks vowels, is_terse: both do, so that each letter says more.
    """

    with_vowels: bool = True
    is_bare: bool = False
    is_terse: bool = False
    is_slavic: bool = False
    is_syllabic: bool = False
    # Which of the two names is in Arabic letters, and which in Han characters, where only one is.
    arabic: int = 0
    han: int = 0
    # A firm's words are no given names: they have no forms, endings and initials.
    is_firm: bool = False

    def turned(self) -> Compared:
        """Swap the two names."""
        return replace(self, arabic=-self.arabic, han=-self.han) if self.arabic or self.han else self


MINE, THEIRS = 1, -1


def words_compared(mine: str, listed: str, *, is_firm: bool = False) -> Compared:
    """Find out how the words of two names are to be compared."""
    no_vowels = spelling.lacks_vowels(mine), spelling.lacks_vowels(listed)
    return Compared(
        with_vowels=no_vowels[0] == no_vowels[1],
        is_bare=no_vowels[0] != no_vowels[1],
        is_terse=all(no_vowels),
        is_slavic=spelling.is_slavic(mine) or spelling.is_slavic(listed),
        is_syllabic=_is_syllabic(mine) and _is_syllabic(listed),
        arabic=_one_of(spelling.is_arabic(mine), spelling.is_arabic(listed)),
        han=_one_of(spelling.has_han(mine), spelling.has_han(listed)),
        is_firm=is_firm,
    )


def _one_of(is_mine: bool, is_theirs: bool) -> int:
    return MINE * is_mine + THEIRS * is_theirs


@lru_cache(maxsize=100_000)
def _is_syllabic(name: str) -> bool:
    """Tell a Chinese or Korean name: every word is a syllable of theirs or two, and one of them, the family's, is one."""
    words = spelling.words(name)
    return (
        2 <= len(words) <= 4
        and all(len(word) <= 11 and word.isalpha() and tables.is_syllable(word) for word in words)
        and any(word in tables.PINYIN or word in tables.KOREAN or word in tables.FAMILY_GROUPS for word in words)
        and not spelling.lacks_vowels(name)
    )


def worth(likeness: float) -> float:
    """Say how much of a word's weight a partner of this likeness covers."""
    return likeness if likeness >= DOUBTFUL else max(0.0, (likeness - FAINT) / (DOUBTFUL - FAINT)) * DOUBTFUL


def pair_up(mine: list[str], theirs: list[str], compared: Compared) -> list[Pair]:
    """Pair words, the best first. Two neighbours may stand for one word (Haji Zadeh, Hajizadeh)."""
    options = []
    for i, one in enumerate(mine):
        for j, other in enumerate(theirs):
            likeness, how = word_likeness(one, other, compared)
            if likeness > FAINT:
                options.append(Pair(likeness, -abs(i - j), (i,), (j,), how))
    if any(option.likeness < 1 for option in options) or len(options) < max(len(mine), len(theirs)):
        options += _moved(mine, theirs) + _joined(mine, theirs, compared)
        options += [
            Pair(p.likeness, p.nearness, p.theirs, p.mine, p.how) for p in _joined(theirs, mine, compared.turned())
        ]
    options.sort(reverse=True)
    taken_mine: set[int] = set()
    taken_theirs: set[int] = set()
    pairs = []
    for option in options:
        if taken_mine.isdisjoint(option.mine) and taken_theirs.isdisjoint(option.theirs):
            taken_mine.update(option.mine)
            taken_theirs.update(option.theirs)
            pairs.append(option)
    return pairs


def _moved(mine: list[str], theirs: list[str]) -> list[Pair]:
    """Pair two neighbours with two that have the same letters, parted elsewhere (Alt-Ikriti, Al-Tikriti)."""
    places = {theirs[j] + theirs[j + 1]: j for j in range(len(theirs) - 1)}
    found = []
    for i in range(len(mine) - 1):
        j = places.get(mine[i] + mine[i + 1])
        if j is not None and mine[i] != theirs[j]:
            found.append(Pair(0.97, -abs(i - j), (i, i + 1), (j, j + 1), "together"))
    return found


def _joined(apart: list[str], whole: list[str], compared: Compared) -> list[Pair]:
    found = []
    for i in range(len(apart) - 1):
        together = apart[i] + apart[i + 1]
        for j, word in enumerate(whole):
            if not compared.is_firm and _are_initials(word, apart[i], apart[i + 1]):
                found.append(Pair(0.85, -abs(i - j), (i, i + 1), (j,), "initial"))
            if len(word) < 5 or abs(len(word) - len(together)) > 2 + 7 * compared.is_bare:
                continue
            likeness, how = word_likeness(together, word, compared)
            if how == "sound" and not compared.is_bare:
                likeness = _letters(together, word)  # two words' consonants make a third one too easily
            if likeness >= DOUBTFUL:
                found.append(
                    Pair(min(likeness, 0.98), -abs(i - j), (i, i + 1), (j,), how if how != "equal" else "together")
                )
    return found


def _are_initials(word: str, first: str, second: str) -> bool:
    """Tell the initials of two words, written as one: JC for Jean-Claude. With a vowel they may be a name (Jo)."""
    return (
        len(word) == 2 < min(len(first), len(second))
        and word == first[0] + second[0]
        and not INITIALS_VOWEL.search(word)
        and word not in spelling.PARTICLES
    )


@lru_cache(maxsize=200_000)
def word_likeness(one: str, other: str, compared: Compared = Compared()) -> tuple[float, str]:  # frozen
    """Compare two words: (0 to 1, how), how being equal, form, spelling, sound, particle or initial."""
    if one == other:
        return 1.0, "equal"
    if one.isdigit() or other.isdigit():
        return 0.0, ""
    if compared.is_syllabic:
        return _syllables_likeness(one, other, compared)
    if compared.is_firm:
        if len(one) == 1 or len(other) == 1:
            return 0.0, ""
    else:
        if len(one) == 1 or len(other) == 1:
            return (0.85, "initial") if one[0] == other[0] and one not in spelling.PARTICLES else (0.0, "")
        if (one in spelling.PARTICLES or other in spelling.PARTICLES) and not tables.is_form_of(one, other):
            both = one in spelling.PARTICLES and other in spelling.PARTICLES
            is_same = both and (one[-1] == other[-1] or {one, other} <= spelling.SON_OF)
            return (0.85, "particle") if is_same else (0.0, "")
        if tables.is_form_of(one, other):
            return 0.95, "form"
        if compared.with_vowels and tables.is_another_given_name(one, other):
            return 0.0, ""
    by_sound = _sound(one, other, compared)
    if is_other_ending(one, other, compared):
        return (OTHER_ENDING, "spelling") if not compared.is_bare else (max(by_sound, OTHER_ENDING), "sound")
    by_letters = _letters(one, other, is_terse=compared.is_terse)
    if max(by_sound, by_letters) <= 0:
        return 0.0, ""
    return (by_sound, "sound") if by_sound >= by_letters else (by_letters, "spelling")


def _syllables_likeness(one: str, other: str, compared: Compared) -> tuple[float, str]:
    if tables.is_same_reading(one, other, is_pinyin=(compared.han == MINE, compared.han == THEIRS)):
        return 0.9, "reading"
    # One typing error in two syllables; in one, it makes another name.
    is_misspelt = min(len(one), len(other)) >= MISSPELT_SYLLABLES_MIN and OSA.distance(one, other) == 1
    return (MISSPELT, "spelling") if is_misspelt else (0.0, "")


def _lacks_h(one: str, other: str) -> bool:
    """Tell Hidajet and Idajet, as whoever doesn't speak an H leaves it out."""
    short, long = sorted((one, other), key=len)
    return long == "h" + short and len(short) >= H_LETTERS_MIN and short[0] in "aeiou"


# Letters that begin one name in two spellings: Zuniga and Suniga, Cencora and Sencora, Katherine and Catherine.
SAME_STARTS = tuple({*pair} for pair in "sz cs ck kq vw".split())


REPEATED = re.compile(r"(.)\1+")


def _is_repeated(one: str, other: str) -> bool:
    """Tell a word in which letters are held down (Vladdimirr): no other letter differs."""
    return REPEATED.sub(r"\1", one) == REPEATED.sub(r"\1", other)


def _letters(one: str, other: str, *, is_terse: bool = False) -> float:
    longest = max(len(one), len(other))
    if _lacks_h(one, other):
        return WITHOUT_H
    if longest >= REPEATED_LETTERS_MIN and _is_repeated(one, other):
        return REPEATED_LETTERS
    if longest >= BACKWARDS_LETTERS_MIN and sorted(one) == sorted(other) and OSA.distance(one, other[::-1]) <= 1:
        return BACKWARDS  # nituP, to hide
    edits = OSA.distance(one, other)
    likeness = 1 - edits / longest
    if not is_terse and (edits == 1 or (edits == 2 and longest >= 8)):
        likeness = max(likeness, JaroWinkler.similarity(one, other, prefix_weight=0.06) - 0.06)
    if one[0] != other[0] and {one[0], other[0]} not in SAME_STARTS and sorted(one) != sorted(other):
        # Typing errors seldom hit the first letter; Maria and Daria, Hanna and Anna are two names.
        likeness -= 0.1
    if longest <= 4 and edits > 1:
        return 0.0
    return likeness


def _sound(one: str, other: str, compared: Compared) -> float:
    bones = max(sounds.skeletons(one) & sounds.skeletons(other), key=len, default="")
    shortest = min(len(one), len(other))
    found = 0.0
    if compared.arabic and not _is_writing_of(*((one, other) if compared.arabic == MINE else (other, one))):
        return 0.0
    if compared.is_bare and not compared.arabic and sounds.skeleton(one)[:1] != sounds.skeleton(other)[:1]:
        return 0.0  # Hebrew tells a D from a Z
    if len(bones) >= 2 and shortest >= 3 and (not compared.with_vowels or _vowels_agree(one, other, bones)):
        # The same consonants: another romanisation, surer the more of them there are.
        found = 0.84 + 0.03 * min(4, len(bones) - 1)
    if compared.is_slavic and shortest >= 4:
        mine, theirs = sounds.slavic(one), sounds.slavic(other)
        if mine == theirs and len(mine) >= 3:
            return max(found, 0.94)
        if len(mine) >= 7 and OSA.distance(mine, theirs, score_cutoff=1) == 1:
            found = max(found, 0.86)
    if compared.with_vowels and not found and shortest >= 4:
        mine = sounds.bare(one)
        is_as_long = shortest >= LENGTHS_MIN * max(len(one), len(other))
        if is_as_long and len(mine) >= 3 and mine == sounds.bare(other) and _vowels_agree(one, other, mine):
            found = 0.85
    if compared.is_bare and not found:
        mine, theirs = sounds.bare(one), sounds.bare(other)
        if mine == theirs and len(mine) >= 2:
            return 0.82 + 0.03 * min(4, len(mine) - 1)
        if mine == theirs and len(mine) == 1 and max(len(one), len(other)) <= 5:
            return 0.85
        if min(len(mine), len(theirs)) >= 4 and OSA.distance(mine, theirs, score_cutoff=1) == 1:
            return 0.8
    return found


def _is_writing_of(arabic: str, latin: str) -> bool:
    """Check what Arabic letters do say of vowels: whether a word begins with one, and where a long i or u is."""
    if len(sounds.bare(latin)) >= CONSONANTS_SUFFICE:
        return True
    starts = arabic[0] in "aiueo", latin[0] in "aiueo"
    if starts[0] != starts[1] and not {arabic[0], latin[0]} & set("ywuoi"):
        return False
    if SPOKEN_I.search(latin.rstrip("aeiouy"), 1) and "i" not in arabic[1:].removesuffix("i"):
        return False  # Hosseini has an I that Hasani lacks
    rest = iter(sounds.long_vowels(latin))
    return all(vowel in rest for vowel in sounds.long_vowels(sounds.UNSAID_VOWELS.sub("", arabic)))


def is_father_and_family(one: str, other: str) -> bool:
    """Tell Nikolaevna, a father's name, from Nikolaeva, a family's."""
    return any(PATRONYMIC.search(mine) and FAMILY_NAME.search(theirs) for mine, theirs in ((one, other), (other, one)))


def is_other_ending(one: str, other: str, compared: Compared) -> bool:
    """Tell Martin from Martina, Kowalski from Kowalska."""
    short, long = sorted((one, other), key=len)
    if len(long) == len(short) + 1 and compared.is_firm:
        return False
    if len(long) == len(short) + 1:
        # Vahid and Vahidi, who comes from him; among Slavs Georgi is Georg.
        endings = "a" if compared.is_slavic or len(short) >= ORIGIN_LETTERS_MAX else "ai"
        return long[:-1] == short and long[-1] in endings and len(short) >= 4 and short[-1] not in "aeiouyh"
    return (
        len(short) >= 5
        and len(long) == len(short)
        and long[:-1] == short[:-1]
        and (
            {long[-1], short[-1]} in ({"i", "a"}, {"y", "a"})
            or ({long[-1], short[-1]} == {"o", "a"} and not compared.is_slavic)
        )
    )


def _vowels_agree(one: str, other: str, bones: str) -> bool:
    """Compare the vowels: consonants alone make Oscar an Askari, the more so the fewer consonants there are."""
    mine, theirs = sounds.vowels(one), sounds.vowels(other)
    starts = one[0] in "aeiou", other[0] in "aeiou"
    if starts[0] != starts[1] and "y" not in (one[0], other[0]):
        return False
    if len(bones) <= 3 and (not _ends_agree(one, other) or (all(starts) and mine[:1] != theirs[:1])):
        return False
    agreement = Indel.normalized_similarity(mine, theirs)
    return agreement >= {2: 0.85, 3: 0.6}.get(len(bones), 0.3)


OPEN_END, CLUSTER = re.compile(r"[aiouy]h?$"), re.compile(r"[^aeiouy]{2}[aeiouy]")
CLOSED_END = re.compile(r"[^aeiouyh]$")


def _ends_agree(one: str, other: str) -> bool:
    """Compare what few consonants leave open: Baron begins otherwise than Braun, and Breno ends otherwise."""
    if OSA.distance(one, other, score_cutoff=1) == 1:
        return True
    begins = [bool(CLUSTER.match(word)) and word[1] not in "hw" + word[0] for word in (one, other)]
    ends = [(bool(OPEN_END.search(word)), bool(CLOSED_END.search(word))) for word in (one, other)]
    return begins[0] == begins[1] and {ends[0], ends[1]} != {(True, False), (False, True)}


def explain_pairs(
    found: Explanation, pairs: list[Pair], mine: list[str], theirs: list[str]
) -> tuple[dict[int, Pair], dict[int, Pair]]:
    """Say in the explanation which words were paired and which were left; return each side's pairs by the word's place."""
    found.pairs = [
        {
            "client": " ".join(mine[place] for place in pair.mine),
            "listed": " ".join(theirs[place] for place in pair.theirs),
            "likeness": round(pair.likeness, 3),
            "how": pair.how,
        }
        for pair in pairs
    ]
    my_paired = {place: pair for pair in pairs for place in pair.mine}
    their_paired = {place: pair for pair in pairs for place in pair.theirs}
    found.left_over_client = [word for place, word in enumerate(mine) if place not in my_paired]
    found.left_over_listed = [word for place, word in enumerate(theirs) if place not in their_paired]
    return my_paired, their_paired
