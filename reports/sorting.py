"""Headings of a table that is sorted in memory: figures begin with the largest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True)
class Head:
    label: str | Promise
    query: str
    direction: str = ""


def sort_links(columns: Sequence[tuple[str, str | Promise]], current: str, query: Callable[[str], str]) -> list[Head]:
    """Make the headings of columns: each sorts by itself, the sorted one turns around."""
    heads = []
    for name, label in columns:
        is_current = current.removeprefix("-") == name
        direction = ("down" if current.startswith("-") else "up") if is_current else ""
        heads.append(Head(label, query(name if current == f"-{name}" else f"-{name}"), direction))
    return heads
