"""Trading passwords: what every platform takes, and nothing that we keep."""

from __future__ import annotations

import re
import secrets
import string
from typing import Final

CHARS_MIN: Final = 8
CLASSES: Final = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^A-Za-z0-9]")
SIGNS: Final = "!#$%&*+-?@"


def new_password() -> str:
    """Make fourteen characters of the four classes that platforms ask for. Shown or sent once, never kept."""
    classes = (string.ascii_lowercase, string.ascii_uppercase, string.digits, SIGNS)
    letters = [secrets.choice(kind) for kind in classes]
    letters += [secrets.choice(string.ascii_letters + string.digits) for _position in range(10)]
    secrets.SystemRandom().shuffle(letters)
    return "".join(letters)


def is_acceptable(password: str, *, chars_max: int = 16) -> bool:
    """Tell whether a password has 8 characters or more (counted in UTF-16) with lower case, upper case, digit and sign.

    MetaTrader's rule, applied to every platform.
    """
    length = len(password.encode("utf-16-le", "surrogatepass")) // 2
    return CHARS_MIN <= length <= chars_max and all(re.search(kind, password) for kind in CLASSES)
