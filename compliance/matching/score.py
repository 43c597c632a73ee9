"""How alike a client and a listed person are, 0 to 1, with every reason.

The names decide: each word of the client's name is paired with the listed name's word that fits best; how well, how much of
each name is covered, and the order make the name's score. Birth and country are soft evidence: they move the score a
little, and never stand in for a name. Nothing is a hard filter, because lists are vague about births.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz.distance import Indel

from compliance.matching import firms, genders
from compliance.matching import text as spelling
from compliance.matching.east_asian import compare_readings
from compliance.matching.evidence import (
    NO_DETAILS,
    SAME_NUMBER_SCORE,
    Address,
    BirthRange,
    Details,
    compare_addresses,
    compare_birth,
    compare_countries,
    compare_numbers,
)
from compliance.matching.explanation import Explanation, IsCommon, never_common
from compliance.matching.heard import compare_heard
from compliance.matching.slips import is_one_cyrillic_slip, is_one_slip
from compliance.matching.words import (
    DOUBTFUL,
    Pair,
    explain_pairs,
    is_father_and_family,
    pair_up,
    words_compared,
    worth,
)

NONE: frozenset[str] = frozenset()
PARTICLE_WEIGHT = 0.25
INITIAL_WEIGHT = 0.5
COMMON_WEIGHT = 0.7
# A link of a genealogy (bin Muhammad bin Awad) that only one name has, between two ends that both have.
LINK_WEIGHT = 0.5
# What the client's name leaves unexplained weighs more than what the list's longer name adds.
CLIENT_SHARE, LISTED_SHARE = 0.72, 0.28
ORDER_PENALTY, SON_OF_PENALTY = 0.03, 0.24
# A solid word without a partner on both sides: two people who share a family's name.
ALONE_PENALTY = 0.12
# Names without their spaces, as alike as this and as long as this, may be one.
TOGETHER_MIN, TOGETHER_LETTERS_MIN, TOGETHER_EDITS_MAX = 0.92, 8, 4
CHARACTERS_DIFFER = 0.78
# A name that is equal but for one typing error.
SLIP_SCORE = 0.82
GENDER_DIFFERS = 0.12
SYLLABLE_PENALTY = 0.12
ONE_WORD_PENALTY = 0.2
WEAK_ALIAS_PENALTY = 0.05


@dataclass(frozen=True)
class Person:
    """The client, a person or a firm, as the matcher sees them."""

    names: tuple[str, ...]
    birth_date: dt.date | None = None
    countries: tuple[str, ...] = ()
    is_firm: bool = False
    is_vessel: bool = False
    # (kind, keyed hash) of documents, registers, crypto addresses: what is equal to a listed number's.
    numbers: frozenset[tuple[str, bytes]] = frozenset()
    address: Address | None = None


@dataclass(frozen=True)
class ListedName:
    text: str
    is_weak: bool = False


def score(
    person: Person,
    names: Iterable[ListedName],
    births: Iterable[BirthRange] = (),
    countries: Iterable[str] = (),
    is_common: IsCommon = never_common,
    gender: str = "",
    details: Details = NO_DETAILS,
) -> Explanation:
    """Find the best explanation over all of the client's and the entry's names, with what speaks for or against it."""
    best = Explanation(0.0)
    compare = firms.compare_vessels if person.is_vessel else firms.compare_firms if person.is_firm else compare_names
    for listed in names:
        for mine in person.names:
            explanation = compare(mine, listed.text, is_common)
            if listed.is_weak:
                explanation.name_score -= WEAK_ALIAS_PENALTY
                explanation.notes.append("weak_alias")
            if explanation.name_score > best.name_score or not best.client_name:
                best = explanation
    if person.numbers:
        compare_numbers(best, person.numbers, details.numbers)
    if not best.pairs and best.identifier_points <= 0:
        return best
    best.birth, best.birth_points = compare_birth(person.birth_date, list(births))
    best.country, best.country_points = compare_countries(person.countries, list(countries))
    compare_addresses(best, person.address, details.addresses)
    # A date of birth is worth as much as the name beside it.
    points = best.birth_points * (best.name_score if best.birth_points > 0 else 1.0)
    points += best.country_points + best.identifier_points + best.address_points
    # A list that doesn't say has the name's own word for it.
    is_thing = person.is_firm or person.is_vessel
    gender = gender or genders.gender_of(best.listed_name)
    if gender and any(genders.gender_of(mine) not in ("", gender) for mine in person.names) and not is_thing:
        points -= GENDER_DIFFERS
        best.notes.append("gender_differs")
    best.score = round(min(1.0, max(0.0, best.name_score + points)), 4)
    if best.identifier_points > 0:
        best.score = SAME_NUMBER_SCORE
        best.notes.append("same_number")
    return best


def compare_names(mine: str, listed: str, is_common: IsCommon = never_common) -> Explanation:
    """Compare two people's names, and say which word was taken for which.

    Characters of East Asia come first: they tell apart what one reading merges. Names in one word or two (Abd al-Rahman) are
    compared both ways.
    """
    if spelling.has_east_asian(mine) and spelling.has_east_asian(listed):
        return compare_readings(mine, listed) or _compare_characters(mine, listed)
    best = _compare(mine, listed, spelling.words(mine), spelling.words(listed), is_common)
    for read in (compare_readings(mine, listed), compare_heard(mine, listed)):
        if read and read.name_score > best.name_score:
            return read
    plain = list(spelling.plain_words(mine)), list(spelling.plain_words(listed))
    if best.name_score < 1 and plain != (spelling.words(mine), spelling.words(listed)):
        apart = _compare(mine, listed, *plain, is_common)
        best = apart if apart.name_score > best.name_score else best
    return best


def _compare_characters(mine: str, listed: str) -> Explanation:
    one, other = spelling.characters(mine), spelling.characters(listed)
    likeness = Indel.normalized_similarity(one, spelling.same_characters(one, other))
    found = Explanation(0.0, client_name=mine, listed_name=listed, notes=["characters"])
    found.name_score = 1.0 if likeness == 1 else CHARACTERS_DIFFER * likeness
    if likeness >= 0.5:
        found.pairs = [{"client": one, "listed": other, "likeness": round(likeness, 3), "how": "characters"}]
    else:
        found.left_over_client, found.left_over_listed, found.name_score = [one], [other], 0.0
    return found


def _compare(mine: str, listed: str, my_words: list[str], their_words: list[str], is_common: IsCommon) -> Explanation:
    compared = words_compared(mine, listed)
    pairs = pair_up(my_words, their_words, compared)
    found = Explanation(0.0, client_name=mine, listed_name=listed)
    my_paired, their_paired = explain_pairs(found, pairs, my_words, their_words)
    # A Korean "bin" is a syllable like any other.
    particles = NONE if compared.is_syllabic else spelling.PARTICLES
    solid = [pair for pair in pairs if any(my_words[place] not in particles for place in pair.mine)]
    if not solid:
        found.pairs = []
        return found

    (share_mine, alone_mine) = _covered(my_words, my_paired, is_common, particles)
    (share_theirs, alone_theirs) = _covered(their_words, their_paired, is_common, particles)
    # A client whose name is longer than the listed one is covered the other way round.
    fuller, other = max(share_mine, share_theirs), min(share_mine, share_theirs)
    found.name_score = CLIENT_SHARE * fuller + LISTED_SHARE * other
    both_alone = min(alone_mine, alone_theirs)
    if both_alone > 0.1:
        found.name_score -= ALONE_PENALTY * min(1.0, both_alone)
        found.notes.append("words_on_both_sides_differ")
    if min(len(my_words), len(their_words)) == 2 and any(
        is_father_and_family(my_words[pair.mine[0]], their_words[pair.theirs[0]]) for pair in solid
    ):
        found.name_score -= ONE_WORD_PENALTY
        found.notes.append("one_word")
    if compared.is_syllabic and bool(found.left_over_client) != bool(found.left_over_listed):
        # Every syllable of such a name is written, and its two or three are soon another's.
        found.name_score -= SYLLABLE_PENALTY
        found.notes.append("syllable_missing")
    _note_order(found, pairs, my_words, their_words, particles)
    _note_thin(found, solid, my_words, their_words, is_common, particles)
    found.name_score = max(0.0, found.name_score)
    if found.name_score < 0.9 and (len(my_words) != len(their_words) or "".join(my_words) == "".join(their_words)):
        _note_written_together(found, my_words, their_words)
    if (
        found.name_score < SLIP_SCORE
        and set(found.notes) <= {"words_on_both_sides_differ", "other_order", "one_word"}
        and (
            is_one_slip(my_words, their_words, pairs, compared, is_alone="one_word" in found.notes)
            or is_one_cyrillic_slip(mine, listed, compared)
        )
    ):
        found.name_score = SLIP_SCORE
        found.notes.append("one_typing_error")
    return found


def _weight(word: str, is_common: IsCommon, particles: frozenset[str]) -> float:
    if word in particles:
        return PARTICLE_WEIGHT
    return INITIAL_WEIGHT if len(word) == 1 else COMMON_WEIGHT if is_common(word) else 1.0


def _covered(
    words: list[str], paired: dict[int, Pair], is_common: IsCommon, particles: frozenset[str]
) -> tuple[float, float]:
    """(share of the words' weight that found a partner, weight of the solid words that found none or a doubtful one)."""
    links = _genealogy(words, paired, particles)
    total = sum(
        _weight(word, is_common, particles) * (LINK_WEIGHT if place in links else 1.0)
        for place, word in enumerate(words)
    )
    share = (
        sum(_weight(words[place], is_common, particles) * worth(pair.likeness) for place, pair in paired.items())
        / total
    )
    alone = sum(
        _weight(word, is_common, particles) * (1 - (worth(paired[place].likeness) if place in paired else 0))
        for place, word in enumerate(words)
        if word not in particles and (place not in paired or paired[place].likeness < DOUBTFUL)
    )
    return share, alone


def _genealogy(words: list[str], paired: dict[int, Pair], particles: frozenset[str]) -> set[int]:
    """Find a genealogy's links without a partner: whose name is Usama bin Muhammad bin Awad bin Ladin is Osama bin Laden too."""
    last = len(words) - 1
    if not particles or last < 4 or 0 not in paired or last not in paired or paired[0] is paired[last]:
        return set()
    return {
        place
        for place in range(1, last)
        if place not in paired and (words[place] in spelling.SON_OF or words[place - 1] in spelling.SON_OF)
    }


def _note_written_together(found: Explanation, mine: list[str], theirs: list[str]) -> None:
    """Compare the names without their spaces: some write Wiji Joko as Wijijoko."""
    one, other = "".join(mine), "".join(theirs)
    if min(len(one), len(other)) < TOGETHER_LETTERS_MIN:
        return
    likeness = Indel.normalized_similarity(one, other, score_cutoff=TOGETHER_MIN)
    if Indel.distance(one, other, score_cutoff=TOGETHER_EDITS_MAX) > TOGETHER_EDITS_MAX:
        return  # in a long name a whole word may be another
    if likeness and likeness - 0.04 > found.name_score:
        found.name_score = likeness - 0.04
        found.notes = ["written_together"]
        found.pairs = [{"client": one, "listed": other, "likeness": round(likeness, 3), "how": "together"}]
        found.left_over_client, found.left_over_listed = [], []


def _note_order(
    found: Explanation, pairs: list[Pair], mine: list[str], theirs: list[str], particles: frozenset[str]
) -> None:
    solid = [pair for pair in sorted(pairs, key=lambda pair: pair.mine) if mine[pair.mine[0]] not in particles]
    order = [pair.theirs[0] for pair in solid]
    if order == sorted(order):
        return
    my_son, their_son = (_before_son_of(words) if particles else None for words in (mine, theirs))
    partners = {place: pair.theirs for pair in solid for place in pair.mine}
    if (
        my_son is not None
        and their_son is not None
        and (their_son not in partners.get(my_son, ()) or _have_changed_sides(solid, my_son, their_son))
    ):
        # "X bin Y" is another person than "Y bin X", and "X Z bin Y" than "Y Z bin X".
        found.name_score -= SON_OF_PENALTY
        found.notes.append("father_and_son_swapped")
    else:
        found.name_score -= ORDER_PENALTY
        found.notes.append("other_order")


def _have_changed_sides(solid: list[Pair], my_son: int, their_son: int) -> bool:
    """Check for a word before "bin" that is the other's after it, and one the other way round."""
    sides = {(place <= my_son, other <= their_son) for pair in solid for place in pair.mine for other in pair.theirs}
    return {(True, False), (False, True)} <= sides


def _before_son_of(words: list[str]) -> int | None:
    """Find the word before the first "bin"; None where the name begins with one and its bearer's own name comes last."""
    if words[0] in spelling.SON_OF:
        return None
    return next((place - 1 for place, word in enumerate(words) if place and word in spelling.SON_OF), None)


def _note_thin(
    found: Explanation,
    solid: list[Pair],
    mine: list[str],
    theirs: list[str],
    is_common: IsCommon,
    particles: frozenset[str],
) -> None:
    """Lower a score that rests on little: one shared word where both names have more, or the commonest names alone."""
    full = min(sum(word not in particles for word in words) for words in (mine, theirs))
    if len(solid) == 1 and len(solid[0].mine) != len(solid[0].theirs) and solid[0].how == "sound":
        # Two words that sound like the other's only one.
        found.name_score -= ONE_WORD_PENALTY
        found.notes.append("one_word")
    elif len(solid) == 1 and len(solid[0].mine) == len(solid[0].theirs) == 1:
        found.name_score -= ONE_WORD_PENALTY if full > 1 or len(mine) != len(theirs) else 0.08
        found.notes.append("one_word")
    elif all(is_common(mine[place]) for pair in solid for place in pair.mine) and (
        found.left_over_client or found.left_over_listed
    ):
        found.name_score -= 0.08
        found.notes.append("common_words_only")
