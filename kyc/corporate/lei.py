"""Legal entity identifiers: ISO 17442, with the check digits of ISO 7064 (MOD 97-10)."""

from __future__ import annotations

import re
from typing import Final

LEI: Final = re.compile(r"[0-9A-Z]{18}[0-9]{2}", re.ASCII)


def is_lei(text: str) -> bool:
    """Check form and check digits: letters as numbers from 10 on, the remainder by 97 is 1."""
    return bool(LEI.fullmatch(text)) and int("".join(str(int(character, 36)) for character in text)) % 97 == 1
