"""Where two spellings of one field differ, character by character: marked for the eye, and in words for a screen reader."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from django.utils.translation import gettext as _

NAMED_MAX: Final = 4


@dataclass(frozen=True)
class Piece:
    """A run of characters; `differs` where the other side has something else, or nothing, in its place."""

    text: str
    differs: bool = False


def _plain(text: str) -> list[str]:
    """Fold each character as a machine-readable zone writes it: without case and accents, one for one."""
    return [
        "".join(c for c in unicodedata.normalize("NFKD", one.upper()) if not unicodedata.combining(c)) for one in text
    ]


def marked(text: str, other: str) -> list[Piece]:
    """Cut a text into what it has in common with another one and what it hasn't."""
    if not text or not other:
        return [Piece(text)] if text else []
    pieces = []
    for tag, start, end, _other_start, _other_end in _steps(text, other):
        if tag == "insert":
            pieces.append(Piece("", differs=True))
        else:
            pieces.append(Piece(text[start:end], differs=tag != "equal"))
    return pieces


def in_words(text: str, other: str) -> str:
    """Say where a text differs from another one, for those who don't see the marks; "" where it doesn't."""
    if not text or not other:
        return ""
    found = []
    for tag, start, end, other_start, other_end in _steps(text, other):
        mine, theirs = text[start:end], other[other_start:other_end]
        place = {"mine": mine, "theirs": theirs, "number": start + 1}
        if tag == "replace":
            found.append(_("character %(number)s: “%(mine)s” instead of “%(theirs)s”") % place)
        elif tag == "delete":
            found.append(_("character %(number)s: “%(mine)s” is extra") % place)
        elif tag == "insert":
            found.append(_("character %(number)s: “%(theirs)s” is missing") % place)
    if not found:
        return ""
    more = [_("and more")] if len(found) > NAMED_MAX else []
    return _("Differs at %(places)s.") % {"places": "; ".join([*found[:NAMED_MAX], *more])}


def _steps(text: str, other: str) -> list[tuple[str, int, int, int, int]]:
    return list(SequenceMatcher(None, _plain(text), _plain(other), autojunk=False).get_opcodes())
