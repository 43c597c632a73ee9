"""What beat does row by row: a row that fails is logged and tried again, and holds up no other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

logger = logging.getLogger(__name__)


def for_each_isolated(step: Callable[[Any], Any], rows: Iterable[Any]) -> int:
    """Do `step` with each row; returns for how many it gave something true. Each step has its own transaction."""
    done = 0
    for row in list(rows):
        try:
            done += bool(step(row))
        except Exception:
            logger.exception("%s(%s) failed; it is due again", getattr(step, "__qualname__", step), row)
    return done
