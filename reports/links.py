"""Addresses of the lists behind a dashboard's figures, with the same filters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from clients.choices import Stage
from crm.models import User
from crm.ui.views import may_open
from reports.filters import Selection, Span

LINKED_DAYS_MAX = 92
# The clients list leaves leads out unless stages are asked for.
EVERYBODY = [("stage", stage) for stage in Stage.values]


@dataclass(frozen=True)
class Links:
    """The lists of one dashboard; "" where this person can't open them."""

    filters: Mapping[str, str]
    span: Span
    sees_clients: bool

    @classmethod
    def of(cls, user: User, selection: Selection) -> Links:
        return cls(selection.list_filters, selection.span, may_open(user, reverse("clients")))

    def clients(self, *pairs: tuple[str, str], **filters: str) -> str:
        """Link to the list of clients with the board's filters and more."""
        if not self.sees_clients:
            return ""
        return f"{reverse('clients')}?{urlencode([*pairs, *{**self.filters, **filters}.items()])}"

    def _between(self, what: str) -> dict[str, str]:
        return {f"{what}_from": self.span.first.isoformat(), f"{what}_to": self.span.last.isoformat()}

    def seen(self, **filters: str) -> str:
        """Link to everybody first seen in the period, leads and clients."""
        return self.clients(*EVERYBODY, **self._between("created"), **filters)

    def seen_on(self, days: Sequence[dt.date]) -> list[str]:
        """Link each of some days to everybody first seen on it; nothing where the days are too narrow to be hit."""
        return [
            self.clients(*EVERYBODY, created_from=day.isoformat(), created_to=day.isoformat())
            for day in days
            if len(days) <= LINKED_DAYS_MAX
        ]

    def deposited_on(self, days: Sequence[dt.date]) -> list[str]:
        """Link each of some days to the clients with a deposit on it."""
        return [
            self.clients(deposited_from=day.isoformat(), deposited_to=day.isoformat())
            for day in days
            if len(days) <= LINKED_DAYS_MAX
        ]

    def registered(self, **filters: str) -> str:
        """Link to those who registered in the period."""
        return self.clients(**self._between("registered"), **filters)

    def paid_in(self, **filters: str) -> str:
        """Link to those whose first deposit is of the period."""
        return self.clients(**self._between("paid_in"), **filters)

    def deposited(self, **filters: str) -> str:
        """Link to those with a deposit in the period."""
        return self.clients(**self._between("deposited"), **filters)
