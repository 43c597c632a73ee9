"""Typing errors in people's names: one letter amiss where everything else is equal."""

from __future__ import annotations

from collections import Counter

from rapidfuzz.distance import OSA

from compliance.matching import sounds, tables
from compliance.matching import text as spelling
from compliance.matching.words import PATRONYMIC, Compared, Pair, is_other_ending

# Names so long together that are equal but for one typing error in one word as long as this.
SLIP_LETTERS_MIN, SLIP_WORD_MIN = 11, 4
# In a long name a letter too many or too few, or two that changed places, may be in a word as short as this; beside two or
# more words that are all equal, and in an article, in a shorter one.
LONG_LETTERS_MIN, LONG_WORD_MIN = 14, 3
TWO_SLIPS_WORD_MIN, TWO_SLIPS_LETTERS_MIN = 6, 16
SHORTEST_SLIP_MIN, OTHERS_EQUAL_MIN, SEVERAL_LETTERS_MIN, ELISION_LETTERS_MIN = 2, 2, 12, 9
# A letter more or less in one syllable of three (Jin, Jing); in a name as long as this also in a short one (Wa, Hwa).
SLIP_SYLLABLE_MIN, SHORT_SYLLABLE_MIN, SYLLABLE_LETTERS_MIN = 3, 2, 10

# Words of a name with its middle names, and letters of the one with a typing error, where the other name has none of them.
WITH_MIDDLE, MIDDLE_SLIP_MIN = range(3, 5), 5
SYLLABIC_WORDS, BROKEN_LETTERS_MIN = range(2, 5), 8


def is_one_slip(mine: list[str], theirs: list[str], pairs: list[Pair], compared: Compared, *, is_alone: bool) -> bool:
    """Find one typing error in a name all of whose other words are equal. is_alone: these are one word and articles."""
    equal = [pair for pair in pairs if pair.how in ("equal", "form", "together")]
    left = (
        [word for place, word in enumerate(words) if place not in taken]
        for words, taken in (
            (mine, {place for pair in equal for place in pair.mine}),
            (theirs, {place for pair in equal for place in pair.theirs}),
        )
    )
    if _is_slip_without_middle(mine, theirs, compared):
        return True
    one, other = (words[0] if len(words) == 1 else "" for words in left)
    if not one or not other:
        return False
    if compared.is_slavic and _is_short_form(one, other, equal, mine):
        return True
    if _is_first_vowel(one, other, mine, theirs) or _is_broken_syllable(one, other, mine, theirs):
        return True
    if is_alone:
        return False
    if OSA.distance(one, other, score_cutoff=1) != 1:
        return _are_two_slips(one, other, equal, mine, compared)
    letters, is_swap = len("".join(mine)), sorted(one) == sorted(other)
    if compared.is_syllabic:  # Jin and Jing; another letter is another syllable
        least = SHORT_SYLLABLE_MIN if letters >= SYLLABLE_LETTERS_MIN else SLIP_SYLLABLE_MIN
        return len(mine) > 2 and len(one) != len(other) and min(len(one), len(other)) >= least
    if letters < (LONG_LETTERS_MIN if compared.is_terse else SLIP_LETTERS_MIN):
        return False
    if tables.is_another_given_name(one, other) and not (is_swap and len(mine) > 2):
        return False  # Hamad and Ahmad are two names, but not between a given and a family name that are both the same
    if (is_swap or len(one) != len(other)) and _is_minor_slip(one, other, equal, mine, letters):
        return True
    is_long = letters >= LONG_LETTERS_MIN and (is_swap or len(one) != len(other))
    least = LONG_WORD_MIN if is_long else SLIP_WORD_MIN
    return not is_other_ending(one, other, compared) and min(len(one), len(other)) >= least


def _is_slip_without_middle(mine: list[str], theirs: list[str], compared: Compared) -> bool:
    """Find a typing error in a given or a family name where one side has middle names too (Serej Lavrov, Sergei Viktorovich)."""
    short, long = sorted((mine, theirs), key=len)
    if len(short) != 2 or len(long) not in WITH_MIDDLE or not spelling.PARTICLES.isdisjoint(long):
        return False
    if compared.is_syllabic or compared.is_terse or compared.is_bare or len("".join(short)) < SLIP_LETTERS_MIN:
        return False
    wrong = [(one, other) for one, other in ((short[0], long[0]), (short[1], long[-1])) if one != other]
    if len(wrong) != 1 or wrong[0][0][0] != wrong[0][1][0] or min(map(len, wrong[0])) < MIDDLE_SLIP_MIN:
        return False
    one, other = wrong[0]
    if tables.is_another_given_name(one, other) or is_other_ending(one, other, compared):
        return False
    if OSA.distance(one, other, score_cutoff=1) == 1:
        return True
    return compared.is_slavic and OSA.distance(sounds.slavic(one), sounds.slavic(other), score_cutoff=1) <= 1


def is_one_cyrillic_slip(mine: str, listed: str, compared: Compared) -> bool:
    """Find one typing error in a name in Cyrillic letters, one of which is two or more in Latin ones (Вукић, Вучић)."""
    if not (spelling.is_cyrillic(mine) and spelling.is_cyrillic(listed)):
        return False
    one, other = (Counter(spelling.cleaned(name).casefold().split()) for name in (mine, listed))
    wrong, right = list((one - other).elements()), list((other - one).elements())
    return (
        len(wrong) == len(right) == 1
        and len(one) > 1
        and OSA.distance(wrong[0], right[0], score_cutoff=1) == 1
        and min(len(wrong[0]), len(right[0])) >= SLIP_WORD_MIN
        and len("".join(one.elements())) >= SLIP_LETTERS_MIN
        and not tables.is_another_given_name(spelling.latin(wrong[0]), spelling.latin(right[0]))
        and not is_other_ending(spelling.latin(wrong[0]), spelling.latin(right[0]), compared)
    )


def _are_two_slips(one: str, other: str, equal: list[Pair], mine: list[str], compared: Compared) -> bool:
    """Find two typing errors in a long word beside two or more words that are all equal."""
    named = [place for pair in equal for place in pair.mine if mine[place] not in spelling.PARTICLES]
    return (
        len(named) >= OTHERS_EQUAL_MIN
        and not compared.is_syllabic
        and not compared.is_terse
        and min(len(one), len(other)) >= TWO_SLIPS_WORD_MIN
        and len("".join(mine)) >= TWO_SLIPS_LETTERS_MIN
        and one[0] == other[0]
        and not tables.is_another_given_name(one, other)
        and OSA.distance(one, other, score_cutoff=2) == 2
        and not is_other_ending(one, other, compared)
    )


def _is_broken_syllable(one: str, other: str, mine: list[str], theirs: list[str]) -> bool:
    """Find a Chinese or Korean name one of whose syllables is none (Sk for Sok): a letter too many, too few or moved made it."""
    if tables.is_syllable(one) == tables.is_syllable(other):
        return False
    whole = mine if tables.is_syllable(one) else theirs
    return (
        len(whole) in SYLLABIC_WORDS
        and all(tables.is_syllable(word) for word in whole)
        and len("".join(whole)) >= BROKEN_LETTERS_MIN
        and (len(one) != len(other) or sorted(one) == sorted(other))
        and OSA.distance(one, other, score_cutoff=1) == 1
    )


def _is_first_vowel(one: str, other: str, mine: list[str], theirs: list[str]) -> bool:
    """Find a first vowel that is swallowed after an article: Nasser al-Li, Nasser al-Ali."""
    (short, words), (long, others) = sorted(((one, mine), (other, theirs)), key=lambda side: len(side[0]))
    follows = all(
        words_of.index(word) > 1 and words_of[words_of.index(word) - 1] in ("al", "el")
        for word, words_of in ((short, words), (long, others))
    )
    return follows and long[0] in "aeiou" and long[1:] == short and len("".join(words)) >= ELISION_LETTERS_MIN


def _is_minor_slip(one: str, other: str, equal: list[Pair], mine: list[str], letters: int) -> bool:
    """Find a letter moved, too many or too few in an article (all, al), or in the shortest of several words (Ni, Ani)."""
    if one in spelling.PARTICLES or other in spelling.PARTICLES:
        return True
    short, long = sorted((one, other), key=len)
    if long[:-1] == short and long[-1] in "ai":
        return False  # Amir and Amira
    named = [place for pair in equal for place in pair.mine if mine[place] not in spelling.PARTICLES]
    return letters >= LONG_LETTERS_MIN and len(named) >= OTHERS_EQUAL_MIN and len(short) >= SHORTEST_SLIP_MIN


def _is_short_form(one: str, other: str, equal: list[Pair], mine: list[str]) -> bool:
    """Find a given name's short form (Zara, Zarifa) beside a father's name and a family name that are both the same."""
    if len(mine) < 3 or not any(PATRONYMIC.search(mine[place]) for pair in equal for place in pair.mine):
        return False
    short, long = sorted((one, other), key=len)
    stem = short.rstrip("aeiouy")
    return len(stem) >= 3 and long.startswith(stem) and not tables.is_another_given_name(one, other)
