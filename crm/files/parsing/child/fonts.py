"""Words of a PDF that are in two fonts: what is typed over a letter or a digit later seldom has the font of its neighbours."""

from __future__ import annotations

import ctypes
import re
from typing import Any

NAME_BYTES = 128
# A font of which only some glyphs are embedded has six capitals before its name, others in each file.
SUBSET = re.compile(r"^[A-Z]{6}\+")


def mixed_words(page: Any, *, characters_max: int) -> tuple[int, int]:
    """Count words in which a Latin letter or digit stands directly beside one of another font; also, how many characters were read.

    Other characters don't count: a font without "ł" or "€" borrows it from another.
    """
    import pypdfium2 as pdfium

    text = page.get_textpage()
    count = min(text.count_chars(), characters_max)
    name, flags = ctypes.create_string_buffer(NAME_BYTES), ctypes.c_int()
    mixed, before, is_counted = 0, "", False
    for index in range(count):
        character = chr(pdfium.raw.FPDFText_GetUnicode(text, index))
        if not (character.isascii() and character.isalnum()):
            before = ""
            is_counted = is_counted and not character.isspace()
            continue
        length = pdfium.raw.FPDFText_GetFontInfo(text, index, name, NAME_BYTES, flags)
        font = SUBSET.sub("", name.value.decode(errors="replace")) if 0 < length <= NAME_BYTES else ""
        if before and font and font != before and not is_counted:
            mixed, is_counted = mixed + 1, True
        before = font
    return mixed, count
