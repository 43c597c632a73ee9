"""How alike a client and a listed person are, 0 to 1, with every reason.

The names decide: each word of the client's name is paired with the listed name's word that fits best; how well, how much of
each name is covered, and the order make the name's score. Birth and country are soft evidence: they move the score a
little, and never stand in for a name. Nothing is a hard filter, because lists are vague about births.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from rapidfuzz.distance import OSA, Indel, JaroWinkler

from compliance.matching import text as spelling

WORD_LIKENESS_MIN = 0.78
PARTICLE_WEIGHT = 0.25
COMMON_WEIGHT = 0.7
# What the client's name leaves unexplained weighs more than what the list's longer name adds.
CLIENT_SHARE, LISTED_SHARE = 0.72, 0.28
ORDER_PENALTY, SON_OF_PENALTY = 0.03, 0.22
ONE_WORD_PENALTY = 0.2
WEAK_ALIAS_PENALTY = 0.05
BIRTH_EXACT, BIRTH_YEAR, BIRTH_NEAR, BIRTH_DIFFERS = 0.06, 0.03, 0.0, -0.22
COUNTRY_SAME, COUNTRY_DIFFERS = 0.02, -0.02

IsCommon = Callable[[str], bool]
Pair: TypeAlias = tuple[int, int, float, str]  # my place, their place, likeness, how


@dataclass(frozen=True)
class Person:
    """The client as the matcher sees them."""

    names: tuple[str, ...]
    birth_date: dt.date | None = None
    countries: tuple[str, ...] = ()


@dataclass(frozen=True)
class ListedName:
    text: str
    is_weak: bool = False


@dataclass(frozen=True)
class BirthRange:
    first: dt.date
    last: dt.date
    is_exact: bool = False


@dataclass
class Explanation:
    """What was compared and what it counted; kept with every hit."""

    score: float
    client_name: str = ""
    listed_name: str = ""
    pairs: list[dict[str, object]] = field(default_factory=list)
    left_over_client: list[str] = field(default_factory=list)
    left_over_listed: list[str] = field(default_factory=list)
    name_score: float = 0.0
    notes: list[str] = field(default_factory=list)
    birth: str = "unknown"
    birth_points: float = 0.0
    country: str = "unknown"
    country_points: float = 0.0


def never_common(_word: str) -> bool:
    """Treat no word as common, where no list is at hand."""
    return False


def score(
    person: Person,
    names: Iterable[ListedName],
    births: Iterable[BirthRange] = (),
    countries: Iterable[str] = (),
    is_common: IsCommon = never_common,
) -> Explanation:
    """Find the best explanation over all of the client's and the entry's names, with birth and countries."""
    best = Explanation(0.0)
    for listed in names:
        for mine in person.names:
            explanation = compare_names(mine, listed.text, is_common)
            if listed.is_weak:
                explanation.name_score -= WEAK_ALIAS_PENALTY
                explanation.notes.append("weak_alias")
            if explanation.name_score > best.name_score:
                best = explanation
    if not best.pairs:
        return best
    best.birth, best.birth_points = _birth(person.birth_date, list(births))
    best.country, best.country_points = _country(person.countries, list(countries))
    # A date of birth is worth as much as the name beside it.
    points = best.birth_points * (best.name_score if best.birth_points > 0 else 1.0) + best.country_points
    best.score = round(min(1.0, max(0.0, best.name_score + points)), 4)
    return best


def compare_names(mine: str, listed: str, is_common: IsCommon = never_common) -> Explanation:
    """Compare two names. Those written in one word or two (Abd al-Rahman) are compared both ways."""
    best = _compare(mine, listed, spelling.words(mine), spelling.words(listed), is_common)
    plain = list(spelling.plain_words(mine)), list(spelling.plain_words(listed))
    if plain != (spelling.words(mine), spelling.words(listed)):
        apart = _compare(mine, listed, *plain, is_common)
        best = apart if apart.name_score > best.name_score else best
    return best


def _compare(mine: str, listed: str, my_words: list[str], their_words: list[str], is_common: IsCommon) -> Explanation:
    with_vowels = spelling.lacks_vowels(mine) == spelling.lacks_vowels(listed)
    pairs = _pair_up(my_words, their_words, with_vowels)
    explanation = Explanation(0.0, client_name=mine, listed_name=listed)
    explanation.pairs = [
        {"client": my_words[i], "listed": their_words[j], "likeness": round(likeness, 3), "how": how}
        for i, j, likeness, how in pairs
    ]
    explanation.left_over_client = [word for i, word in enumerate(my_words) if i not in {pair[0] for pair in pairs}]
    explanation.left_over_listed = [word for j, word in enumerate(their_words) if j not in {pair[1] for pair in pairs}]
    solid = [pair for pair in pairs if my_words[pair[0]] not in spelling.PARTICLES]
    if not solid:
        explanation.pairs = []
        return explanation

    def weight(word: str) -> float:
        return PARTICLE_WEIGHT if word in spelling.PARTICLES else COMMON_WEIGHT if is_common(word) else 1.0

    mine_covered = sum(weight(my_words[i]) * likeness for i, _j, likeness, _how in pairs)
    theirs_covered = sum(weight(their_words[j]) * likeness for _i, j, likeness, _how in pairs)
    share_mine = mine_covered / sum(map(weight, my_words))
    share_theirs = theirs_covered / sum(map(weight, their_words))
    # A client whose name is longer than the listed one is covered the other way round.
    fuller, other = max(share_mine, share_theirs), min(share_mine, share_theirs)
    explanation.name_score = CLIENT_SHARE * fuller + LISTED_SHARE * other
    _note_order(explanation, pairs, my_words, their_words)
    _note_thin(explanation, solid, my_words, their_words, is_common)
    explanation.name_score = max(0.0, explanation.name_score)
    return explanation


def _note_order(found: Explanation, pairs: list[Pair], mine: list[str], theirs: list[str]) -> None:
    order = [j for i, j, _likeness, _how in sorted(pairs) if mine[i] not in spelling.PARTICLES]
    if order == sorted(order):
        return
    if spelling.SON_OF & set(mine) and spelling.SON_OF & set(theirs):
        # "X bin Y" is another person than "Y bin X".
        found.name_score -= SON_OF_PENALTY
        found.notes.append("father_and_son_swapped")
    else:
        found.name_score -= ORDER_PENALTY
        found.notes.append("other_order")


def _note_thin(found: Explanation, solid: list[Pair], mine: list[str], theirs: list[str], is_common: IsCommon) -> None:
    """Lower a score that rests on little: one shared word where both names have more, or the commonest names alone."""
    full = min(
        sum(word not in spelling.PARTICLES for word in mine), sum(word not in spelling.PARTICLES for word in theirs)
    )
    if len(solid) == 1:
        found.name_score -= ONE_WORD_PENALTY if full > 1 or len(mine) != len(theirs) else 0.08
        found.notes.append("one_word")
    elif all(is_common(mine[i]) for i, _j, _likeness, _how in solid) and (
        found.left_over_client or found.left_over_listed
    ):
        found.name_score -= 0.08
        found.notes.append("common_words_only")


def _pair_up(mine: list[str], theirs: list[str], with_vowels: bool) -> list[Pair]:
    """Greedy from the best: (my place, their place, likeness, how)."""
    options = []
    for i, one in enumerate(mine):
        for j, other in enumerate(theirs):
            likeness, how = word_likeness(one, other, with_vowels)
            if likeness >= WORD_LIKENESS_MIN:
                options.append((likeness, -abs(i - j), i, j, how))
    options.sort(reverse=True)
    taken_mine: set[int] = set()
    taken_theirs: set[int] = set()
    pairs = []
    for likeness, _near, i, j, how in options:
        if i in taken_mine or j in taken_theirs:
            continue
        taken_mine.add(i)
        taken_theirs.add(j)
        pairs.append((i, j, likeness, how))
    return pairs


def word_likeness(one: str, other: str, with_vowels: bool = True) -> tuple[float, str]:
    """Compare two words: (0 to 1, how), how being equal, spelling, sound, particle or initial.

    with_vowels: both scripts write them, so they must agree.
    """
    if one == other:
        return 1.0, "equal"
    if len(one) == 1 or len(other) == 1:
        return (0.8, "initial") if one[0] == other[0] and one not in spelling.PARTICLES else (0.0, "")
    if one in spelling.PARTICLES or other in spelling.PARTICLES:
        both = one in spelling.PARTICLES and other in spelling.PARTICLES
        return (0.85, "particle") if both and (one[-1] == other[-1] or {one, other} <= spelling.SON_OF) else (0.0, "")
    longest, shortest = max(len(one), len(other)), min(len(one), len(other))
    edits = OSA.distance(one, other)
    likeness = 1 - edits / longest
    if edits == 1 or (edits == 2 and longest >= 8):
        likeness = max(likeness, JaroWinkler.similarity(one, other, prefix_weight=0.06) - 0.06)
    bones = max(spelling.skeletons(one) & spelling.skeletons(other), key=len, default="")
    if len(bones) >= 2 and shortest >= 3 and (not with_vowels or _vowels_agree(one, other, bones)):
        # The same consonants: another romanisation, surer the more of them there are.
        return max(likeness, 0.84 + 0.03 * min(4, len(bones) - 1)), "sound"
    if longest <= 4 and edits > 1:
        return 0.0, ""
    return likeness, "spelling"


def _vowels_agree(one: str, other: str, bones: str) -> bool:
    """Compare the vowels: consonants alone make Oscar an Askari, the more so the fewer consonants there are."""
    agreement = Indel.normalized_similarity(spelling.vowels(one), spelling.vowels(other))
    return agreement >= {2: 0.85, 3: 0.6}.get(len(bones), 0.3)


def _birth(born: dt.date | None, births: list[BirthRange]) -> tuple[str, float]:
    if born is None or not births:
        return "unknown", 0.0
    best = ("differs", BIRTH_DIFFERS)
    for listed in births:
        if listed.first <= born <= listed.last:
            verdict = ("same_day", BIRTH_EXACT) if listed.is_exact else ("same_year", BIRTH_YEAR)
        elif listed.is_exact and (born.year, born.month, born.day) == (
            listed.first.year,
            listed.first.day,
            listed.first.month,
        ):
            verdict = ("day_and_month_swapped", BIRTH_YEAR)
        elif listed.first.year - 1 <= born.year <= listed.last.year + 1:
            verdict = ("near", BIRTH_NEAR)
        else:
            verdict = ("differs", BIRTH_DIFFERS)
        best = max(best, verdict, key=lambda item: item[1])
    return best


def _country(mine: tuple[str, ...], theirs: list[str]) -> tuple[str, float]:
    if not mine or not theirs:
        return "unknown", 0.0
    return ("same", COUNTRY_SAME) if set(mine) & set(theirs) else ("differs", COUNTRY_DIFFERS)
