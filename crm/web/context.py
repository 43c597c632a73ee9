"""What every page's frame needs: menu, brand, unread count, live address. Each is read only when a template asks for it."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from crm.accounts import second_factor
from crm.choices import Role, UserKind
from crm.models import Brand, Notification
from crm.ui import favourites, menu, panels, tours
from crm.ui import help as help_texts
from crm.ui.preferences import preference
from crm.web import hosts

# Menu, counts and roles of a person may be this old: they cost a dozen queries, and every page shows them.
FRAME_SECONDS = 15
UNREAD = f"""
SELECT count(*) FROM (SELECT FROM {Notification._meta.db_table} WHERE user_id = %s AND read_at IS NULL AND is_in_app LIMIT 100) n
"""  # noqa: S608 (our own names)


@dataclass(frozen=True)
class Page:
    """A page that the person may open, as the menu marks it and the favourites list it."""

    name: str
    label: str
    icon: str
    url: str
    area: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Frame:
    """What the staff frame shows of a person, kept for some seconds."""

    menu_html: str
    create_html: str
    pages: tuple[Page, ...]
    role_label: str


def _page_of(link: menu.MenuLink) -> Page:
    entry = link.entry
    return Page(entry.url_name, str(entry.label), entry.icon, link.url, entry.section or menu.HOME, entry.also)


def _favourites(pages: Sequence[Page], pinned: Sequence[str]) -> list[Page]:
    """Order the pinned pages as the person does; one whose right is gone is not shown."""
    by_name = {page.name: page for page in pages}
    return [by_name[name] for name in pinned if name in by_name]


def _marked(html: str, address: str) -> SafeString:
    """Mark the links to the page one is on: in its area, and among the favourites."""
    return SafeString(html.replace(f'data-page href="{address}"', f'data-page href="{address}" aria-current="page"'))


@dataclass(frozen=True)
class Tour:
    """The steps of the guided tour, and at which one the person is."""

    steps: Sequence[tours.Step]
    at: int


class Furniture:
    """`furniture` in every template."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @cached_property
    def user(self) -> Any:
        return getattr(self.request, "user", None)

    @property
    def is_signed_in(self) -> bool:
        return bool(self.user and self.user.is_authenticated)

    @property
    def density(self) -> str:
        """The row height that this person chose for lists; "" is the compact one."""
        return preference(self.user, "lists", "density") or ""

    @cached_property
    def menu(self) -> list[menu.MenuSection]:
        """The menu of this person: staff, client or partner."""
        if not self.is_signed_in:
            return []
        return menu.menu_for(self.user, UserKind(self.user.kind).value, self.request.path)

    @cached_property
    def frame(self) -> Frame:
        """Return it from the cache; made again when it is old or the cache is away."""
        key = f"frame:{self.user.pk}:{get_language()}:{zlib.crc32(' '.join(self.pinned).encode())}"
        cached: Frame | None = cache.get(key)
        if cached is None:
            cached = self._make_frame()
            cache.set(key, cached, FRAME_SECONDS)
        return cached

    def _make_frame(self) -> Frame:
        links = menu.links_for(self.user)
        pages = tuple(_page_of(link) for link in links)
        context = {
            "sections": menu.sections_of(links, self.user),
            "pinned": self.pinned,
            "favourites": _favourites(pages, self.pinned),
            "page_keys": panels.page_keys_for(self.user),
        }
        known = dict(Role.choices)
        names = [str(known.get(name, name)) for name in panels.roles_of(self.user)]
        return Frame(
            render_to_string("crm/ui/_menu.html", context),
            render_to_string("crm/ui/_create.html", {"creations": panels.creations_for(self.user)}),
            pages,
            ", ".join(sorted(names)) or str(UserKind(self.user.kind).label),
        )

    @cached_property
    def here(self) -> Page | None:
        """The page of the menu that the person is on, or in: a client's page is in Clients."""
        return self.page_at(self.request.path)

    def page_at(self, path: str) -> Page | None:
        """Find the page of the menu that a path is on, or below."""
        addresses = {address: page for page in self.frame.pages for address in (page.url, *page.also)}
        return addresses.get(menu.active_address(addresses, path))

    @property
    def menu_html(self) -> SafeString:
        """The staff menu with the entry of this page marked and its area open.

        A page that isn't on the person's menu opens the area that it belongs to. Where they haven't that area either, or
        the page is of none, Home's pages are shown and no area is marked.
        """
        here, html = self.here, self.frame.menu_html
        near = here.area if here else menu.area_of_address(self.request.path)
        # A page that the role's menu leaves out may be the only one of its area.
        is_known = bool(near) and f'id="k-area-{near}"' in html
        area = near if is_known else menu.HOME
        if here:
            html = _marked(html, here.url)
        mark = 'aria-current="true"' if here and is_known else "" if is_known else "data-resting"
        html = html.replace(f'data-area="{area}"', f'data-area="{area}" {mark}'.rstrip(), 1)
        controls, name = f'aria-controls="k-area-{area}"', f'id="k-area-{area}"'
        html = html.replace(f'aria-expanded="false" {controls}', f'aria-expanded="true" {controls}', 1)
        return SafeString(html.replace(f"{name} hidden", name, 1))

    def favourites_html(self, path: str) -> SafeString:
        """Render the pinned pages as the menu shows them on the page at `path`."""
        here = self.page_at(path)
        context = {"favourites": _favourites(self.frame.pages, self.pinned)}
        html = render_to_string("crm/ui/_favourites.html", context)
        return _marked(html, here.url) if here else html

    @cached_property
    def create_html(self) -> SafeString:
        """The entries of the "+"."""
        return SafeString(self.frame.create_html)

    @cached_property
    def pin(self) -> Page | None:
        """The page that the star in the top bar pins: only where one is on it, not somewhere below."""
        return self.here if self.here and self.here.url == self.request.path else None

    @cached_property
    def pinned(self) -> list[str]:
        return favourites.pinned(self.user)

    @cached_property
    def help_url(self) -> str:
        """Address of the help on this page."""
        match = self.request.resolver_match
        return help_texts.topic_for(self.user, match.view_name if match else "", self.request.path).url

    @cached_property
    def tour(self) -> Tour | None:
        """The guided tour while this person is taking it."""
        at = tours.progress(self.user) if self.is_signed_in else None
        if at is None or at == tours.DONE:
            return None
        steps = tours.steps_for(self.user.kind, panels.roles_of(self.user) if self.user.is_team else ())
        return Tour(steps, at) if at < len(steps) else None

    @property
    def is_tour_offered(self) -> bool:
        return self.is_signed_in and tours.progress(self.user) is None

    @cached_property
    def unread(self) -> int:
        """Unread notifications, counted up to a hundred: the bell then shows 99+."""
        if not self.is_signed_in:
            return 0
        with connection.cursor() as cursor:
            cursor.execute(UNREAD, [self.user.pk])
            return int(cursor.fetchone()[0])

    @property
    def live_url(self) -> str:
        if not self.is_signed_in or not settings.LIVE_URL:
            return ""
        return f"{hosts.for_reader(settings.LIVE_URL, self.request).rstrip('/').removesuffix('/live')}/live/"

    @property
    def is_demo(self) -> bool:
        return bool(settings.DEMO)

    @property
    def shell(self) -> str:
        """The frame of a page that all kinds of people share; bare while staff still have to show a second factor."""
        if not self.is_signed_in or (self.user.is_team and not second_factor.has_passed(self.request)):
            return "public_base.html"
        return "base.html" if self.user.is_team else "portal_base.html"

    @cached_property
    def brand(self) -> Brand | None:
        """The brand whose colours a client, partner or public page wears: the view's own, else the user's."""
        chosen = getattr(self.request, "brand", None)
        if chosen is None and self.is_signed_in and not self.user.is_team:
            chosen = self.user.brand
        return chosen

    @property
    def brand_version(self) -> str:
        """Changes when the brand's colours do: part of the stylesheet's address."""
        if self.brand is None:
            return ""
        return f"{self.brand.colour}{self.brand.accent_colour}{self.brand.picture_version}".replace("#", "")

    @property
    def role_label(self) -> str:
        """The person's roles in words."""
        return self.frame.role_label if self.is_signed_in else ""


def page_furniture(request: HttpRequest) -> dict[str, Any]:
    """Give templates what surrounds every page: menu, bell, brand; read only where it is used."""
    return {"furniture": Furniture(request)}
