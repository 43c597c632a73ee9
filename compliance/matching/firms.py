"""How alike two firms' names are: the words that name the firm decide, legal forms and words of the trade say little."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import OSA, Indel

from compliance.matching import tables
from compliance.matching import text as spelling
from compliance.matching.explanation import Explanation, IsCommon, never_common
from compliance.matching.trade_words import in_english
from compliance.matching.words import DOUBTFUL, SAME_STARTS, Pair, explain_pairs, pair_up, words_compared, worth

WORDS_MAX = 24
STOP_WEIGHT, TRADE_WEIGHT, NUMBER_WEIGHT = 0.08, 0.6, 0.8
FULLER_SHARE, OTHER_SHARE = 0.7, 0.3
FORM_DIFFERS, ORDER_PENALTY = 0.02, 0.02
# A charity and a company of one name are two, and so are firms of two legal forms of which one has a word more.
CHARITY_DIFFERS, PART_DIFFERS = 0.22, 0.15
NUMBER_PENALTY, ONE_NUMBER_PENALTY, VESSEL_NUMBER_PENALTY = 0.2, 0.15, 0.04
ALONE_PENALTY = 0.06
MISSPELT_LETTERS_MIN, MENDED_LETTERS_MIN = 7, 4
ONE_WORD_PENALTY = 0.1
TOGETHER_MIN, TOGETHER_LETTERS_MIN = 0.92, 8
ACRONYM_LETTERS_MIN, ACRONYM_SCORE, IN_BRACKETS_SCORE = 4, 0.84, 0.9
# One typing error in one word of a name as long as this, all of whose other words are equal.
SLIP_LETTERS_MIN, REPLACED_LETTERS_MIN, SLIP_SCORE = 6, 9, 0.82
TWO_SLIPS_EQUAL_MIN, TWO_SLIPS_LETTERS_MIN, TWO_SLIPS_WORD_MIN = 3, 18, 5
WHOLE_LETTERS_MIN, NAMED_LETTERS_MIN = 9, 4
OTHERS_EQUAL_MIN, LONG_LETTERS_MIN = 2, 14
OUTSIDE_ALONE, SHORT_FORM_LETTERS = 0.9, range(3, 7)
DOTTED = re.compile(r"\b(?:[^\W\d_]\s?[.]\s?){2,}(?:[^\W\d_]\b)?|\b(?:[^\W\d_]{1,2}[.]+){1,4}[^\W\d_]{1,2}\b")
IN_BRACKETS = re.compile(r"\(([^()]*)\)")
ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
CARDINALS = "one two three four five six seven eight nine ten eleven twelve".split()
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
TEENS = "thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
NUMBER_WORDS = (
    {word: str(place) for words in (CARDINALS, ORDINALS) for place, word in enumerate(words, 1)}
    | {word: str(place) for place, word in enumerate(TEENS, 13)}
    | {word: str(place) for place, word in zip(range(20, 100, 10), TENS, strict=True)}
    | {"fourty": "40", "ninty": "90"}  # as many write them
)
PERCENT = re.compile(r"(?<=\d)\s*%\s*")
ORDINAL_DIGITS = re.compile(r"^(\d{1,2})(?:st|nd|rd|th)$")


# Legal forms that are written without a space, and the Arabic word that opens most firms' names.
FORM_SIGNS = re.compile(
    "株式会社|株式會社|有限会社|合同会社|股份有限公司|有限责任公司|有限責任公司|有限公司|주식회사|유한회사|\\b(?:شركة|شرکت)\\b"
)
# A legal form of several words, as long as this, may have one typing error.
MISSPELT_FORM_MIN = 12


@dataclass(frozen=True)
class FirmName:
    """A firm's name: words that name it, and its legal forms."""

    words: tuple[str, ...]
    forms: frozenset[str]


@lru_cache(maxsize=100_000)
def _spoken(text: str) -> tuple[str, ...]:
    """Split a firm's name into words, dotted initials joined."""
    joined = DOTTED.sub(
        lambda found: re.sub(r"[.\s]", "", found[0]) + " ", in_english(_without_signs(spelling.cleaned(text)))
    )
    joined = PERCENT.sub(" percent", joined.replace("&", " and ").replace("/", " "))
    return tuple(_counted(spelling.latin(joined).split()))


def _counted(words: list[str]) -> list[str]:
    """Write a number of two words (`forty four`) as digits."""
    out: list[str] = []
    for word in words:
        tens, units = NUMBER_WORDS.get(out[-1], "") if out else "", NUMBER_WORDS.get(word, "")
        if len(tens) == 2 and tens[1] == "0" != tens[0] != "1" and len(units) == 1:
            out[-1] = tens[0] + units
        else:
            out.append(word)
    return out


@lru_cache(maxsize=100_000)
def firm_name(text: str, mended: tuple[tuple[str, str], ...] = ()) -> FirmName:
    """Take a firm's name apart: numbers as digits, legal forms rewritten to one short form. mended: words to be replaced."""
    replaced = dict(mended)
    found = [_spelled(replaced.get(word, word)) for word in _spoken(text)]
    words: list[str] = []
    forms: set[str] = set()
    place = 0
    while place < len(found):
        for length in range(min(tables.FORM_WORDS_MAX, len(found) - place), 0, -1):
            form = _form(tuple(found[place : place + length]))
            # A legal form opens or closes a name. A word in the middle may be the name itself.
            if (
                form
                and (length > 1 or place in (0, len(found) - 1) or len(found) - place <= 3)
                and not _runs_into_longer(found, place, length)
            ):
                forms.add(form)
                place += length
                break
        else:
            word = ORDINAL_DIGITS.sub(r"\1", found[place])
            words.append(ROMAN.get(word) or NUMBER_WORDS.get(word) or tables.SAME_WORDS.get(word, word))
            place += 1
    if not any(word not in tables.STOP_WORDS for word in words):
        return FirmName(tuple(found[:WORDS_MAX]), frozenset())
    return FirmName(tuple(_without_initials(words)[:WORDS_MAX]), frozenset(forms))


KNOWN_WORDS = tables.TRADE_WORDS | {word for phrase in tables.FORM_PHRASES for word in phrase}
LONG_WORDS = sorted(word for word in KNOWN_WORDS if len(word) >= MISSPELT_LETTERS_MIN)


@lru_cache(maxsize=100_000)
def _spelled(word: str) -> str:
    """Mend one typing error in a word that every firm may have (`Cmpany`, `Tarding`): it says as little as the right one."""
    if len(word) < MISSPELT_LETTERS_MIN - 1 or word in KNOWN_WORDS or word in tables.SAME_WORDS:
        return word
    near = [known for known in LONG_WORDS if OSA.distance(word, known, score_cutoff=1) <= 1]
    # Trader and Marina are words of their own: what only lacks or has a last letter is left alone.
    near = [known for known in near if known[-1] == word[-1]]
    near = [known for known in near if known[0] == word[0] or sorted(known) == sorted(word)]
    return near[0] if len(near) == 1 else word


def _is_known(word: str) -> bool:
    return any(
        one in words for one in (word, _spelled(word)) for words in (KNOWN_WORDS, tables.SAME_WORDS, NUMBER_WORDS)
    )


def _mends(text: str, other: str) -> tuple[tuple[str, str], ...]:
    """Find words with one typing error in what the other name has right, and what would be rewritten there (Zvod, Zavod)."""
    mine, theirs = _spoken(text), _spoken(other)
    right = [word for word in theirs if len(word) >= MENDED_LETTERS_MIN and word not in mine and _is_known(word)]
    if not right:
        return ()
    wrong = [word for word in mine if len(word) >= MENDED_LETTERS_MIN and word not in theirs and not _is_known(word)]
    return tuple((one, word) for one in wrong for word in right if OSA.distance(one, word, score_cutoff=1) == 1)


@lru_cache(maxsize=100_000)
def _form(phrase: tuple[str, ...]) -> str | None:
    """Find the legal form that these words are, with one typing error at most in a long one (`open joint stck company`)."""
    form = tables.FORM_PHRASES.get(phrase)
    text = " ".join(phrase)
    if form or len(phrase) < 3 or len(text) < MISSPELT_FORM_MIN:
        return form
    near = (known for known in tables.FORM_PHRASES if len(known) == len(phrase))
    return next(
        (tables.FORM_PHRASES[known] for known in near if OSA.distance(text, " ".join(known), score_cutoff=1) <= 1), None
    )


def _runs_into_longer(words: list[str], place: int, length: int) -> bool:
    """Tell `company limited` that takes the first word of `limited liability company` away."""
    return any(
        _form(tuple(words[start : start + longer])) is not None
        for start in range(place + 1, place + length)
        for longer in range(length + 1, min(tables.FORM_WORDS_MAX, len(words) - start) + 1)
    )


def _without_signs(text: str) -> str:
    named = FORM_SIGNS.sub(" ", text)
    return named if named.strip() else text


def _without_initials(words: list[str]) -> list[str]:
    """Join single letters that follow each other: A B C is ABC."""
    out: list[str] = []
    is_open = False
    for word in words:
        if len(word) == 1 and word.isalpha() and is_open:
            out[-1] += word
        else:
            out.append(word)
        is_open = len(word) == 1 and word.isalpha()
    return out


def compare_firms(mine: str, listed: str, is_common: IsCommon = never_common) -> Explanation:
    """Compare two firms' names, and say which word was taken for which."""
    if spelling.has_east_asian(mine) and spelling.has_east_asian(listed):
        return _compare_characters(mine, listed)
    best = _compare(mine, listed, mine, listed, is_common)
    if best.name_score < OUTSIDE_ALONE and _have_one_short_form(mine, listed):
        outside = _compare(mine, listed, IN_BRACKETS.sub(" ", mine), IN_BRACKETS.sub(" ", listed), is_common)
        outside.name_score = min(outside.name_score, OUTSIDE_ALONE)
        best = max(best, outside, key=lambda found: found.name_score)
    if best.name_score < 0.95 and ("(" in mine) != ("(" in listed):
        # What stands in brackets is a short form or a remark.
        outside = _compare(mine, listed, IN_BRACKETS.sub(" ", mine), IN_BRACKETS.sub(" ", listed), is_common)
        best = max(best, outside, key=lambda found: found.name_score)
        best = max(best, _compare_short_form(mine, listed), key=lambda found: found.name_score)
    return best


def compare_vessels(mine: str, listed: str, is_common: IsCommon = never_common) -> Explanation:
    """Compare two ships' names as firms' are; a number that one of them lacks (Victory, Victory 3) is soon painted on."""
    found = compare_firms(mine, listed, is_common)
    numbers = [any(word.isdigit() for word in firm_name(name).words) for name in (mine, listed)]
    if "numbers_differ" in found.notes and not all(numbers):
        found.name_score += ONE_NUMBER_PENALTY - VESSEL_NUMBER_PENALTY
    return found


def _have_one_short_form(mine: str, listed: str) -> bool:
    """Tell that both names have a short form in brackets, with one typing error: (MEC), (MCE)."""
    inside = [[spelling.latin(text) for text in IN_BRACKETS.findall(name)] for name in (mine, listed)]
    if [len(words) for words in inside] != [1, 1]:
        return False
    (one,), (other,) = inside
    return max(len(one), len(other)) in SHORT_FORM_LETTERS and OSA.distance(one, other, score_cutoff=1) == 1


def _compare_short_form(mine: str, listed: str) -> Explanation:
    """Compare one name with the short form that the other has in brackets: KOMID, Korea Mining Development (KOMID)."""
    found = Explanation(0.0, client_name=mine, listed_name=listed)
    short, long = (mine, listed) if "(" in listed else (listed, mine)
    word = spelling.latin(short)
    inside = [spelling.latin(text) for text in IN_BRACKETS.findall(long)]
    if word in inside and len(word) >= ACRONYM_LETTERS_MIN and word not in KNOWN_WORDS:
        found.name_score, found.notes = IN_BRACKETS_SCORE, ["initials"]
        found.pairs = [{"client": word, "listed": word, "likeness": 1.0, "how": "equal"}]
    return found


def _compare_characters(mine: str, listed: str) -> Explanation:
    one, other = (spelling.characters(_without_signs(name)) for name in (mine, listed))
    likeness = Indel.normalized_similarity(one, spelling.same_characters(one, other))
    found = Explanation(0.0, client_name=mine, listed_name=listed, notes=["characters"])
    found.name_score = likeness if likeness >= 0.5 else 0.0
    found.pairs = (
        [{"client": one, "listed": other, "likeness": round(likeness, 3), "how": "characters"}]
        if found.name_score
        else []
    )
    return found


def _weight(word: str, is_common: IsCommon) -> float:
    if word in tables.STOP_WORDS:
        return STOP_WEIGHT
    if word.isdigit():
        return NUMBER_WEIGHT
    return TRADE_WEIGHT if word in tables.TRADE_WORDS else 0.7 if is_common(word) else 1.0


def _compare(mine: str, listed: str, one: str, other: str, is_common: IsCommon) -> Explanation:
    found = Explanation(0.0, client_name=mine, listed_name=listed)
    my_name, their_name = firm_name(one, _mends(one, other)), firm_name(other, _mends(other, one))
    my_words, their_words = list(my_name.words), list(their_name.words)
    if not my_words or not their_words:
        return found
    pairs = pair_up(my_words, their_words, words_compared(mine, listed, is_firm=True))
    my_paired, their_paired = explain_pairs(found, pairs, my_words, their_words)
    covered = [_covered(my_words, my_paired, is_common), _covered(their_words, their_paired, is_common)]
    shares, alone = [share for share, _alone in covered], [alone for _share, alone in covered]
    found.name_score = FULLER_SHARE * max(shares) + OTHER_SHARE * min(shares)
    _note_differences(found, pairs, min(alone), my_words, their_words)
    if my_name.forms and their_name.forms and not my_name.forms & their_name.forms:
        is_charity = "nonprofit" in my_name.forms | their_name.forms
        has_more = bool(found.left_over_client) != bool(found.left_over_listed)
        is_part = has_more and min(len(my_words), len(their_words)) > 1
        found.name_score -= CHARITY_DIFFERS if is_charity else PART_DIFFERS if is_part else FORM_DIFFERS
        found.notes.append("other_legal_form")
    _note_short_forms(found, my_words, their_words, (_spoken(one), _spoken(other)))
    if found.name_score < SLIP_SCORE and (
        _is_one_slip(my_words, their_words)
        # In four letters (ABC, NABC) one more makes another name.
        or (_letters_of(my_words, their_words) >= NAMED_LETTERS_MIN and _is_one_sign_apart(one, other))
    ):
        found.name_score = SLIP_SCORE
        found.notes.append("one_typing_error")
    found.name_score = max(0.0, found.name_score)
    return found


def _is_one_slip(mine: list[str], theirs: list[str]) -> bool:
    """Find one typing error in a name all of whose other words are equal, in any order."""
    one, other = list((Counter(mine) - Counter(theirs)).elements()), list((Counter(theirs) - Counter(mine)).elements())
    if len(one) != 1 or len(other) != 1 or any(word.isdigit() or _is_known(word) for word in one + other):
        return False
    if _are_two_slips(one[0], other[0], len(mine) - 1, _letters_of(mine, theirs)):
        return True
    is_replaced = len(one[0]) == len(other[0]) and sorted(one[0]) != sorted(other[0])
    is_long = len(mine) > OTHERS_EQUAL_MIN and _letters_of(mine, theirs) >= LONG_LETTERS_MIN
    if is_replaced and not is_long and one[0][0] != other[0][0] and {one[0][0], other[0][0]} not in SAME_STARTS:
        return False  # Amber is not Umber
    least = REPLACED_LETTERS_MIN if is_replaced else SLIP_LETTERS_MIN
    return len("".join(mine)) >= least and OSA.distance(one[0], other[0], score_cutoff=1) == 1


def _are_two_slips(one: str, other: str, others_equal: int, letters: int) -> bool:
    """Find two typing errors in a word beside three or more that are all equal (China Baowei Steel Group, China Baowu)."""
    return (
        others_equal >= TWO_SLIPS_EQUAL_MIN
        and letters >= TWO_SLIPS_LETTERS_MIN
        and min(len(one), len(other)) >= TWO_SLIPS_WORD_MIN
        and one[0] == other[0]
        and OSA.distance(one, other, score_cutoff=2) == 2
    )


def _letters_of(mine: list[str], theirs: list[str]) -> int:
    return min(len("".join(words)) for words in (mine, theirs))


def _is_one_sign_apart(mine: str, listed: str) -> bool:
    """Find one letter too many, too few or moved in the whole text, whichever part it hit: `Meridian D.OO.O.`."""
    one, other = (re.sub(r"[\W_]", "", spelling.latin(text)) for text in (mine, listed))
    if min(len(one), len(other)) < WHOLE_LETTERS_MIN or OSA.distance(one, other, score_cutoff=1) > 1:
        return False
    is_replaced = len(one) == len(other) and sorted(one) != sorted(other)
    return not is_replaced and re.findall(r"\d", one) == re.findall(r"\d", other)


def _covered(words: list[str], paired: dict[int, Pair], is_common: IsCommon) -> tuple[float, float]:
    """(share of the words' weight that found a partner, weight of the words that found none)."""
    total = sum(_weight(word, is_common) for word in words)
    share = sum(_weight(words[place], is_common) * worth(pair.likeness) for place, pair in paired.items()) / total
    alone = sum(
        _weight(word, is_common)
        for place, word in enumerate(words)
        if word not in tables.STOP_WORDS and (place not in paired or paired[place].likeness < DOUBTFUL)
    )
    return share, alone


def _note_differences(found: Explanation, pairs: list[Pair], alone: float, mine: list[str], theirs: list[str]) -> None:
    my_numbers, their_numbers = ({word for word in words if word.isdigit()} for words in (mine, theirs))
    if my_numbers != their_numbers and ((my_numbers and their_numbers) or (my_numbers | their_numbers) - {"1"}):
        # Plant 90 is another plant than plant 9.
        found.name_score -= NUMBER_PENALTY if my_numbers and their_numbers else ONE_NUMBER_PENALTY
        found.notes.append("numbers_differ")
    if alone > 0.1:
        found.name_score -= ALONE_PENALTY * min(1.0, alone)
        found.notes.append("words_on_both_sides_differ")
    order = [pair.theirs[0] for pair in sorted(pairs, key=lambda pair: pair.mine)]
    if order != sorted(order):
        found.name_score -= ORDER_PENALTY
        found.notes.append("other_order")
    named = [[word for word in words if _weight(word, never_common) == 1] for words in (mine, theirs)]
    if min(map(len, named)) == 1 < max(map(len, named)):
        # Gazprom is not Gazprom Neft.
        found.name_score -= ONE_WORD_PENALTY
        found.notes.append("one_word")
    solid = [
        pair for pair in pairs if not all(mine[place] in tables.TRADE_WORDS | tables.STOP_WORDS for place in pair.mine)
    ]
    if not solid and (found.left_over_client or found.left_over_listed):
        found.name_score -= 0.2
        found.notes.append("common_words_only")


def _note_short_forms(
    found: Explanation, mine: list[str], theirs: list[str], spoken: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    """Take a name written as one word, or as its initials."""
    if found.name_score >= 0.9 or "numbers_differ" in found.notes:
        return
    one, other = "".join(mine), "".join(theirs)
    if len(mine) != len(theirs) and min(len(one), len(other)) >= TOGETHER_LETTERS_MIN:
        likeness = Indel.normalized_similarity(one, other, score_cutoff=TOGETHER_MIN)
        if likeness - 0.03 > found.name_score:
            found.name_score, found.notes = likeness - 0.03, ["written_together"]
            found.pairs = [{"client": one, "listed": other, "likeness": round(likeness, 3), "how": "together"}]
            found.left_over_client, found.left_over_listed = [], []
    for short, long, whole in ((mine, theirs, spoken[1]), (theirs, mine, spoken[0])):
        if len(short) == 1 and len(short[0]) >= ACRONYM_LETTERS_MIN and len(long) > 2:
            initials = {
                "".join(word[0] for word in long),
                *("".join(word[0] for word in words if word not in tables.STOP_WORDS) for words in (long, whole)),
            }
            if short[0] in initials and found.name_score < ACRONYM_SCORE:
                found.name_score, found.notes = ACRONYM_SCORE, ["initials"]
                found.pairs = [
                    {"client": " ".join(mine), "listed": " ".join(theirs), "likeness": ACRONYM_SCORE, "how": "initials"}
                ]
                found.left_over_client, found.left_over_listed = [], []
