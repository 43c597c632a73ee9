"""Names as the matcher sees them: Latin letters and words, whatever script, order and punctuation they came in."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

WORDS_MAX = 12
TITLES = frozenset(
    """
    mr mrs ms miss dr prof professor sheikh shaykh shaikh haji hajji hajj alhaj alhaji maulavi mullah mawlawi maulawi qari
    general colonel gen col maj major lt lieutenant capt captain brig brigadier sir hon eng engineer ing herr frau sayyid
    seyyed sayed seyed syed sayyed
    """.split()
)
# Words that join the parts of a name; they carry little and are written in many ways.
PARTICLES = frozenset(
    """
    al el ul ur ad as at an ar ash az aal bin ben ibn bint bent abu abou abd de da do dos del della di du des den
    der van von zu la le y e and st bn wld ould
    """.split()
)
SON_OF = frozenset("bin ben ibn bint bent bn".split())

# Arabic and Persian letters one by one: a general romanisation loses where one letter ends and the next begins.
ARABIC = {
    "ا": "a", "أ": "a", "إ": "i", "آ": "a", "ٱ": "a", "ب": "b", "پ": "p", "ت": "t", "ث": "th", "ج": "j", "چ": "ch", "ح": "h",
    "خ": "kh", "د": "d", "ذ": "dh", "ر": "r", "ز": "z", "ژ": "zh", "س": "s", "ش": "sh", "ص": "s", "ض": "d", "ط": "t", "ظ": "z",
    "ع": "a", "غ": "gh", "ف": "f", "ق": "q", "ك": "k", "ک": "k", "گ": "g", "ل": "l", "م": "m", "ن": "n", "ه": "h", "ۀ": "h",
    "و": "u", "ؤ": "u", "ي": "i", "ی": "i", "ى": "a", "ئ": "i", "ة": "a", "ء": "", "ـ": "", "ھ": "h", "ہ": "h", "ں": "n",
    "ے": "e", "ڈ": "d", "ٹ": "t", "ڑ": "r", "ټ": "t", "ډ": "d", "ړ": "r", "ږ": "zh", "ښ": "sh", "ګ": "g", "ڼ": "n", "ځ": "z",
    "څ": "ts", "ې": "e", "ۍ": "i", "ە": "a", "ێ": "e", "ۆ": "o", "ڕ": "r", "ڵ": "l", "ڤ": "v",
}  # fmt: skip  # a table of pairs
PERSIAN = frozenset("یکگپچژ")
INITIAL = {"و": "w", "ي": "y", "ی": "y"}
GREEK = (("μπ", "b"), ("ντ", "d"), ("γκ", "g"), ("ου", "ou"), ("ευ", "ev"), ("αυ", "av"), ("τζ", "tz"), ("χ", "ch"))
# Letters that look alike in two scripts: a word that mixes them was written with the wrong keyboard, or to hide.
LOOKALIKES = dict(zip("АВЕКМНОРСТУХаеорсухіјѕԁԛԝĸ", "ABEKMHOPCTYXaeopcyxijsdqwk", strict=True))
TO_CYRILLIC = {latin: cyrillic for cyrillic, latin in LOOKALIKES.items() if latin not in "jsdqwk"} | {"ĸ": "к"}
HEBREW_B, HEBREW_P = re.compile(r"\bב"), re.compile(r"\bפ")  # at the beginning B and P, elsewhere mostly V and F
CAPITAL_INSIDE = re.compile(r"(?<=[^\W\d_]{4})(?<=[^\WA-Z\d_])(?=[A-Z][a-z])")


def _one_script(word: str) -> str:
    """Write a word in one script, where single letters came from another that looks the same."""
    cyrillic = [letter for letter in word if "Ѐ" <= letter <= "ԯ"]
    if not cyrillic:
        return word.replace("ĸ", "k")
    latin_letters = [letter for letter in word if letter.isascii() and letter.isalpha()]
    if not latin_letters and "ĸ" not in word:
        return word
    # The script whose letters can't all be the other's is the word's own, however few they are.
    alien = (
        any(letter not in LOOKALIKES for letter in cyrillic),
        any(sign not in TO_CYRILLIC for sign in latin_letters),
    )
    is_latin = alien == (False, True) or (alien[0] == alien[1] and len(latin_letters) > len(cyrillic))
    table = LOOKALIKES if is_latin else TO_CYRILLIC
    return "".join(table.get(letter, letter) for letter in word)


def cleaned(text: str) -> str:
    """Compose the letters, drop signs that cannot be seen, and write each word in one script."""
    text = unicodedata.normalize("NFC", text).replace("\u200c", " ")
    text = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")
    return " ".join(_one_script(word) for word in text.split())


def _arabic(text: str) -> str:
    """Arabic letters as Latin ones, the article apart; where two letters would read as one sound, an `a` is put between."""
    out: list[str] = []
    for word in text.split():
        if any(letter in ARABIC for letter in word):
            article, word = ("al ", word[2:]) if word.startswith("ال") and len(word) > 4 else ("", word)
            is_persian = not PERSIAN.isdisjoint(word)
            spelled = ""
            for place, letter in enumerate(word):
                sound = INITIAL.get(letter) if place == 0 else None
                sound = sound if sound is not None else ARABIC.get(letter, letter)
                sound = "s" if is_persian and letter == "ث" else sound
                reads_as_one = sound == "h" and spelled[-1:] in ("z", "s", "k", "g", "t", "d", "c")
                reads_as_one |= spelled[-1:] == "t" and sound[:1] in ("s", "z")
                spelled += f"a{sound}" if reads_as_one else sound
            word = article + spelled
        out.append(word)
    return " ".join(out)


# Korean letters as the state romanises them; at a syllable's end as they sound there.
HANGUL, HANGUL_FIRST = re.compile("[\uac00-\ud7a3]"), 0xAC00
ONSETS = "g kk n d tt r m b pp s ss _ j jj ch k t p h".replace("_", "").split(" ")
KOREAN_VOWELS = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i".split()
CODAS = "_ k k k n n n t l k m l l l p l m p p t t ng t t k t p t".replace("_", "").split(" ")


def _romanised(found: re.Match[str]) -> str:
    onset, rest = divmod(ord(found[0]) - HANGUL_FIRST, len(KOREAN_VOWELS) * len(CODAS))
    vowel, coda = divmod(rest, len(CODAS))
    return f"{ONSETS[onset]}{KOREAN_VOWELS[vowel]}{CODAS[coda]}".capitalize()


@lru_cache(maxsize=200_000)
def latin(text: str) -> str:
    """Lower-case Latin letters, digits and single spaces; accents folded, other scripts romanised."""
    # آ is no article's letter: without its sign it would be one.
    text = cleaned(text).replace("آ", "اا").replace("ß", "ss")
    text = CAPITAL_INSIDE.sub(" ", HEBREW_B.sub("b", HEBREW_P.sub("p", text)))
    if has_east_asian(text):
        text = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", anyascii(HANGUL.sub(_romanised, text)))
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    if any("Ͱ" <= letter <= "Ͽ" for letter in plain):
        plain = plain.lower()
        for pair, sound in GREEK:
            plain = plain.replace(pair, sound)
    romanised = anyascii(_arabic(plain)).lower()
    romanised = re.sub(r"['’`ʼʻ‘\"]", "", romanised)
    return re.sub(r"[^a-z0-9]+", " ", romanised).strip()


@lru_cache(maxsize=200_000)
def _words(text: str) -> tuple[str, ...]:
    spoken = [_without_digits(word) for word in latin(text).split()]
    parts = [word for word in spoken if word not in TITLES]
    return tuple(_joined(parts or spoken)[:WORDS_MAX])


LETTERS_OF_DIGITS = str.maketrans("0123456789", "oizeasgtbg")


def _without_digits(word: str) -> str:
    """Read digits that stand for letters (Ig0r, Sech1n) where letters are in the majority."""
    letters = sum(sign.isalpha() for sign in word)
    return word.translate(LETTERS_OF_DIGITS) if len(word) // 2 < letters < len(word) else word


def words(text: str) -> list[str]:
    """Split a name into words without titles; the article al- is a word of its own, names with Abd and Allah are one."""
    return list(_words(text))


@lru_cache(maxsize=200_000)
def plain_words(text: str) -> tuple[str, ...]:
    """Split a name at its spaces alone, for one whose Abd was misspelt or moved to the end."""
    return tuple(latin(text).split()[:WORDS_MAX])


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


# ── scripts ────────────────────────────────────────────────────────────────────────────────────────────────────────
# Searched, not tested letter by letter: this is asked of every pair of names.
WITHOUT_VOWELS, EAST_ASIAN = (
    re.compile("[\u0590-\u0dff\u1000-\u109f\u1780-\u17ff]"),
    re.compile("[\u3040-\u9fff\uac00-\ud7a3]"),
)
ARABIC_LETTERS, CYRILLIC = re.compile("[\u0600-\u08ff]"), re.compile("[\u0400-\u052f]")


def lacks_vowels(name: str) -> bool:
    """Written in a script that leaves most vowels out (Arabic, Hebrew) or the one that each consonant has (India's, Khmer)."""
    return bool(WITHOUT_VOWELS.search(name))


def is_arabic(name: str) -> bool:
    """Tell Arabic and Persian letters: they write long vowels and the place of a first one, of whatever sound."""
    return bool(ARABIC_LETTERS.search(name))


def is_cyrillic(name: str) -> bool:
    """Tell Cyrillic letters."""
    return bool(CYRILLIC.search(name))


def has_han(name: str) -> bool:
    """Tell Han characters alone: their reading is known, as one of Mandarin."""
    return has_east_asian(name) and all("\u4e00" <= sign <= "\u9fff" for sign in characters(name))


def has_east_asian(name: str) -> bool:
    """Tell Han, Kana or Hangul: many characters share one reading."""
    return bool(EAST_ASIAN.search(name))


def characters(name: str) -> str:
    """Keep the Han, Kana and Hangul characters of a name alone."""
    return "".join(sign for sign in name if has_east_asian(sign))


def same_characters(one: str, other: str) -> str:
    """Write the other name's characters as the first name's where they're its simplified or traditional form (习, 習).

    Two characters of one reading are such forms when one is in mainland China's set alone and one in Taiwan's alone.
    """
    if len(one) != len(other):
        return other
    return "".join(mine if _are_forms(mine, theirs) else theirs for mine, theirs in zip(one, other, strict=True))


@lru_cache(maxsize=20_000)
def _are_forms(one: str, other: str) -> bool:
    sets = {(_is_in("gb2312", sign), _is_in("big5", sign)) for sign in (one, other)}
    return sets == {(True, False), (False, True)} and anyascii(one) == anyascii(other)


def _is_in(character_set: str, sign: str) -> bool:
    try:
        return bool(sign.encode(character_set))
    except UnicodeEncodeError:
        return False


SLAVIC_END = re.compile(
    r"(?:vich|vych|vic|wicz|vna|una|chuk|iuk|yuk|enko|enka|anka|ov|ev|iev|yev|au|eu|ou|ova|eva|aya|aia|sky|skyi|skiy|ski|skii|skaya|ska|tsch[eo]w|sch[eo]w|[aiy][nk]ow|enow)$"
)


@lru_cache(maxsize=100_000)
def is_slavic(name: str) -> bool:
    """Tell a name of Eastern Europe by its script or endings: there o, a and e change places between languages."""
    return is_cyrillic(name) or any(len(word) > 4 and SLAVIC_END.search(word) for word in latin(name).split())
