"""Finds an address's page among its likes: Django tries all patterns one by one, and of 750 that takes half a millisecond."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from typing import Any, TypeAlias

from django.urls import ResolverMatch, URLPattern, URLResolver
from django.urls.resolvers import RoutePattern

Pattern: TypeAlias = URLPattern | URLResolver
Words: TypeAlias = tuple[str | None, str | None]  # the first two of an address; None: any, or one that no pattern names


class IndexedResolver(URLResolver):
    """All of `patterns` in their order; an address is held only against those that begin with its first two words."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        super().__init__(RoutePattern("", is_endpoint=False), list(patterns))
        self._likes: dict[Words, URLResolver] = {}

    def resolve(self, path: Any) -> ResolverMatch:
        """Find what Django would find. What it tried, which a 404 in development lists, is the likes alone."""
        first, second, *_rest = f"{path}//".split("/", 2)
        # Only pairs that a pattern names: whatever addresses are asked for, no more lists are kept than there are patterns.
        words = next((known for known in ((first, second), (first, None)) if known in self._words), (None, None))
        if words not in self._likes:
            self._likes[words] = URLResolver(self.pattern, _likes(self.url_patterns, words))
        return self._likes[words].resolve(path)

    @cached_property
    def _words(self) -> set[Words]:
        named = set(_all_words(self.url_patterns))
        return named | {(first, None) for first, _second in named}


@cache
def _words_of(pattern: Pattern) -> Words:
    """Read the words that stand in a route itself: up to a converter, or to where an included list goes on."""
    if not isinstance(pattern.pattern, RoutePattern):
        return None, None
    route = str(pattern.pattern)
    fixed, converter, _rest = route.partition("<")
    words: list[str | None] = [*fixed.split("/")]
    if converter or isinstance(pattern, URLResolver):
        words[-1] = None  # which is a beginning only
    return words[0], words[1] if len(words) > 1 else None


def _is_room(pattern: Pattern) -> bool:
    """Say whether it only includes another list, at the same address."""
    return isinstance(pattern, URLResolver) and str(pattern.pattern) == ""


def _all_words(patterns: Iterable[Pattern]) -> Iterator[Words]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver) and _is_room(pattern):
            yield from _all_words(pattern.url_patterns)
        else:
            yield _words_of(pattern)


def _likes(patterns: Iterable[Pattern], words: Words) -> list[Pattern]:
    found: list[Pattern] = []
    for pattern in patterns:
        if isinstance(pattern, URLResolver) and _is_room(pattern):
            if inner := _likes(pattern.url_patterns, words):
                found.append(
                    URLResolver(pattern.pattern, inner, pattern.default_kwargs, pattern.app_name, pattern.namespace)
                )
        elif all(own is None or own == given for own, given in zip(_words_of(pattern), words, strict=True)):
            found.append(pattern)
    return found
