"""Names as the matcher sees them: Latin letters, words, and the skeleton of consonants that survives most romanisations."""

from __future__ import annotations

import itertools
import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

WORDS_MAX = 12
TITLES = frozenset(
    """
    mr mrs ms miss dr prof professor sheikh shaykh shaikh haji hajji hajj maulavi mullah mawlawi qari general
    colonel gen col maj major lt lieutenant capt captain brig brigadier sir hon eng engineer alhaj ing herr frau
    """.split()
)
# Words that join the parts of a name; they carry little and are written in many ways.
PARTICLES = frozenset(
    """
    al el ul ur ad as at an ar ash az bin ben ibn bint bent abu abou abd de da do dos del della di du des den
    der van von zu la le y e and st bn wld ould
    """.split()
)
SON_OF = frozenset("bin ben ibn bint bent bn".split())
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


# Arabic and Persian letters one by one: a general romanisation loses where one letter ends and the next begins.
ARABIC = {
    "ا": "a", "أ": "a", "إ": "i", "آ": "a", "ٱ": "a", "ب": "b", "پ": "p", "ت": "t", "ث": "th", "ج": "j", "چ": "ch", "ح": "h",
    "خ": "kh", "د": "d", "ذ": "dh", "ر": "r", "ز": "z", "ژ": "zh", "س": "s", "ش": "sh", "ص": "s", "ض": "d", "ط": "t", "ظ": "z",
    "ع": "a", "غ": "gh", "ف": "f", "ق": "q", "ك": "k", "ک": "k", "گ": "g", "ل": "l", "م": "m", "ن": "n", "ه": "h", "ۀ": "h",
    "و": "u", "ؤ": "u", "ي": "i", "ی": "i", "ى": "a", "ئ": "i", "ة": "a", "ء": "", "ـ": "",
}  # fmt: skip  # a table of pairs
INITIAL = {"و": "w", "ي": "y", "ی": "y"}


def _arabic(text: str) -> str:
    """Arabic letters as Latin ones, the article apart; where two letters would read as one sound, an `a` is put between."""
    out: list[str] = []
    for word in text.split():
        if any(letter in ARABIC for letter in word):
            article, word = ("al ", word[2:]) if word.startswith("ال") and len(word) > 4 else ("", word)
            spelled = ""
            for place, letter in enumerate(word):
                sound = INITIAL.get(letter) if place == 0 else None
                sound = sound if sound is not None else ARABIC.get(letter, letter)
                spelled += (
                    f"a{sound}" if sound == "h" and spelled[-1:] in ("z", "s", "k", "g", "t", "d", "c") else sound
                )
            word = article + spelled
        out.append(word)
    return " ".join(out)


@lru_cache(maxsize=200_000)
def latin(text: str) -> str:
    """Lower-case Latin letters, digits and single spaces; accents folded, other scripts romanised."""
    decomposed = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    romanised = anyascii(_arabic(plain)).lower()
    romanised = re.sub(r"['’`ʼʻ]", "", romanised)
    return re.sub(r"[^a-z0-9]+", " ", romanised).strip()


@lru_cache(maxsize=200_000)
def _words(text: str) -> tuple[str, ...]:
    parts = [word for word in latin(text).split() if word not in TITLES]
    return tuple(_joined(parts or latin(text).split())[:WORDS_MAX])


def words(text: str) -> list[str]:
    """Split a name into words without titles; the article al- is a word of its own, names with Abd and Allah are one."""
    return list(_words(text))


@lru_cache(maxsize=200_000)
def plain_words(text: str) -> tuple[str, ...]:
    """Split a name at its spaces alone, for one whose Abd was misspelt or moved to the end."""
    parts = [word for word in latin(text).split() if word not in TITLES]
    return tuple((parts or latin(text).split())[:WORDS_MAX])


SERVANT = re.compile(r"abd(?:[aeou]l|oul|u)?")
SERVANT_JOINED = re.compile(r"abd(?:[aeou]l|oul)(?=[a-z]{3})")
OF_FAITH = frozenset("din deen dine eddin eddine uddin uddine aldin".split())
ARTICLES = frozenset({"al", "el", "ul", "ad", "ud"})
OF_GOD = frozenset("allah ullah ollah allh alah llah".split())


def _joined(found: list[str]) -> list[str]:
    """Join names written in two words: `Abd al-Khaliq` is `Abdulkhaliq`, `Saif Allah` `Saifullah`, `Siraj al-Din` `Sirajuddin`."""
    out: list[str] = []
    place = 0
    while place < len(found):
        word = found[place]
        place += 1
        if SERVANT.fullmatch(word) and place < len(found):
            if found[place] in ("al", "el", "ul") and place + 1 < len(found):
                place += 1
            word, place = f"abd{found[place].removeprefix('al') if found[place] in OF_GOD else found[place]}", place + 1
        elif word in OF_GOD and out:
            word = out.pop() + word
        elif word in OF_FAITH and out and (out[-1] not in ARTICLES or len(out) > 1):
            if out[-1] in ARTICLES:
                out.pop()
            word = f"{out.pop()}din"
        out.append(SERVANT_JOINED.sub("abd", word, count=1))
    return out


@lru_cache(maxsize=200_000)
def skeleton(word: str) -> str:
    """Reduce a word to consonants, spellings of one sound merged: mohammed, muhammad and محمد all give mhmd."""
    for spelling, sound in SOUNDS:
        word = word.replace(spelling, sound)
    # A Y at the beginning is a consonant, but for the Ye of Yevgeny, which others write E.
    first = "j" if word.startswith("y") and word[1:2] != "e" else ""
    bones = first + VOWELS.sub("", word.translate(MERGED).lower())
    return re.sub(r"(.)\1+", r"\1", bones)


VOWEL_CLASSES = str.maketrans({"e": "a", "y": "i", "u": "o"})


@lru_cache(maxsize=200_000)
def vowels(word: str) -> str:
    """List the classes of a word's vowels in order (a and e, i and y, o and u are one each), repeats dropped."""
    body = word[1:] if word.startswith("y") else word
    return re.sub(r"(.)\1+", r"\1", re.sub(r"[^aeiouy]", "", body).translate(VOWEL_CLASSES))


def lacks_vowels(name: str) -> bool:
    """Written in a script that leaves most vowels out (Arabic, Hebrew), before it was romanised."""
    return any("\u0590" <= character <= "\u08ff" for character in name)


def skeletons(word: str) -> set[str]:
    """Return a word's skeleton, and the one without a grown-on article (Alzahrani, al-Zahrani)."""
    bones = {skeleton(word)}
    if len(word) >= 6 and word[:2] in ("al", "el"):
        bones.add(skeleton(word[2:]))
    return bones


def pair_keys(text: str) -> list[str]:
    """Join every two skeletons of a name, sorted: two names that share two words share a key, in any order.

    A name of one word has that word's skeleton as its key.
    """
    named = [word for word in words(text) if word not in PARTICLES]
    bones = sorted({bone for word in named for bone in skeletons(word) if bone and (len(bone) >= 2 or len(named) <= 3)})
    if len(bones) < 2:
        return bones
    return [f"{one}-{other}" for one, other in itertools.combinations(bones, 2)]
