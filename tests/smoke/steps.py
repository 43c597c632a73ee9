"""The journey's steps, in order."""

from __future__ import annotations

from collections.abc import Callable

from tests.smoke import arrival
from tests.smoke.journey import Journey

STEPS: list[tuple[str, Callable[[Journey], str | None]]] = [
    ("A lead from the German landing page reaches a German-speaking agent", arrival.lead_arrives),
]
