"""A home as a cockpit: KPI cards, a main chart beside the work queue, lists. Each person hides and orders their own cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crm.models import User
from crm.ui import panels
from crm.ui.preferences import preference, set_preference

CARDS_MAX = 60


@dataclass(frozen=True)
class LoadedTile:
    """A tile with what it shows; without a context it is fetched after the page is on screen."""

    tile: panels.Tile
    context: Any


@dataclass(frozen=True)
class Cockpit:
    """The cards of a page by their place, each in the person's order."""

    kpis: Sequence[LoadedTile]
    main: Sequence[LoadedTile]
    queues: Sequence[LoadedTile]
    lists: Sequence[LoadedTile]
    hidden: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.kpis or self.main or self.queues or self.lists)


def arrangement(user: User, dashboard: str = "home") -> tuple[list[panels.Tile], set[str]]:
    """Return the tiles a person may see, in the order they chose, and the slugs of those they hid."""
    tiles = panels.tiles_for(user, dashboard)
    chosen = preference(user, "cards", dashboard) or {}
    order = {slug: number for number, slug in enumerate(chosen.get("order", ()))}
    # A card that came with an update follows the chosen ones, in the order in which the apps registered it.
    return sorted(tiles, key=lambda tile: order.get(tile.slug, len(order))), set(chosen.get("hidden", ()))


def cockpit_of(user: User, dashboard: str = "home") -> Cockpit:
    """Load the cards of a person's page; those that have nothing to show are left out."""
    tiles, hidden = arrangement(user, dashboard)
    shown = [loaded for tile in tiles if tile.slug not in hidden and (loaded := _loaded(tile, user))]
    at: dict[str, list[LoadedTile]] = {"kpi": [], "main": [], "queue": [], "list": []}
    for loaded in shown:
        at[loaded.tile.place].append(loaded)
    return Cockpit(at["kpi"], at["main"], at["queue"], at["list"], sum(tile.slug in hidden for tile in tiles))


def _loaded(tile: panels.Tile, user: User) -> LoadedTile | None:
    if tile.lazy:
        return LoadedTile(tile, None)
    context = tile.load(user)
    return None if context is None else LoadedTile(tile, context)


def arrange_cards(*, user: User, dashboard: str, order: Sequence[str], hidden: Sequence[str]) -> None:
    """Keep which cards a person sees on a page, and in which order; nothing restores the default.

    Unknown names are left out, so the choice is never longer than the cards there are.
    """
    known = {tile.slug for tile in panels.tiles_for(user, dashboard)}
    choice = {
        "order": [slug for slug in dict.fromkeys(order) if slug in known][:CARDS_MAX],
        "hidden": [slug for slug in dict.fromkeys(hidden) if slug in known][:CARDS_MAX],
    }
    set_preference(user=user, section="cards", key=dashboard, value=choice if any(choice.values()) else None)
