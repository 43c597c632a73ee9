"""The tables that comparing names reads, loaded before a long-lived process has its first name to screen."""

from __future__ import annotations

from typing import Final

from compliance.lists.keying import keys_of
from compliance.matching.firms import compare_firms
from compliance.matching.score import compare_names

# One pair for each table: Latin letters, Han as China, Korea and Japan read it, Hangul, Cyrillic, Arabic, Greek.
PAIRS: Final = (
    ("John Smith", "Jon Smyth"),
    ("安倍晋三", "Abe Shinzo"),
    ("金正恩", "Kim Jong Un"),
    ("김정은", "Kim Jong Un"),
    ("习近平", "Xi Jinping"),
    ("Владимир Иванов", "Vladimir Ivanov"),
    ("محمد علي", "Mohammed Ali"),
    ("Γιώργος Παππάς", "George Pappas"),
)
FIRMS: Final = (("Acme Trading LLC", "ООО Акме Трейдинг"), ("北京贸易有限公司", "Beijing Trading Co Ltd"))


def warm_up() -> None:
    """Compare some names and make their keys: a tenth of a second here instead of in somebody's registration."""
    for one, other in PAIRS:
        compare_names(one, other)
        keys_of(one, is_listed=True)
    for one, other in FIRMS:
        compare_firms(one, other)
        keys_of(one)
