"""What every page's frame needs: menu, brand, unread count, live address. Each is read only when a template asks for it."""

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
from crm.ui import panels
from crm.ui.preferences import preference
from crm.web import hosts

# Menu, counts and roles of a person may be this old: they cost a dozen queries, and every page shows them.
FRAME_SECONDS = 15
UNREAD = f"""
SELECT count(*) FROM (SELECT FROM {Notification._meta.db_table} WHERE user_id = %s AND read_at IS NULL LIMIT 100) n
"""  # noqa: S608 (our own names)


@dataclass(frozen=True)
class Frame:
    """What the staff frame shows of a person, kept for some seconds."""

    menu_html: str
    addresses: tuple[str, ...]
    role_label: str


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
    def menu(self) -> list[panels.MenuSection]:
        """The menu of this person: staff, client or partner."""
        if not self.is_signed_in:
            return []
        return panels.menu_for(self.user, UserKind(self.user.kind).value, self.request.path)

    @cached_property
    def frame(self) -> Frame:
        """Return it from the cache; made again when it is old or the cache is away."""
        key = f"frame:{self.user.pk}:{get_language()}"
        cached: Frame | None = cache.get(key)
        if cached is None:
            cached = self._make_frame()
            cache.set(key, cached, FRAME_SECONDS)
        return cached

    def _make_frame(self) -> Frame:
        sections = panels.menu_for(self.user, UserKind(self.user.kind).value)
        addresses = tuple(link.url for section in sections for link in section.entries)
        html = render_to_string("crm/ui/_menu.html", {"sections": sections})
        known = dict(Role.choices)
        names = [str(known.get(name, name)) for name in self.user.groups.values_list("name", flat=True)]
        return Frame(html, addresses, ", ".join(sorted(names)) or str(UserKind(self.user.kind).label))

    @property
    def menu_html(self) -> SafeString:
        """The staff menu with the entry of this page marked."""
        here = panels.active_address(self.frame.addresses, self.request.path)
        marked = f'href="{here}" aria-current="page"'
        return SafeString(self.frame.menu_html.replace(f'href="{here}"', marked, 1) if here else self.frame.menu_html)

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
