"""Every URL pattern of ours, by its name."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

from tests.walker.table import THIRD_PARTY_PREFIXES


def urls(patterns: list, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from urls(pattern.url_patterns, inner)
        elif pattern.name:
            yield f"{namespace}{pattern.name}", pattern
        else:
            yield f"{namespace}<{pattern.pattern}>", pattern


def ours() -> dict[str, URLPattern]:
    return {
        name: pattern
        for name, pattern in urls(get_resolver().url_patterns)
        if not name.startswith(THIRD_PARTY_PREFIXES)
    }
