"""Figures in the reader's language: what a control demands, whether it was met, and links to what failed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance.controls.measures import LIST_AGE_MAX, PROPOSAL_AGE_MAX, VERSION_SCREENED_WITHIN, Figure
from crm.i18n import formats
from crm.models import User
from crm.ui.views import may_open
from crm.work.kinds import all_kinds

NAMES: Final[Mapping[str, tuple[Promise, Promise, str]]] = {
    "nightly_screening": (
        gettext_lazy("Nightly screening"),
        gettext_lazy("Every night all clients are screened against all lists"),
        "compliance:watchlists",
    ),
    "versions_screened": (
        gettext_lazy("Screening of new list versions"),
        gettext_lazy("Within %(minutes)s minutes of the import"),
        "compliance:watchlists",
    ),
    "lists_fresh": (
        gettext_lazy("Age of watchlists"),
        gettext_lazy("At the end of the period no list in use is older than %(list_days)s days"),
        "compliance:watchlists",
    ),
    "clients_screened": (
        gettext_lazy("Screening of clients"),
        gettext_lazy("Every verified client was screened"),
        "clients",
    ),
    "clients_rated": (
        gettext_lazy("Risk ratings"),
        gettext_lazy("Every verified client is rated by the risk model in force"),
        "clients",
    ),
    "four_eyes": (
        gettext_lazy("Four eyes"),
        gettext_lazy("No proposal is approved by the person who made it"),
        "approvals",
    ),
    "proposals_decided": (
        gettext_lazy("Age of proposals"),
        gettext_lazy("Decided within %(proposal_days)s days"),
        "approvals",
    ),
}
LIMITS: Final = {
    "minutes": VERSION_SCREENED_WITHIN.seconds // 60,
    "list_days": LIST_AGE_MAX.days,
    "proposal_days": PROPOSAL_AGE_MAX.days,
}


@dataclass(frozen=True, slots=True)
class ShownFigure:
    """A figure as a page and the PDF write it."""

    name: str
    target: str
    url: str
    total: int
    failed: int
    rows: tuple[tuple[str, str], ...]

    @property
    def is_met(self) -> bool:
        return not self.failed

    @property
    def result(self) -> str:
        if self.failed:
            return _("Failed")
        return _("Met") if self.total else _("Nothing to control")

    @property
    def percent(self) -> int | None:
        """How many of a hundred were in order, rounded down: 100 only where none failed."""
        return (self.total - self.failed) * 100 // self.total if self.total else None

    @property
    def more(self) -> int:
        return max(0, self.failed - len(self.rows))


def shown(figure: Figure, reader: User | None = None) -> ShownFigure:
    """Name a figure and link to what failed, where the reader may open it; on paper nothing is linked."""

    def link(url: str) -> str:
        return url if url and reader is not None and may_open(reader, url) else ""

    name, target, route = _named(figure.control)
    rows = ((label, link(url)) for label, url in (_row(*row) for row in figure.rows))
    return ShownFigure(name, target, link(_url(route)), figure.total, figure.failed, tuple(rows))


def _named(control: str) -> tuple[str, str, str]:
    if control in NAMES:
        name, demands, route = NAMES[control]
        return str(name), str(demands) % LIMITS, route
    code = control.removeprefix("work:")
    kind = next((kind for kind in all_kinds() if kind.code == code), None)
    target = _("Decided before the service level ends")
    return (str(kind.label), target, kind.queue_url) if kind is not None else (code, target, "")


def _row(what: str, key: str, detail: str) -> tuple[str, str]:
    match what:
        case "day":
            return formats.day(dt.date.fromisoformat(key)), ""
        case "client":
            return _("Client %(id)s") % {"id": key}, reverse("compliance:client", args=[int(key)])
        case "work":
            return _("No. %(id)s, due %(when)s") % {"id": key, "when": _moment(detail)}, ""
        case "proposal":
            kind, _slash, pk = key.rpartition("/")
            return (
                _("Proposal %(id)s of %(when)s") % {"id": pk, "when": _moment(detail)},
                reverse("approval", args=[kind, int(pk)]),
            )
        case _:
            return detail, reverse("compliance:watchlists")


def _moment(text: str) -> str:
    return formats.moment(dt.datetime.fromisoformat(text))


def _url(route: str) -> str:
    try:
        return reverse(route) if route else ""
    except NoReverseMatch:
        return ""
