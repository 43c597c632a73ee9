"""What apps put on pages they don't own: menu entries, tabs, cards, dashboard tiles, search results.

An app calls these functions in its `panels.py`, which is loaded when Django starts. The page that shows the result
renders what is registered and knows no names. Each entry says who may see it: `permission` is a permission name, a
function of the user, or None for everyone the page itself is for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from crm.models import User
    from crm.web.requests import UserRequest

Label = str | Promise
Permission = str | Callable[[Any], bool] | None

# The sections of the staff menu, in order. An unknown section comes last, under its own name.
SECTIONS: dict[str, Label] = {
    "": "",
    "sales": _("Sales"),
    "clients": _("Clients"),
    "compliance": _("Compliance"),
    "money": _("Money"),
    "trading": _("Trading"),
    "partners": _("Partners"),
    "insight": _("Insight"),
    "setup": _("Set-up"),
}


def allows(permission: Permission, user: User) -> bool:
    """Whether the user may see an entry. Superusers see everything; a name is a Django permission."""
    if permission is None:
        return True
    if callable(permission):
        return bool(permission(user))
    return user.has_perm(permission)


@dataclass(frozen=True)
class MenuEntry:
    section: str
    label: Label
    url_name: str
    permission: Permission = None
    icon: str = "circle"
    order: int = 100
    audience: str = "staff"
    count: Callable[[Any], int | None] | None = None
    words: str = ""

    @property
    def url(self) -> str:
        return reverse(self.url_name)


@dataclass(frozen=True)
class Tab:
    """A tab of a record's page. `view(request, record)` returns the tab's content as a response (a fragment)."""

    page: str
    slug: str
    label: Label
    view: Callable[..., Any]
    permission: Permission = None
    order: int = 100
    icon: str = ""
    count: Callable[[Any, Any], int | None] | None = None


@dataclass(frozen=True)
class Card:
    """A card on a record's page. `load(request, record)` returns the template's context, or None to hide it."""

    page: str
    slug: str
    template: str
    load: Callable[..., dict[str, Any] | None]
    permission: Permission = None
    order: int = 100
    place: str = "side"


@dataclass(frozen=True)
class Tile:
    """A dashboard's tile. `load(user)` returns the template's context, or None to hide it. `width`: 1 to 4 columns."""

    slug: str
    template: str
    load: Callable[[Any], dict[str, Any] | None]
    permission: Permission = None
    order: int = 100
    width: int = 1
    dashboard: str = "home"
    lazy: bool = False


@dataclass(frozen=True)
class SearchResult:
    """One search result of the command palette."""

    label: str
    url: str
    hint: str = ""
    icon: str = "search"


@dataclass(frozen=True)
class PaletteSource:
    """`search(user, query, limit)` returns at most `limit` results that this user may see, within milliseconds."""

    slug: str
    label: Label
    search: Callable[[Any, str, int], Iterable[SearchResult]]
    permission: Permission = None
    order: int = 100


@dataclass
class Registry:
    """Everything that was registered. One instance per process; tests make their own."""

    menu: list[MenuEntry] = field(default_factory=list)
    tabs: dict[tuple[str, str], Tab] = field(default_factory=dict)
    cards: dict[tuple[str, str], Card] = field(default_factory=dict)
    tiles: dict[tuple[str, str], Tile] = field(default_factory=dict)
    sources: dict[str, PaletteSource] = field(default_factory=dict)


registry = Registry()


def _once(table: dict[Any, Any], key: Any, entry: Any) -> Any:
    """Two apps that claim one slug is a programming error, found when the server starts."""
    if key in table and table[key] != entry:
        raise ValueError(f"{key} is registered twice: {table[key]!r} and {entry!r}")
    table[key] = entry
    return entry


def menu(
    section: str,
    label: Label,
    url_name: str,
    permission: Permission = None,
    icon: str = "circle",
    order: int = 100,
    *,
    audience: str = "staff",
    count: Callable[[Any], int | None] | None = None,
    words: str = "",
) -> MenuEntry:
    """A menu entry.

    `audience` is staff, client or partner; `count(user)` is a small number beside it (one indexed query); `words` are
    more words under which the command palette finds it.
    """
    entry = MenuEntry(section, label, url_name, permission, icon, order, audience, count, words)
    if entry not in registry.menu:
        registry.menu.append(entry)
    return entry


def tab(
    page: str,
    slug: str,
    label: Label,
    view: Callable[..., Any],
    permission: Permission = None,
    order: int = 100,
    *,
    icon: str = "",
    count: Callable[[Any, Any], int | None] | None = None,
) -> Tab:
    """A tab on the page of a record (`client`, `partner` …)."""
    return _once(registry.tabs, (page, slug), Tab(page, slug, label, view, permission, order, icon, count))


def client_tab(
    slug: str, label: Label, view: Callable[..., Any], permission: Permission = None, order: int = 100
) -> Tab:
    """A tab on the client's page."""
    return tab("client", slug, label, view, permission, order)


def card(
    page: str,
    slug: str,
    template: str,
    load: Callable[..., dict[str, Any] | None],
    permission: Permission = None,
    order: int = 100,
    *,
    place: str = "side",
) -> Card:
    """A card on the page of a record."""
    return _once(registry.cards, (page, slug), Card(page, slug, template, load, permission, order, place))


def tile(
    slug: str,
    template: str,
    load: Callable[[Any], dict[str, Any] | None],
    permission: Permission = None,
    order: int = 100,
    *,
    width: int = 1,
    dashboard: str = "home",
    lazy: bool = False,
) -> Tile:
    """A dashboard tile; `lazy` tiles are fetched after the page is on screen."""
    entry = Tile(slug, template, load, permission, order, width, dashboard, lazy)
    return _once(registry.tiles, (dashboard, slug), entry)


def palette_source(
    slug: str,
    label: Label,
    search: Callable[[Any, str, int], Iterable[SearchResult]],
    permission: Permission = None,
    order: int = 100,
) -> PaletteSource:
    """A search provider of the command palette."""
    return _once(registry.sources, slug, PaletteSource(slug, label, search, permission, order))


# ---------------------------------------------------------------- reads: what this user gets to see


@dataclass(frozen=True)
class MenuSection:
    slug: str
    label: Label
    entries: Sequence[MenuLink]


@dataclass(frozen=True)
class MenuLink:
    entry: MenuEntry
    url: str
    user: User
    active: bool = False

    @cached_property
    def count(self) -> int | None:
        return self.entry.count(self.user) if self.entry.count else None


def active_address(addresses: Iterable[str], path: str) -> str:
    """The longest of the menu's addresses that the page's path starts with; empty when none does."""
    return max((url for url in addresses if path == url or (url != "/" and path.startswith(url))), key=len, default="")


def menu_for(user: User, audience: str = "staff", path: str = "") -> list[MenuSection]:
    """The menu of this user; the entry whose address is the longest prefix of `path` is active."""
    seen: list[tuple[MenuEntry, str]] = []
    for entry in registry.menu:
        if entry.audience == audience and allows(entry.permission, user):
            try:
                seen.append((entry, entry.url))
            except NoReverseMatch:
                continue  # the app's page isn't routed in this installation
    active = active_address([url for _entry, url in seen], path)
    known = list(SECTIONS)
    grouped: dict[str, list[MenuLink]] = {}
    for entry, url in sorted(seen, key=lambda pair: (pair[0].order, str(pair[0].label))):
        grouped.setdefault(entry.section, []).append(MenuLink(entry, url, user, url == active))
    order = sorted(grouped, key=lambda slug: known.index(slug) if slug in known else len(known))
    return [MenuSection(slug, SECTIONS.get(slug, slug), grouped[slug]) for slug in order]


def tabs_for(user: User, page: str) -> list[Tab]:
    found = [t for (of, _slug), t in registry.tabs.items() if of == page and allows(t.permission, user)]
    return sorted(found, key=lambda t: (t.order, str(t.label)))


def tab_for(user: User, page: str, slug: str) -> Tab | None:
    """The tab, or None where it doesn't exist or isn't for this user."""
    found = registry.tabs.get((page, slug))
    return found if found and allows(found.permission, user) else None


def cards_for(request: UserRequest, page: str, record: Any, place: str = "side") -> list[dict[str, Any]]:
    """The cards of a record's page, loaded: [{"card", "template", "context"}]."""
    user = request.user
    found = [
        c for (of, _s), c in registry.cards.items() if of == page and c.place == place and allows(c.permission, user)
    ]
    loaded = []
    for entry in sorted(found, key=lambda c: (c.order, c.slug)):
        context = entry.load(request, record)
        if context is not None:
            loaded.append({"card": entry, "template": entry.template, "context": context})
    return loaded


def tiles_for(user: User, dashboard: str = "home") -> list[Tile]:
    found = [t for (of, _slug), t in registry.tiles.items() if of == dashboard and allows(t.permission, user)]
    return sorted(found, key=lambda t: (t.order, t.slug))


def search_everything(user: User, query: str, limit: int = 6) -> list[tuple[PaletteSource, list[SearchResult]]]:
    """What the palette's providers find for this user, per provider; empty ones are left out."""
    results = []
    for source in sorted(registry.sources.values(), key=lambda s: (s.order, s.slug)):
        if allows(source.permission, user):
            found = list(source.search(user, query, limit))[:limit]
            if found:
                results.append((source, found))
    return results
