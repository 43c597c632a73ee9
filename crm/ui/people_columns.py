"""Columns of people, countries and states that can be changed in the list."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any
from zlib import crc32

from babel import Locale
from django.contrib.staticfiles.finders import find
from django.db.models import Model
from django.templatetags.static import static

from crm.i18n import formats
from crm.ui.columns import DASH, BadgeColumn, Column, look_up, once

TAG = re.compile(r"<[^<>]*>")  # of markup that columns made, where a bracket is never bare


def avatar(name: str, key: Any) -> str:
    """Draw a person's initials on their colour: by CSS, so that copied and searched text has the name alone."""
    hue = crc32(str(key).encode()) % 8
    return (
        f'<span class="k-avatar sm h{hue}" data-initials="{escape(formats.initials(name))}" aria-hidden="true"></span>'
    )


@lru_cache(maxsize=512)
def flag(code: str) -> str:
    """Draw a country's flag (ISO 3166-1 alpha-2, from `static/vendor/circle-flags`); "" for a code without one."""
    path = f"vendor/circle-flags/{code.lower()}.svg"
    if len(code) != 2 or not code.isalpha() or find(path) is None:
        return ""
    return f'<img class="k-flag" src="{static(path)}" alt="" width="16" height="16" loading="lazy">'


@lru_cache(maxsize=2048)
def _country(code: str, shown: Locale) -> str:
    name = shown.territories.get(code.upper()) or code
    return f'<span class="k-country">{flag(code)}<span class="clip">{escape(name)}</span></span>'


def country_html(code: str) -> str:
    """Write a country's flag and its name in the reader's language."""
    return _country(code, formats.locale())


@dataclass(frozen=True)
class PersonColumn(Column):
    """A name behind the person's avatar. The colour is that of the person's page: it follows their id.

    key: a path on the row to the id; by default the record's that `value` leads to, else the row's own.
    """

    key: str = ""

    def shown(self, row: Any, table: Any) -> str:
        if self.link or self.render or self.key or not self.is_own_field:
            return self._drawn(row, table)
        # A page shows few owners of fifty rows.
        person = self.read(row)
        key = (self.name, type(person), person.pk) if isinstance(person, Model) else None
        return once(table, key, lambda: self._drawn(row, table))

    def _drawn(self, row: Any, table: Any) -> str:
        inner = super().shown(row, table)
        if inner == DASH:
            return inner
        return f'<span class="k-person">{avatar(TAG.sub("", inner), self._key(row))}<span class="name">{inner}</span></span>'

    def _key(self, row: Any) -> Any:
        if self.key:
            return look_up(row, self.key)
        path = "" if callable(self.value) else self.value or self.name
        parent = path.rpartition(".")[0]
        person = look_up(row, parent) if parent else None if not path else getattr(row, path, None)
        return person.pk if isinstance(person, Model) else row.pk


@dataclass(frozen=True)
class CountryColumn(Column):
    """A country's flag and its name in the reader's language; exports have the code."""

    def html(self, value: Any, row: Any, table: Any) -> str:
        return _country(str(value), table.reader.locale) if value else DASH


@dataclass(frozen=True)
class StatusColumn(BadgeColumn):
    """A state that is changed where it stands: its badge opens a menu of the states that may follow.

    moves    (table, state) → the states that this user may choose next, as members of the choices. It is asked once for
             each state on the page, so it goes by role, not by row: the verb has the last word
    verb     (row, state, user) → the existing verb; a refusal is shown, and the row as it is then
    """

    moves: Callable[[Any, str], Sequence[Any]] = lambda _table, _state: ()
    verb: Callable[[Any, str, Any], Any] | None = None

    def state_html(self, value: Any, row: Any, table: Any) -> str:
        if not table.moves_from(self, str(value)):
            return super().state_html(value, row, table)
        label, tone = self._describe(value, row)
        menu = f"{table.dom_id}-{self.name}-{value}"
        return (
            f'<button type="button" class="k-badge tone-{tone} k-move" aria-haspopup="menu" aria-controls="{escape(menu)}"'
            f' data-column="{self.name}">{escape(label)}</button>'
        )
