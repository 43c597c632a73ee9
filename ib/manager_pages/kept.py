"""Answers that take long beside millions of lines: kept for minutes, shown with their age, renewed by a worker.

Only large ones are kept, so that small brands read what holds now. A question is a function of names and numbers, registered by
name so that a worker can ask it again:

    @asked("reasons")
    def reasons(brand_id: int) -> tuple[list[ReasonCount], bool]:     # the answer, and whether it is worth keeping
        ...
    kept("reasons", 17).answer
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from django.core.cache import cache
from django.utils import timezone

from crm.queue.enqueue import enqueue

FRESH_SECONDS: Final = 300
KEPT_SECONDS: Final = 3_600
_QUESTIONS: dict[str, Callable[..., tuple[Any, bool]]] = {}


@dataclass(frozen=True)
class Kept:
    """An answer and when it was found; `is_kept`: some time ago."""

    answer: Any
    at: dt.datetime
    is_kept: bool = False


def asked(name: str) -> Callable[[Callable[..., tuple[Any, bool]]], Callable[..., tuple[Any, bool]]]:
    """Register a question by its name."""

    def register(question: Callable[..., tuple[Any, bool]]) -> Callable[..., tuple[Any, bool]]:
        _QUESTIONS[name] = question
        return question

    return register


def kept(name: str, *arguments: int | str) -> Kept:
    """Answer a question of today (UTC): as kept, where that isn't an hour old; a worker renews what is older than five minutes."""
    key = _key(name, arguments)
    found: tuple[Any, dt.datetime] | None = cache.get(key)
    if found is None:
        return renew(name, *arguments)
    age = (timezone.now() - found[1]).total_seconds()
    if age > FRESH_SECONDS and cache.add(f"{key}:renewing", True, FRESH_SECONDS):
        enqueue("ib.renew_kept", f"{_QUESTIONS[name].__module__}:{name}", *arguments)
    return Kept(*found, is_kept=True)


def renew(name: str, *arguments: int | str) -> Kept:
    """Ask a question now, and keep a large answer. name: with its module before a colon for a worker, which loads no pages."""
    now = timezone.now()
    module, _colon, name = name.rpartition(":")
    if module:
        import_module(module)
    answer, is_large = _QUESTIONS[name](*arguments)
    if is_large:
        cache.set(_key(name, arguments), (answer, now), KEPT_SECONDS)
    return Kept(answer, now)


def _key(name: str, arguments: tuple[int | str, ...]) -> str:
    return ":".join(map(str, ("ib:kept", timezone.now().date(), name, *arguments)))
