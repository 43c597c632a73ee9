"""The menu in two steps: a rail of areas, and beside it the pages of an area in groups. Apps register `MenuEntry`s for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from django.urls import NoReverseMatch
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.ui import panels
from crm.ui.panels import Label, MenuEntry

if TYPE_CHECKING:
    from crm.models import User


@dataclass(frozen=True)
class Area:
    """An area of the rail. `groups` are its second level, in order; entries without a group come first."""

    label: Label
    icon: str
    groups: Mapping[str, Label] = field(default_factory=dict)


# How the page names the area without a slug.
HOME = "home"
# In order. An unknown section comes last, under its own name.
AREAS: dict[str, Area] = {
    "": Area(_("Home"), "house"),
    "sales": Area(_("Sales"), "funnel"),
    "clients": Area(_("Clients"), "users", {"channels": _("Channels")}),
    "compliance": Area(
        _("Compliance"),
        "shield-check",
        {
            "kyc": _("KYC"),
            "kyc_rules": _("KYC set-up"),
            "assessment": _("Client assessment"),
            "aml": _("AML"),
            "records": pgettext_lazy("menu", "Records"),
        },
    ),
    "money": Area(
        _("Money"),
        "wallet",
        {"payments": _("Payments"), "books": pgettext_lazy("menu", "Books"), "reconciliation": _("Reconciliation")},
    ),
    "trading": Area(_("Trading"), "chart-candlestick", {"desk": _("Dealing desk"), "platforms": _("Platforms")}),
    "partners": Area(_("Partners"), "handshake", {"commissions": _("Commissions"), "promotion": _("Promotion")}),
    "insight": Area(_("Insights"), "chart-column", {"figures": _("Figures"), "agents": _("Agent monitoring")}),
    "setup": Area(
        _("Set-up"),
        "settings",
        {
            "company": _("Company"),
            "people": _("People"),
            "records": _("Clients and leads"),
            "money": _("Money"),
            "trading": _("Trading"),
            "system": _("System"),
        },
    ),
}


@dataclass(frozen=True)
class MenuLink:
    entry: MenuEntry
    url: str
    user: User
    active: bool = False

    @cached_property
    def count(self) -> int | None:
        """What waits for this person on the page; None where nothing does, or where they don't work that queue."""
        if self.entry.count is None or not panels.allows(self.entry.count_permission, self.user):
            return None
        return self.entry.count(self.user)


@dataclass(frozen=True)
class MenuSection:
    """An area as one person sees it."""

    slug: str
    area: Area
    entries: Sequence[MenuLink]

    @property
    def label(self) -> Label:
        return self.area.label if self.slug else ""

    @property
    def name(self) -> str:
        """The slug in addresses of the page: Home has none in the registry."""
        return self.slug or HOME

    @property
    def count(self) -> int:
        """What waits for the person in this area."""
        return sum(link.count or 0 for link in self.entries)

    @cached_property
    def groups(self) -> list[tuple[Label, list[MenuLink]]]:
        """The second level: (label, links). One group needs no heading, and neither do pages before the first group."""
        order = ["", *(slug for slug in self.area.groups if slug)]
        order += sorted({link.entry.group for link in self.entries} - set(order))
        found = [(slug, [link for link in self.entries if link.entry.group == slug]) for slug in order]
        filled = [(self.area.groups.get(slug, slug), links) for slug, links in found if links]
        return filled if len(filled) > 1 else [("", links) for _label, links in filled]


def active_address(addresses: Iterable[str], path: str) -> str:
    """Find the longest of the menu's addresses that the page's path starts with; "" when none does."""
    return max((url for url in addresses if path == url or (url != "/" and path.startswith(url))), key=len, default="")


def area_of_address(path: str) -> str:
    """Find the area, by its name, that a staff page is nearest to, whoever's menu lists that; "" for none.

    That is the area of most pages that share the longest beginning with it: `/ib/settlements/3/` is in that of `/ib/plans/`.
    """
    areas: dict[str, str] = {}
    for entry in panels.registry.of(MenuEntry):
        if entry.audience == "staff":
            with suppress(NoReverseMatch):
                areas |= dict.fromkeys((entry.url, *entry.also), entry.section or HOME)
    parts = path.strip("/").split("/")
    for length in range(len(parts), 0, -1):
        start = f"/{'/'.join(parts[:length])}/"
        if near := Counter(area for url, area in areas.items() if url.startswith(start)):
            return near.most_common(1)[0][0]
    return ""


def links_for(user: User, audience: str = "staff") -> list[MenuLink]:
    """List every page of the menu that this person has the right to open, in order of areas, whatever their role."""
    links = []
    for entry in panels.registry.of(MenuEntry):
        if entry.audience == audience and panels.allows(entry.permission, user):
            try:
                links.append(MenuLink(entry, entry.url, user))
            except NoReverseMatch:
                continue  # the app's page isn't routed in this installation
    known = {slug: number for number, slug in enumerate(AREAS)}
    return sorted(links, key=lambda link: (known.get(link.entry.section, len(known)), *_place(link.entry)))


def _place(entry: MenuEntry) -> tuple[str, int, str]:
    return entry.section, entry.order, str(entry.label)


def menu_for(user: User, audience: str = "staff", path: str = "") -> list[MenuSection]:
    """Build this user's menu; the entry with the address that is the longest prefix of `path` is active."""
    return sections_of(links_for(user, audience), user, path)


def sections_of(links: Sequence[MenuLink], user: User, path: str = "") -> list[MenuSection]:
    """Group the links that are meant for the person's roles by area. Superusers have every role."""
    if any(link.entry.roles for link in links) and not getattr(user, "is_superuser", False):
        mine = panels.roles_of(user)
        links = [link for link in links if not link.entry.roles or mine.intersection(link.entry.roles)]
    places = {address: link.url for link in links for address in (*link.entry.also, link.url)}
    active = places.get(active_address(places, path))
    grouped: dict[str, list[MenuLink]] = {}
    for link in links:
        shown = MenuLink(link.entry, link.url, user, link.url == active)
        grouped.setdefault(link.entry.section, []).append(shown)
    return [MenuSection(slug, AREAS.get(slug) or Area(slug, "circle"), rows) for slug, rows in grouped.items()]
