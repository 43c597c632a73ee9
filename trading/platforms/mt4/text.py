"""Texts of the MT4 server are ANSI: one code page, a fixed number of bytes, and a question mark for what it lacks.

What we send is made to fit here, before the server would spoil it without a word.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from trading.platforms.errors import FinalError

# Bytes of the server's fields (MT4ManagerAPI.h), less the one that ends the text.
GROUP_MAX: Final = 15
COMMENT_MAX: Final = 31
NAME_MAX: Final = 127
COUNTRY_MAX: Final = 31
EMAIL_MAX: Final = 47
EXTERNAL_ID_MAX: Final = 31
PASSWORD_MAX: Final = 15

CODE_PAGES: Final = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874")
WRITTEN: Final = (
    "ß=ss ẞ=SS æ=ae Æ=AE œ=oe Œ=OE ø=o Ø=O ł=l Ł=L đ=d Đ=D þ=th Þ=Th ð=d Ð=D ı=i ŋ=n Ŋ=N ħ=h Ħ=H ’=' ‘=' “=' ”=' –=- —=- "
    "…=... №=No. а=a б=b в=v г=g д=d е=e ё=yo ж=zh з=z и=i й=y к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f х=kh ц=ts ч=ch "
    "ш=sh щ=shch ъ= ы=y ь= э=e ю=yu я=ya і=i ї=yi є=ye ґ=g ў=u α=a β=v γ=g δ=d ε=e ζ=z η=i θ=th ι=i κ=k λ=l μ=m ν=n ξ=x "
    "ο=o π=p ρ=r σ=s ς=s τ=t υ=y φ=f χ=ch ψ=ps ω=o"
)
LETTERS: Final = dict(pair.split("=") for pair in WRITTEN.split(" "))
"""What a letter is written as in a code page that lacks it."""


def fits(value: str, code_page: str) -> bool:
    """Tell whether the code page has every sign of a text."""
    try:
        value.encode(code_page)
    except UnicodeEncodeError:
        return False
    return True


def _letter(sign: str, code_page: str) -> str:
    """Write a sign as the code page can; empty for a sign that has no other form."""
    if fits(sign, code_page):
        return sign
    known = LETTERS.get(sign)
    if known is None and sign.lower() in LETTERS:
        known = LETTERS[sign.lower()].capitalize()
    if known is not None:
        return known
    plain = "".join(part for part in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(part))
    if plain == sign:
        return ""
    return "".join(_letter(part, code_page) for part in plain)


def transliterated(value: str, code_page: str) -> str:
    """Write every letter that the code page lacks in letters that it has; pictures are left out."""
    composed = unicodedata.normalize("NFC", value)
    written = "".join(_letter(sign, code_page) for sign in composed if sign.isprintable())
    return re.sub(r"\s+", " ", written).strip()


def cut(value: str, code_page: str, bytes_max: int) -> str:
    """Cut a text to what fits into so many bytes, without a trailing space."""
    while len(value.encode(code_page)) > bytes_max:
        value = value[:-1]
    return value.rstrip()


def personal(value: str, code_page: str, bytes_max: int, *, what: str) -> str:
    """Write a name or an address as the server can keep it. Raises: FinalError when nothing of it can be written there."""
    written = cut(transliterated(value, code_page), code_page, bytes_max)
    if value.strip() and not any(sign.isalnum() for sign in written):
        raise FinalError(f"the {what} can't be written in the server's code page {code_page}: give it in Latin letters")
    return written


def exact(value: str, code_page: str, bytes_max: int, *, what: str) -> str:
    """Require a text (a group, a reference) that arrives unchanged. Raises: FinalError when the server would change it."""
    if not fits(value, code_page):
        raise FinalError(f"the {what} {value!r} has signs that the server's code page {code_page} lacks")
    if len(value.encode(code_page)) > bytes_max:
        raise FinalError(f"the {what} {value!r} is longer than {bytes_max} characters")
    return value


def is_reference(value: str) -> bool:
    """Tell whether a balance operation's reference survives the comment uncut and unchanged."""
    return re.fullmatch(rf"[A-Za-z0-9:._-]{{1,{COMMENT_MAX}}}", value) is not None
