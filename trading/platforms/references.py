"""Our reference on a balance operation, as it comes back: one rule for every platform that keeps it in a text."""

from __future__ import annotations

import datetime as dt
from typing import Final

LOOK_BACK: Final = dt.timedelta(minutes=5)  # before it was sent: clocks differ
LEFT_MIN: Final = 12  # characters of a cut reference that still name one operation


def is_reference(comment: str, reference: str) -> bool:
    """Tell whether a comment is our reference, or what a manager or plugin left of it."""
    left = comment.strip()
    return left == reference or (len(left) >= LEFT_MIN and reference.startswith(left))
