"""The pages that a person pinned on top of the menu, in their own order: names of addresses among their preferences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.models import User
from crm.ui import menu
from crm.ui.preferences import change_preference, preference

FAVOURITES_MAX = 10
_WHERE = {"section": "menu", "key": "favourites"}


def pinned(user: User) -> list[str]:
    """List the addresses' names as the person ordered them, those they may no longer open among them."""
    return list(preference(user, **_WHERE) or ())[:FAVOURITES_MAX]


def favourites_of(user: User) -> list[menu.MenuLink]:
    """List the pinned pages that this person may open now."""
    links = {link.entry.url_name: link for link in menu.links_for(user)}
    return [links[name] for name in pinned(user) if name in links]


def pin_page(*, user: User, page: str) -> None:
    """Pin a page of the menu below the others. Raises DomainError where the person may not open it, or has too many."""
    allowed = {link.entry.url_name for link in menu.links_for(user)}
    if page not in allowed:
        raise DomainError(_("This page isn't on your menu."))

    def add(kept: Any) -> list[str]:
        # A page whose right is gone, or that an update removed, takes no place.
        names = [name for name in kept or () if name in allowed]
        if page not in names and len(names) >= FAVOURITES_MAX:
            message = _("You can have up to %(number)d favourites. Remove one first.") % {"number": FAVOURITES_MAX}
            raise DomainError(message)
        return list(dict.fromkeys([*names, page]))

    change_preference(user=user, change=add, **_WHERE)


def unpin_page(*, user: User, page: str) -> None:
    """Take a page off the favourites."""
    change_preference(user=user, change=lambda kept: [name for name in kept or () if name != page], **_WHERE)


def order_favourites(*, user: User, pages: Sequence[str]) -> None:
    """Keep the favourites in this order; those that are left out are removed, and unknown names add none."""
    change_preference(
        user=user, change=lambda kept: [name for name in dict.fromkeys(pages) if name in (kept or ())], **_WHERE
    )
