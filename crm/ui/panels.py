"""What apps put on pages they don't own: menu entries, tabs, cards, dashboard tiles, search results.

An app registers them in its `panels.py`, `register(Tile(…), …)`, which is loaded when Django starts. The page that shows the result
renders what is registered and knows no names. Each entry says who may see it: `permission` is a permission name, a
function of the user, or None for everyone the page itself is for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString

if TYPE_CHECKING:
    from crm.models import User
    from crm.web.requests import UserRequest

Label = str | Promise
Permission = str | Callable[[Any], bool] | None
Place = Literal["kpi", "main", "queue", "list"]


def allows(permission: Permission, user: User) -> bool:
    """Check whether the user may see an entry. Superusers see everything; a name is a Django permission."""
    if permission is None:
        return True
    if callable(permission):
        return bool(permission(user))
    return user.has_perm(permission)


@cache
def address_of(url_name: str) -> str:
    """Find a page's address once a process: each menu asks for a hundred, at 0.02 ms each."""
    return reverse(url_name)


@dataclass(frozen=True)
class MenuEntry:
    """A page on the menu: under its area (`crm.ui.menu.AREAS`), and there under its group where the area has some.

    `audience` is staff, client or partner. `count(user)` is a small number beside it (one indexed query): what waits for this
    person, never how much there is of something; `count_permission` says who works that queue where more people see it.
    `roles` narrows the menu to people in one of these roles where the right
    is needed elsewhere; the command palette finds the page for everyone with the right. `words` are more words for it.
    `also` are beginnings of the addresses of further pages that belong to it and aren't below its own.
    """

    section: str
    label: Label
    url_name: str
    permission: Permission = None
    icon: str = "circle"
    order: int = 100
    audience: str = "staff"
    count: Callable[[Any], int | None] | None = None
    words: str = ""
    group: str = ""
    roles: tuple[str, ...] = ()
    count_permission: Permission = None
    also: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return address_of(self.url_name)

    @property
    def key(self) -> tuple[str, ...]:
        return (self.audience, self.section, self.url_name)


@dataclass(frozen=True)
class PageKey:
    """A letter that opens a page from anywhere, outside of fields. A page whose own button has the letter keeps it."""

    letter: str
    label: Label
    url_name: str
    permission: Permission

    @property
    def key(self) -> tuple[str, ...]:
        return (self.letter,)

    @property
    def url(self) -> str:
        return reverse(self.url_name)


@dataclass(frozen=True)
class CreateEntry:
    """An entry of the "+" in the top bar. `is_dialog` opens the page in the shared dialog.

    `for_client`: the address takes a client's id, and the dialog first asks which client.
    """

    label: Label
    url_name: str
    permission: Permission
    icon: str
    order: int = 100
    is_dialog: bool = True
    for_client: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        return (self.url_name,)

    @property
    def slug(self) -> str:
        return self.url_name.replace(":", "-").replace("_", "-")

    @property
    def url(self) -> str:
        return reverse("choose_client", args=[self.slug]) if self.for_client else reverse(self.url_name)

    @property
    def opens_dialog(self) -> bool:
        return self.is_dialog or self.for_client


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

    @property
    def key(self) -> tuple[str, ...]:
        return (self.page, self.slug)


@dataclass(frozen=True)
class Card:
    """A card on a record's page. `load(request, record)` returns the template's context, or None to hide it.

    `place` is top, side or foot, or a function of the record: a lead's score is on top, a funded client's in the foot.
    `tab`: the one tab that it stands beside; empty: every one.
    """

    page: str
    slug: str
    template: str
    load: Callable[..., dict[str, Any] | None]
    permission: Permission = None
    order: int = 100
    place: str | Callable[[Any], str] = "side"
    tab: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        return (self.page, self.slug)


@dataclass(frozen=True)
class RecordPart:
    """A part of the top of a record's page (`crm.ui.records`).

    `load(request, record)` returns hero figures, next steps or creations, a list of them, or None.
    """

    page: str
    kind: Literal["figure", "step", "creation"]
    slug: str
    load: Callable[..., Any]
    permission: Permission = None
    order: int = 100

    @property
    def key(self) -> tuple[str, ...]:
        return (self.page, self.kind, self.slug)


@dataclass(frozen=True)
class Tile:
    """A card of a cockpit. `load(user)` returns the template's context, or None to hide it.

    `place`: a KPI of the first row, the main chart, the work queue beside it, or one of the lists below. `title` names it
    where people choose what they see. `roles` narrows it to people in one of these roles; none is for everyone with the
    permission. `lazy` tiles are fetched after the page is on screen.
    """

    slug: str
    template: str
    load: Callable[[Any], Any]
    permission: Permission = None
    order: int = 100
    title: Label = ""
    place: Place = "list"
    roles: tuple[str, ...] = ()
    dashboard: str = "home"
    lazy: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        return (self.dashboard, self.slug)


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

    @property
    def key(self) -> tuple[str, ...]:
        return (self.slug,)


@dataclass(frozen=True)
class SetupStep:
    """A step of the set-up guide: what a new brokerage needs before it can work.

    `is_done(user)` looks at the data within the user's reach, in one quick query: there is no tick that could be wrong.
    `permission` is what doing it takes; who lacks it reads which roles can. `is_optional`: the brokerage works without it.
    """

    slug: str
    label: Label
    text: Label
    icon: str
    url_name: str
    is_done: Callable[[Any], bool]
    permission: Permission = None
    order: int = 100
    is_optional: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        return (self.slug,)


Entry = MenuEntry | PageKey | CreateEntry | Tab | Card | RecordPart | Tile | PaletteSource | SetupStep
E_ = TypeVar("E_", MenuEntry, PageKey, CreateEntry, Tab, Card, RecordPart, Tile, PaletteSource, SetupStep)


@dataclass
class Registry:
    """Everything that was registered. One instance per process; tests make their own."""

    entries: dict[tuple[type[Entry], tuple[str, ...]], Entry] = field(default_factory=dict)

    def of(self, kind: type[E_]) -> list[E_]:
        """List the entries of a kind, in the order in which the apps registered them."""
        return [entry for entry in self.entries.values() if isinstance(entry, kind)]


registry = Registry()


def register(*entries: Entry) -> None:
    """Put entries on the pages they belong to.

    Raises ValueError when a place is taken: two apps that claim one are found when the server starts.
    """
    for entry in entries:
        key = type(entry), entry.key
        known = registry.entries.setdefault(key, entry)
        if known is not entry and known != entry:
            raise ValueError(f"{key} is registered twice: {known!r} and {entry!r}")


# ---------------------------------------------------------------- reads: what this user gets to see


def roles_of(user: User) -> set[str]:
    """Return the names of a person's roles."""
    return set(user.groups.values_list("name", flat=True))


def creations_for(user: User) -> list[CreateEntry]:
    """List what this person may create from anywhere, in order."""
    entries = [entry for entry in registry.of(CreateEntry) if allows(entry.permission, user)]
    return sorted(entries, key=lambda entry: (entry.order, entry.url_name))


def page_keys_for(user: User) -> list[PageKey]:
    """List the letters that open a page for this person."""
    entries = [entry for entry in registry.of(PageKey) if allows(entry.permission, user)]
    return sorted(entries, key=lambda entry: entry.letter)


def tabs_for(user: User, page: str) -> list[Tab]:
    """List the tabs of a page that this user may see, in their order."""
    tabs = [t for t in registry.of(Tab) if t.page == page and allows(t.permission, user)]
    return sorted(tabs, key=lambda t: (t.order, str(t.label)))


def tab_for(user: User, page: str, slug: str) -> Tab | None:
    """Find a tab by its slug; None where it doesn't exist or isn't for this user."""
    return next((tab for tab in tabs_for(user, page) if tab.slug == slug), None)


def cards_for(
    request: UserRequest, page: str, record: Any, place: str = "side", *, tab: str = ""
) -> list[dict[str, Any]]:
    """Load the cards of a record's page, or of one of its tabs: [{"card", "template", "context"}]."""
    user = request.user
    cards = [c for c in registry.of(Card) if c.page == page and c.tab in ("", tab) and _place_of(c, record) == place]
    cards = [c for c in cards if allows(c.permission, user)]
    loaded = []
    for entry in sorted(cards, key=lambda c: (c.order, c.slug)):
        context = entry.load(request, record)
        if context is not None:
            loaded.append({"card": entry, "template": entry.template, "context": context})
    return loaded


def cards_html(request: UserRequest, page: str, record: Any, place: str = "side") -> list[SafeString]:
    """Render the cards of a record's page."""
    cards = cards_for(request, page, record, place)
    return [SafeString(render_to_string(card["template"], card["context"], request)) for card in cards]


def _place_of(card: Card, record: Any) -> str:
    return card.place(record) if callable(card.place) else card.place


def parts_for(request: UserRequest, page: str, kind: str, record: Any) -> list[Any]:
    """Load the hero figures, next steps or creations of a record's page, in the order of their registration."""
    parts = [p for p in registry.of(RecordPart) if p.page == page and p.kind == kind]
    loaded: list[Any] = []
    for part in sorted(parts, key=lambda p: (p.order, p.slug)):
        if allows(part.permission, request.user):
            found = part.load(request, record)
            loaded += found if isinstance(found, list) else [found] if found is not None else []
    return loaded


def tiles_for(user: User, dashboard: str = "home") -> list[Tile]:
    """List the tiles of a dashboard that this user may see and that are meant for one of their roles, in their order."""
    tiles = [t for t in registry.of(Tile) if t.dashboard == dashboard and allows(t.permission, user)]
    if any(t.roles for t in tiles):
        mine = roles_of(user)
        tiles = [t for t in tiles if not t.roles or mine.intersection(t.roles)]
    return sorted(tiles, key=lambda t: (t.order, t.slug))


def search_everything(user: User, query: str, limit: int = 6) -> list[tuple[PaletteSource, list[SearchResult]]]:
    """Collect what the palette's providers find for this user, per provider; empty ones are left out."""
    results = []
    for source in sorted(registry.of(PaletteSource), key=lambda s: (s.order, s.slug)):
        if allows(source.permission, user):
            rows = list(source.search(user, query, limit))[:limit]
            if rows:
                results.append((source, rows))
    return results
