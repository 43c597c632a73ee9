"""An address is found among its likes as it is among all patterns."""

import re

from django.urls import Resolver404, URLResolver, get_resolver

from crm.web.routing import IndexedResolver

VALUES = {
    "int": "7",
    "str": "a-word",
    "slug": "a-word",
    "uuid": "0b8f7a1e-7a66-4c2e-9d5b-1f2f3c4d5e6f",
    "path": "a/b.c",
}


def indexed() -> IndexedResolver:
    [resolver] = get_resolver().url_patterns
    assert isinstance(resolver, IndexedResolver)
    return resolver


def routes(patterns, before=""):
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, before + str(pattern.pattern))
        else:
            yield before + str(pattern.pattern)


def addresses() -> set[str]:
    """Of every route, with values; and beside each what leads nowhere, or elsewhere."""
    found = set()
    for route in routes(indexed().url_patterns):
        address = re.sub(r"<(?:(\w+):)?\w+>", lambda match: VALUES.get(match[1] or "str", "a-word"), route)
        found |= {
            address,
            f"{address}x",
            f"{address}/",
            f"x{address}",
            address.rstrip("/"),
            address.replace("a-word", "home"),
        }
    return found


def outcome(resolver, address):
    try:
        match = resolver.resolve(address)
    except Resolver404:
        return None
    return (match.func, match.args, match.kwargs, match.view_name, match.route, match.app_names, match.extra_kwargs)


def test_every_address_leads_where_all_patterns_would_lead_it():
    ours = indexed()
    plain = URLResolver(ours.pattern, ours.url_patterns)
    known = {address: outcome(plain, address) for address in addresses()}
    assert sum(match is not None for match in known.values()) > 700
    assert {address: outcome(ours, address) for address in known} == known


def test_no_more_lists_are_kept_than_patterns_whatever_is_asked_for():
    resolver = IndexedResolver(indexed().url_patterns)
    words = sorted({first for first, _second in resolver._words if first})
    for first in words:
        for second in words:
            outcome(resolver, f"{first}/{second}/nowhere/")
    assert len(words) > 40 and len(resolver._likes) <= len(resolver._words) + 1
