"""Conditions of routing rules, written short."""

from __future__ import annotations

from typing import Any


def where(*, score_from: int | None = None, score_to: int | None = None, **wanted: list[str]) -> dict[str, Any]:
    """`where(language=["de"], score_from=50)`: all of it must hold."""
    parts: list[dict[str, Any]] = [{"field": name, "is": "in", "value": values} for name, values in wanted.items()]
    if score_from is not None:
        parts.append({"field": "score", "is": "ge", "value": score_from})
    if score_to is not None:
        parts.append({"field": "score", "is": "le", "value": score_to})
    return {"version": 1, "all": parts}
