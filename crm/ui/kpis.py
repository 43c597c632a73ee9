"""A KPI card: one figure with its change, its target and a link to the list behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm.i18n import formats
from crm.models import User
from crm.ui.charts import Number
from crm.ui.panels import Label, Permission, Tile

# A change beyond this says only that there was next to nothing before.
CHANGE_MAX = 999


@dataclass(frozen=True)
class Kpi:
    """One figure. `value` is as shown; `now`, `before` and `target` are numbers of one unit that the card compares.

    `versus` names the period of `before` ("last month"). `is_more_better` colours the change: None leaves it grey.
    """

    label: str | Promise
    value: str
    url: str = ""
    icon: str = "circle"
    now: Number = None
    before: Number = None
    versus: str | Promise = ""
    is_more_better: bool | None = True
    target: Number = None
    target_text: str = ""
    hint: str = ""
    trend: Sequence[Number] = ()
    tone: str = ""

    @property
    def change(self) -> str:
        """Say the change to the period before: "+12 %", "−5 %", "×14", "new" where there was nothing, "" where nothing compares."""
        if self.now is None or self.before is None or self.now == self.before == 0:
            return ""
        if not self.before:
            return _("new")
        percent = round((Decimal(self.now) - Decimal(self.before)) / abs(Decimal(self.before)) * 100)
        if abs(percent) > CHANGE_MAX:
            if self.before > 0 and self.now > 0:
                return f"×{formats.number(round(Decimal(self.now) / Decimal(self.before)), 0)}"
            return f"> {'+' if percent > 0 else '−'}{CHANGE_MAX} %"
        return f"{'+' if percent > 0 else '−' if percent < 0 else '±'}{formats.number(abs(percent), 0)} %"

    @property
    def direction(self) -> str:
        """Return up, down or level: the arrow beside the change."""
        if self.now is None or self.before is None or self.change.startswith("±") or self.now == self.before:
            return "level"
        return "up" if self.now > self.before else "down"

    @property
    def change_tone(self) -> str:
        """Return the tone of the change: success, danger or neutral."""
        if self.is_more_better is None or self.direction == "level":
            return "neutral"
        return "success" if (self.direction == "up") == self.is_more_better else "danger"

    @property
    def reached(self) -> int | None:
        """Return how much of the target is reached in whole percent, at most 100; None without a target."""
        if self.target is None or self.now is None or self.target <= 0:
            return None
        return max(0, min(100, int(Decimal(self.now) / Decimal(self.target) * 100)))


def kpi_tile(
    slug: str,
    title: Label,
    load: Callable[[Any], Kpi | None],
    permission: Permission = None,
    order: int = 100,
    *,
    roles: tuple[str, ...] = (),
    lazy: bool = False,
) -> Tile:
    """Make the tile of a KPI for the first row of a home; `load(user)` returns the figure, or None to hide it."""
    return Tile(slug, "crm/ui/_kpi.html", load, permission, order, title=title, place="kpi", roles=roles, lazy=lazy)


def once_per_page(user: User, key: str, compute: Callable[[], Any]) -> Any:
    """Compute something that several cards of one page read, once: it stays with the request's user."""
    kept: dict[str, Any] = user.__dict__.setdefault("_computed_for_page", {})
    if key not in kept:
        kept[key] = compute()
    return kept[key]
