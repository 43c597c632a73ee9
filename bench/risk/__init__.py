"""Risk: how well abuse is recognised among what only resembles it, and how fast; links between clients, and retention beside it."""

from __future__ import annotations

from bench.harness import Figure
from bench.risk import abuse, deals, links, retention


def run(size: str) -> list[Figure]:
    """Measure each part in turn."""
    return [figure for part in (abuse, deals, links, retention) for figure in part.run(size)]
