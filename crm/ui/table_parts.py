"""What tables are made of besides columns: actions, empty states, and what the template prints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from django.db.models import Model, QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.choices import flatten_choices
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from crm.i18n import formats
from crm.ui.columns import Column
from crm.ui.icons import draw_icon
from crm.ui.panels import Label, Permission, address_of

if TYPE_CHECKING:
    from crm.models import User
    from crm.web.requests import UserRequest


@dataclass(frozen=True)
class QuickFilter:
    """A chip above the list that sets filters in the address, and takes them away when pressed again.

    filters     name → value, list of values, or a function of the table ("mine": the user's own id)
    permission  who is offered it
    """

    label: Label
    filters: Mapping[str, Any]
    permission: Permission = None

    def changes(self, table: Any) -> dict[str, list[str]]:
        """Return the parameters that it sets."""
        values = {name: value(table) if callable(value) else value for name, value in self.filters.items()}
        return {
            name: [str(one) for one in (value if isinstance(value, list | tuple) else [value])]
            for name, value in values.items()
        }


@dataclass(frozen=True)
class QuickChip:
    """A quick filter as the template prints it."""

    label: Label
    url: str
    is_on: bool


@dataclass(frozen=True)
class ViewTab:
    """A saved view as the template prints it: its name, and what it shows in words."""

    name: str
    url: str
    words: str
    is_active: bool = False
    is_shared: bool = False
    is_default: bool = False


@dataclass(frozen=True)
class Peek:
    """What the side panel shows of a row when Space is pressed on it.

    template  the fragment; it gets `row`, `table`, `url` (the record's page) and what `context` returns
    note      writes the view to the access log: a summary read is a record viewed
    """

    template: str
    note: Callable[[UserRequest, Any], object]
    context: Callable[[UserRequest, Any], dict[str, Any]] = lambda _request, _row: {}


@dataclass(frozen=True)
class BulkAction:
    """A button for the selected rows. It POSTs `ids`, or `all=1` with the filters, to the named URL.

    Read them there with `Table.selected(request)`. `fields` is a template with more inputs (a select of agents).
    """

    slug: str
    label: Label
    url_name: str
    permission: Permission = None
    icon: str = ""
    confirm: Label = ""
    tone: str = "plain"
    fields: str = ""
    most: int = 0  # of "all that match", for an action that takes more than others do: `selected(request, most=…)`

    @property
    def button(self) -> SafeString:
        """Render its button."""
        confirm = f' data-confirm="{escape(str(self.confirm))}"' if self.confirm else ""
        return SafeString(
            f'<button class="btn btn-sm btn-{self.tone}" formaction="{escape(address_of(self.url_name))}" name="action"'
            f' value="{escape(self.slug)}"{confirm}>{draw_icon(self.icon) if self.icon else ""}{escape(str(self.label))}</button>'
        )


@dataclass(frozen=True)
class Empty:
    """What an empty list says: what will be here, and how to get the first one."""

    title: Label
    text: Label = ""
    icon: str = "inbox"
    action: Label = ""
    url_name: str = ""
    permission: str = ""  # who is offered the action; "" is everybody who sees the list


@dataclass(frozen=True)
class HeadCell:
    column: Column
    label: str
    css: str = ""
    sort_url: str = ""
    direction: str = ""


@dataclass(frozen=True)
class Chip:
    """An active filter, with the address of the list without it. `is_quick`: a pressed quick filter shows it already."""

    label: str
    value: str
    url: str
    is_quick: bool = False


@dataclass(frozen=True)
class FilterRequest:
    """Filters that narrow their choices to what the user may see find the user here, as on a request."""

    user: User


_PATTERNS: dict[str, tuple[str, str]] = {}


def reverse_pk(url_name: str, pk: Any) -> str:
    """Reverse a URL for a table's row: the pattern is resolved once, not for each of fifty rows."""
    pattern = _PATTERNS.get(url_name)
    if pattern is None:
        try:
            before, _zeros, after = reverse(url_name, args=[987654321987]).partition("987654321987")
        except NoReverseMatch:
            return reverse(url_name, args=[pk])
        pattern = _PATTERNS[url_name] = (before, after)
    return f"{pattern[0]}{pk}{pattern[1]}"


def options(rows: Iterable[tuple[Any, str]]) -> SafeString:
    """Write the choices of a bulk action's select: (value, label)."""
    return SafeString("".join([f'<option value="{pk}">{escape(label)}</option>' for pk, label in rows]))


def in_words(form_field: Any, value: Any) -> str:
    """Write a filter's value in words."""
    if isinstance(value, slice):
        return f"{in_words(form_field, value.start) or '…'} – {in_words(form_field, value.stop) or '…'}"
    if value is None:
        return ""
    if hasattr(form_field, "in_words"):
        return str(form_field.in_words(value))
    if isinstance(value, QuerySet | list | tuple | set):
        return ", ".join(in_words(form_field, element) for element in value)
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, Model):
        return str(value)
    has_choices = hasattr(form_field, "choices") and not hasattr(form_field, "queryset")
    choices = dict(flatten_choices(list(form_field.choices))) if has_choices else {}
    if value in choices:
        return str(choices[value])
    return formats.day(value) if hasattr(value, "isoformat") else str(value)
