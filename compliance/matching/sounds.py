"""What of a word survives another spelling: consonants, classes of vowels, and the keys by which the database finds a name."""

from __future__ import annotations

import itertools
import re
from functools import lru_cache

from compliance.matching.text import PARTICLES, is_slavic, words

# Spellings of one sound. Applied in order to lower-case Latin letters.
SOUNDS = [
    ("sch", "S"), ("tsch", "C"), ("tch", "C"), ("shch", "S"), ("sh", "S"), ("sz", "S"), ("ch", "C"), ("cz", "C"),
    ("zh", "Z"), ("dzh", "J"), ("dj", "J"), ("kh", "h"), ("gh", "g"), ("ph", "f"), ("th", "t"), ("dh", "d"), ("ck", "k"),
    ("ts", "c"), ("tz", "c"), ("x", "ks"), ("q", "k"), ("w", "v"), ("z", "z"), ("j", "J"),
]  # fmt: skip  # a table of pairs
MERGED = str.maketrans(
    {"C": "C", "S": "s", "Z": "z", "J": "j", "c": "k", "v": "v", "b": "b", "p": "b", "d": "d", "t": "t"}
)
VOWELS = re.compile(r"[aeiouy'`’]")


@lru_cache(maxsize=200_000)
def skeleton(word: str) -> str:
    """Reduce a word to consonants, spellings of one sound merged: mohammed, muhammad and محمد all give mhmd."""
    for spelling, sound in SOUNDS:
        word = word.replace(spelling, sound)
    # A Y at the beginning is a consonant, but for the Ye of Yevgeny, which others write E.
    first = "j" if word.startswith("y") and word[1:2] != "e" else ""
    bones = first + VOWELS.sub("", word.translate(MERGED).lower())
    return re.sub(r"(.)\1+", r"\1", bones)


BARE = str.maketrans({"z": "d", "k": "g", "c": "s"})


FINAL_H = re.compile(r"(?<![cdgkpstz])h[aeiouyvw]*$")


@lru_cache(maxsize=200_000)
def bare(word: str) -> str:
    """Reduce the skeleton to what Arabic letters and every romanisation of them share: no inner v and j, no final h."""
    word = word.replace("zh", "j")  # ژ
    bones = skeleton(FINAL_H.sub("", word) if len(word) > 3 else word)
    bones = bones[:1] + bones[1:].replace("v", "").replace("j", "")
    # Folded last: a z beside a d (Yazdi) are two letters.
    return re.sub(r"(.)\1+", r"\1", bones).translate(BARE)


VOWEL_CLASSES = str.maketrans({"e": "a", "y": "i", "u": "o"})


@lru_cache(maxsize=200_000)
def vowels(word: str) -> str:
    """List the classes of a word's vowels in order (a and e, i and y, o and u are one each), repeats dropped."""
    body = (word[1:] if word.startswith("y") else word).replace("ae", "ai").replace("ee", "i").replace("oo", "u")
    body = f"e{body[1:]}" if body.startswith("i") else body  # Imad and Emad
    return re.sub(r"(.)\1+", r"\1", re.sub(r"[^aeiouy]", "", body).translate(VOWEL_CLASSES))


def long_vowels(word: str) -> str:
    """List the classes of a word's i and u, which Arabic letters write where they're long; Persian's ی is also an e."""
    body = re.sub(r"[wv]|oo", "o", word.replace("e", "i"))
    return re.sub(r"(.)\1+", r"\1", re.sub(r"[^iyuo]", "", body).translate(VOWEL_CLASSES))


# A first vowel has a letter that doesn't say which; a final ی may be an a.
UNSAID_VOWELS = re.compile(r"^a?[iu]?|i$")


SLAVIC = (
    (r"^mikal|^mykol", "nikol"),
    (r"^volodymyr", "vladimir"),
    (r"^katsiar|^kater", "ekater"),
    (r"^volh?a$", "olga"),
    (r"^u(?=[bdgklmnrstz])", "v"),
    # As Germans write them: Chruschtschow, Gorbatschow.
    (r"^ch(?=.*tsch)|(?<=[aiou])ch(?=ail|orin)", "X"),
    (r"schtsch", "S"),
    (r"tsch", "C"),
    (r"shch|sch", "S"),
    (r"sh", "S"),
    (r"tch|ch|cz", "C"),
    (r"zh", "Z"),
    (r"kh", "X"),
    (r"x", "ks"),
    (r"dz", "d"),
    (r"ts|tz", "t"),
    (r"c(?=[iey])", "t"),
    (r"w", "v"),
    (r"h", "g"),
    (r"(?<=[aeo])u(?=[^aeiouy]|$)", "v"),
    (r"(?:[iy]y?i?|e[iyj])$", ""),
    (r"i?y[aeo]|[ij]+[aeo]|[aeo]", "a"),
    (r"[iyj]+u", "u"),
    (r"[iyj]+", "i"),
    (r"(.)\1+", r"\1"),
)
SLAVIC_RULES = [(re.compile(pattern), sound) for pattern, sound in SLAVIC]


@lru_cache(maxsize=100_000)
def slavic(word: str) -> str:
    """Fold what differs between Russian, Belarusian and Ukrainian forms: Siarhei and Sergey, Karpiankau and Karpenkov."""
    for pattern, sound in SLAVIC_RULES:
        word = pattern.sub(sound, word)
    return word


# Given names that begin like an article.
NO_ARTICLE = re.compile(
    r"al[aeiouy]|el[aeiouy]|al(?:bert|fred|fons|brecht|varo|varez|phon|vin|len|lan|lis)|el(?:len|liot|vir|mar|sa)"
)


@lru_cache(maxsize=200_000)
def skeletons(word: str) -> frozenset[str]:
    """Return a word's skeleton, and the one without a grown-on article (Alzahrani, al-Zahrani)."""
    bones = {skeleton(word)}
    if len(word) >= 6 and word[:2] in ("al", "el") and not NO_ARTICLE.match(word):
        bones.add(skeleton(word[2:]))
    return frozenset(bones)


def _key_bones(word: str, *, is_slavic_name: bool) -> set[str]:
    bones = {bare(word)}
    if len(word) >= 6 and word[:2] in ("al", "el") and not NO_ARTICLE.match(word):
        bones.add(bare(word[2:]))
    if is_slavic_name:
        bones.add(bare(slavic(word).replace("X", "h").replace("S", "sh").replace("C", "ch")))
    return {bone for bone in bones if bone}


KEYS_MAX = 120
NEIGHBOURS_OF_MAX = 5  # words: longer names share two words anyway


def pair_keys(text: str) -> list[str]:
    """Join every two words' bare consonants, sorted: two names that share two words share a key, in any order.

    A word is never paired with itself. Neighbours count also as one word, and so does the whole name, for those who write them
    together.
    """
    named = [word for word in words(text) if word not in PARTICLES] or words(text)
    of_slavs = is_slavic(text)
    bones = [_key_bones(word, is_slavic_name=of_slavs) for word in named]
    keys = {
        "-".join(sorted((mine, theirs)))
        for one, other in itertools.combinations(bones, 2)
        for mine in one
        for theirs in other
    }
    if 3 <= len(named) <= NEIGHBOURS_OF_MAX:
        for place in range(len(named) - 1):
            joined = bare(named[place] + named[place + 1])
            others = [*named[:place], *named[place + 2 :]]
            keys |= {"-".join(sorted((joined, bare(other)))) for other in others}
    whole = bare("".join(named))
    if len(named) == 1 or len(whole) >= 4:
        keys.add(whole)
    return sorted(key[:60] for key in keys if key)[:KEYS_MAX]
