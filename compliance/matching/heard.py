"""Foreign names that China, Japan and Korea write by their sound: 弗拉基米尔·普京, バラク・オバマ, 버락 오바마.

Their scripts have no letter for most foreign consonants and put a vowel behind each, so that only classes of sounds survive: R and
L are one, so are B, P, F and V, and T, D, J and Ch. What is left of both names is compared.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import combinations, permutations

from rapidfuzz.distance import OSA

from compliance.matching import text as spelling
from compliance.matching.explanation import Explanation

# China and Japan put a dot between a foreign name's words.
DOTS, SEPARATORS = re.compile("[·・•‧∙]"), re.compile(r"[·・•‧∙．＝=\s]+")
KATAKANA, HANGUL = re.compile(r"[\u30a1-\u30fa]"), re.compile(r"[\uac00-\ud7a3]")
# A Korean name of one's own has four syllables at most.
HANGUL_MIN = 5
# Fewer sounds in all are many people's; one that differs needs more beside it.
SOUNDS_MIN, SOUNDS_BESIDE_SLIP_MIN, SLIP_WORD_MIN = 5, 7, 3
WORDS = range(2, 5)
KEY_SOUNDS_MIN = 4
LISTED_IN_LETTERS, ASKED_IN_LETTERS = "~", "="
SAME, SLIP, PART = 0.9, 0.84, 0.06
MANDARIN = (("zh", "t"), ("ch", "t"), ("sh", "s"), ("x", "s"), ("q", "t"), ("c", "t"))
# In order. What is left afterwards has a class of its own, or none.
LATIN = [
    tuple(rule.split(":"))
    for rule in "tsch:t tch:t sch:s sh:s sz:s zh:t ch:t cz:t kh: gh:g ph:f th:t ck:k ts:t tz:t x:ks ce:se ci:si".split()
]
NASAL_END = re.compile(r"ng(?![aeiou])")
CLASSES = str.maketrans(
    {
        **dict.fromkeys("bpfvw", "B"),
        **dict.fromkeys("tdjz", "T"),
        **dict.fromkeys("kgqc", "K"),
        **dict.fromkeys("lr", "R"),
    }
    | {**dict.fromkeys("mn", "N"), "s": "S", **dict.fromkeys("aeiouyh0123456789", "")}
)


def foreign_words(name: str) -> tuple[str, ...]:
    """Split a name that one of these scripts writes by its sound into its words; none where it is one of their own."""
    if not spelling.has_east_asian(name):
        return ()
    parts = [part for part in SEPARATORS.split(spelling.cleaned(name)) if part]
    if spelling.has_han(name):
        is_foreign = bool(DOTS.search(name))
    else:
        is_foreign = all(map(KATAKANA.search, parts)) or len(HANGUL.findall(name)) >= HANGUL_MIN
    return tuple(parts) if is_foreign and len(parts) in WORDS else ()


@lru_cache(maxsize=100_000)
def sounds_of(word: str) -> str:
    """Reduce a word to classes of its consonants."""
    table = MANDARIN if spelling.has_han(word) else LATIN
    heard = NASAL_END.sub("n", spelling.latin(word).replace(" ", ""))
    for letters, sound in table:
        heard = heard.replace(letters, sound)
    return re.sub(r"(.)\1+", r"\1", heard.translate(CLASSES))


def compare_heard(mine: str, listed: str) -> Explanation | None:
    """Compare a name in letters with one that is written by its sound; None where neither is."""
    is_mine = spelling.has_east_asian(mine)
    written = foreign_words(mine if is_mine else listed)
    if not written or is_mine == spelling.has_east_asian(listed):
        return None
    found = Explanation(0.0, client_name=mine, listed_name=listed)
    latin = tuple(word for word in spelling.words(listed if is_mine else mine) if word not in spelling.PARTICLES)
    if len(latin) not in WORDS:
        return found
    sides = (written, latin) if is_mine else (latin, written)
    few, many = sorted(sides, key=len)
    for chosen in permutations(many, len(few)):
        score = _likeness([(sounds_of(one), sounds_of(other)) for one, other in zip(few, chosen, strict=True)])
        score -= PART * (len(many) - len(few))
        if score > found.name_score:
            found.name_score = score
            pairs = zip(few, chosen, strict=True) if few is sides[0] else zip(chosen, few, strict=True)
            found.pairs = [{"client": one, "listed": other, "likeness": SAME, "how": "sound"} for one, other in pairs]
            left = [word for word in many if word not in chosen]
            found.left_over_client, found.left_over_listed = (left, []) if many is sides[0] else ([], left)
    return found


def _likeness(sounds: list[tuple[str, str]]) -> float:
    """Score pairs of words by their sounds: all alike, or all but one in one word."""
    slips = [(one, other) for one, other in sounds if one != other]
    count = sum(min(len(one), len(other)) for one, other in sounds)
    if not all(one and other for one, other in sounds):
        return 0.0
    if not slips:
        return SAME if count >= SOUNDS_MIN else 0.0
    is_slip = len(slips) == 1 and OSA.distance(*slips[0]) == 1 and min(map(len, slips[0])) >= SLIP_WORD_MIN
    return SLIP if is_slip and count + 1 >= SOUNDS_BESIDE_SLIP_MIN else 0.0


def heard_keys(name: str, *, is_listed: bool) -> list[str]:
    """List the keys by which a foreign name that is written by its sound meets one in letters, whichever of them is on a list.

    Names in letters never meet each other by them, as so few classes of sounds would bring too many together: the listed ones have
    another mark than those that are asked about.
    """
    is_written = spelling.has_east_asian(name)
    words = (
        foreign_words(name) if is_written else [one for one in spelling.words(name) if one not in spelling.PARTICLES]
    )
    if len(words) not in WORDS:
        return []
    mark = LISTED_IN_LETTERS if is_written != is_listed else ASKED_IN_LETTERS
    pairs = (sorted((sounds_of(one), sounds_of(other))) for one, other in combinations(words, 2))
    return sorted({f"{mark}{one}-{other}" for one, other in pairs if one and len(one + other) >= KEY_SOUNDS_MIN})
