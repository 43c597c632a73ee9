"""What stands around the rows of a table: filters in words, quick filters, saved views, the menus of states."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.cache import cache
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.ui import badges
from crm.ui.panels import allows
from crm.ui.people_columns import StatusColumn
from crm.ui.preferences import preference
from crm.ui.table_parts import Chip, QuickChip, QuickFilter, ViewTab, in_words

if TYPE_CHECKING:
    from crm.models import SavedView, User

WORDS_SECONDS = 600
# `?filters=open`: the list with its form of filters, which somebody is working in.
FILTERS_OPEN = "open"


@lru_cache(maxsize=1024)
def _moves_html(_kind: str, choices: tuple[Any, ...], _language: str) -> str:
    """Write the entries of a menu of states; members of different kinds may be equal as text."""
    parts = []
    for choice in choices:
        label, tone = badges.describe(choice)
        badge = f'<span class="k-badge tone-{tone}">{escape(label)}</span>'
        parts.append(f'<button type="button" role="menuitem" data-to="{escape(str(choice.value))}">{badge}</button>')
    return "".join(parts)


class Surroundings:
    """Reads of a `Table` that only its template prints; they are a part of it and kept apart for their length."""

    if TYPE_CHECKING:
        user: User
        params: QueryDict
        path: str
        scope: Mapping[str, Any]
        quick_filters: ClassVar[Sequence[QuickFilter]]
        words: Any
        is_filtered: Any
        filters: Any
        layout: Any
        shown_columns: Any
        dom_id: Any

        def url(self, **changes: Any) -> str: ...

    @cached_property
    def shows_filters(self) -> bool:
        """Whether the filters' form is on the page: while somebody works in it, and where a value is wrong.

        Else it is fetched when it is opened: its fields cost as much as the rest of the page.
        """
        if self.params.get("filters") == FILTERS_OPEN:
            return True
        return bool(self.is_filtered and self.filters is not None and not self.filters.form.is_valid())

    @property
    def kept_filters(self) -> list[tuple[str, str]]:
        """List the filters that are on as names and values: what the form sends in place of its fields."""
        names = self.filters.base_filters if self.filters is not None else ()
        return [
            (key, value)
            for key, values in self.params.lists()
            for value in values
            if value and any(key == name or key.startswith(f"{name}_") for name in names)
        ]

    @cached_property
    def chips(self) -> list[Chip]:
        """The filters that are on. Choice fields show their labels."""
        chips = []
        if self.words:
            chips.append(Chip(_("Search"), self.words, self.url(q=None)))
        pressed = {name for quick in self.quick_offered if self._is_on(quick) for name in quick.filters}
        if self.is_filtered and self.filters is not None:
            self.filters.form.is_valid()
            for name, value in self.filters.form.cleaned_data.items():
                if value in (None, "", []) or (isinstance(value, QuerySet | list | tuple) and not value):
                    continue
                bound = self.filters.form[name]
                suffixes = getattr(bound.field.widget, "suffixes", None) or ()
                changes = dict.fromkeys([name, *(f"{name}_{suffix}" for suffix in suffixes)])
                is_quick = any(changed in pressed for changed in changes)
                chips.append(Chip(str(bound.label), in_words(bound.field, value), self.url(**changes), is_quick))
        return chips

    @cached_property
    def quick_offered(self) -> list[QuickFilter]:
        return [quick for quick in self.quick_filters if allows(quick.permission, self.user)]

    def _is_on(self, quick: QuickFilter) -> bool:
        return all(sorted(self.params.getlist(n)) == sorted(v) for n, v in quick.changes(self).items())

    @cached_property
    def quick_chips(self) -> list[QuickChip]:
        """The quick filters that this user is offered; a pressed one leads to the list without it."""
        chips = []
        for quick in self.quick_offered:
            is_on = self._is_on(quick)
            changes: dict[str, Any] = dict.fromkeys(quick.filters) if is_on else quick.changes(self)
            chips.append(QuickChip(str(quick.label), self.url(**changes), is_on))
        return chips

    @property
    def filters_in_words(self) -> str:
        """The search and filters in one line, as a printed list names them."""
        return " · ".join(f"{chip.label}: {chip.value}" for chip in self.chips)

    @property
    def is_comfortable(self) -> bool:
        """Whether this person chose higher rows; it holds for all their lists."""
        return bool(preference(self.user, "lists", "density") == "comfortable")

    def moves_from(self, column: StatusColumn, state: str) -> Sequence[Any]:
        """List the states that may follow one in a column, asked once for the page."""
        known = self._moves.setdefault(column.name, {})
        if state not in known:
            known[state] = column.moves(self, state)
        return known[state]

    @cached_property
    def _moves(self) -> dict[str, dict[str, Sequence[Any]]]:
        return {}

    @property
    def menus_html(self) -> SafeString:
        """The menus of the states on the page and of those that a row may get to, after the rows were rendered."""
        for column in self.shown_columns:
            if isinstance(column, StatusColumn):
                waiting, seen = list(self._moves.get(column.name, ())), set()
                while waiting:
                    state = waiting.pop()
                    seen.add(state)
                    waiting += [str(choice) for choice in self.moves_from(column, state) if str(choice) not in seen]
        language = get_language() or ""
        menus = [
            f'<div class="k-moves" id="{self.dom_id}-{name}-{escape(state)}" role="menu" popover>'
            f"{_moves_html(repr(type(choices[0])), tuple(choices), language)}</div>"
            for name, states in self._moves.items()
            for state, choices in states.items()
            if choices
        ]
        return SafeString("".join(menus))

    @property
    def has_filters(self) -> bool:
        return bool(self.chips)

    @property
    def shows_chips(self) -> bool:
        """Whether filters are on that no pressed quick filter shows."""
        return any(not chip.is_quick for chip in self.chips)

    @property
    def clear_url(self) -> str:
        """The whole list: also where it opens with a view of the user's choice."""
        return f"{self.path}?view=all" if self.layout.default else self.path or "?"

    @cached_property
    def view_tabs(self) -> list[ViewTab]:
        """The saved views, each with its filters in words."""
        return [
            ViewTab(
                view.name,
                self.view_url(view),
                words,
                is_active=view == self.layout.active,
                is_shared=view.desk_id is not None,
                is_default=view == self.layout.default,
            )
            for view, words in zip(self.layout.views, self._views_in_words(), strict=True)
        ]

    def view_url(self, view: SavedView) -> str:
        return f"{self.path}?{view.query}{'&' if view.query else ''}view={view.pk}"

    def _views_in_words(self) -> list[str]:
        """Describe the saved views; choices that are records take a query each, so the words are kept for some minutes."""
        mark = f"{self.user.pk}:{get_language()}"
        keys = [
            f"view:{view.pk}:{mark}:{hashlib.sha256(view.query.encode()).hexdigest()[:16]}"
            for view in self.layout.views
        ]
        known = cache.get_many(keys)
        same_list: Any = type(self)
        for key, view in zip(keys, self.layout.views, strict=True):
            if key not in known:
                known[key] = same_list(self.user, QueryDict(view.query), scope=self.scope).filters_in_words
                cache.set(key, known[key], WORDS_SECONDS)
        return [known[key] for key in keys]

    @cached_property
    def has_moves(self) -> bool:
        return any(isinstance(column, StatusColumn) and column.verb for column in self.shown_columns)
