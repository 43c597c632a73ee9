"""Rules of a brand that are kept as dated versions, where the release ships the first: which holds on a day, and the next number.

Each model of versions has `brand`, `number` (unique per brand), `effective_on`, `set_at`, `reason`, `is_shipped` and a JSON column.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Max, Model, QuerySet
from django.utils import timezone

from crm.brand_policies.registry import today
from crm.models import Brand

Version = TypeVar("Version", bound=Model)
HISTORY_MAX = 50


@dataclass(frozen=True)
class Versions(Generic[Version]):
    """The versions of one model. column: the JSON column. shipped: the body that the release ships. reason: of that version."""

    model: type[Version]
    column: str
    shipped: Callable[[], Any]
    reason: str

    def on(self, brand: Brand, day: dt.date) -> Version | None:
        """Find the version that holds on a day; None where the shipped one holds, which wasn't written down yet."""
        rows = self._rows().filter(brand=brand, effective_on__lte=day)
        return rows.order_by("-effective_on", "-number").first()

    def body_on(self, brand: Brand, day: dt.date) -> Any:
        """Return what a day's own version says, for pages and previews; None where the shipped one holds. Nothing is written."""
        version: Any = self.on(brand, day)
        return None if version is None or version.is_shipped else getattr(version, self.column)

    def current(self, brand: Brand) -> Version:
        """Return the version of today. The shipped one becomes a version when it decides first, and again after a release
        changed it: what was decided points at what held then.
        """
        version, body = self.on(brand, today(brand)), self.shipped()
        while version is None or self._is_old(version, body):
            written: dict[str, Any] = {
                "brand": brand,
                "number": self.next_number(brand),
                "effective_on": today(brand),
                "set_at": timezone.now(),
                "reason": self.reason,
                self.column: body,
            }
            # Another worker may write the same version at this moment: then that one is read.
            self._rows().bulk_create([self.model(**written)], ignore_conflicts=True)
            version = self.on(brand, today(brand))
        return version

    def next_number(self, brand: Brand) -> int:
        """Return the number of a brand's next version."""
        last = self._rows().filter(brand=brand).aggregate(last=Max("number"))["last"]
        return (last or 0) + 1

    def history(self, brand: Brand, *read_along: str) -> QuerySet[Version]:
        """List a brand's versions, the newest first, at most `HISTORY_MAX`."""
        return self._rows().filter(brand=brand).select_related(*read_along).order_by("-number")[:HISTORY_MAX]

    def _is_old(self, version: Any, body: Any) -> bool:
        return bool(version.is_shipped) and getattr(version, self.column) != body

    def _rows(self) -> QuerySet[Version]:
        return self.model._default_manager.all()
