"""Columns of tables. A column turns one row into one cell: as escaped HTML for the page, as a plain value for exports.

Cells are made in Python and the template only prints rows: fifty rows of ten columns cost about two milliseconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from html import (  # Django's marks its result as safe, which a cell that is joined with others has no use for
    escape,
    unescape,
)
from operator import attrgetter
from typing import Any

from django.db.models import Model
from django.utils.functional import Promise
from django.utils.html import conditional_escape, strip_tags
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from crm.i18n import formats
from crm.money.amounts import Money, exponent
from crm.ui import badges
from crm.ui.panels import Label, Permission

MISSING = object()
PLAIN = (str, int, float, Decimal, date, datetime)
DASH = SafeString('<span class="faint">–</span>')


def look_up(row: Any, path: str) -> Any:
    """Read `owner.full_name` on a row: empty links on the way give None, methods are called."""
    value = row
    for part in path.split("."):
        if value is None:
            return None
        value = value.get(part) if isinstance(value, dict) else getattr(value, part)
        if callable(value) and not isinstance(value, type):
            value = value()
    return value


@dataclass(frozen=True)
class Column:
    """A column of text.

    value    where the value is: a dotted path on the row, or a function of the row; the column's own name by default
    sort     the field path to order by (`client__last_name`), True for the column's own name; needs an index on
             (path, id). Never a path through a to-many relation
    usual    in a sorted column the value of most rows, where an index may hold only the others (`crm.ui.keyset.Order`)
    render   a function (row, table) → text or safe HTML, instead of the value
    link     the cell opens the row (`Table.row_url`); the first such link is what Enter opens
    hidden   not shown until the user chooses it
    permission  who may have the column at all, on screen and in exports
    group    the heading under which the column chooser offers it; "" is the list itself
    place    where the value goes when rows are stacked on a phone: "name", "figure", "state", "when", "rest" or
             "hide"; see `crm.ui.table_rows.places`, which finds the first four by the kind of column
    """

    name: str
    label: Label
    value: str | Callable[[Any], Any] = ""
    sort: str | bool = False
    usual: Any = None
    render: Callable[[Any, Any], Any] | None = None
    link: bool = False
    hidden: bool = False
    export: bool = True
    permission: Permission = None
    css: str = ""
    help: Label = ""
    place: str = ""
    group: Label = ""

    @property
    def sort_path(self) -> str:
        return self.name if self.sort is True else str(self.sort or "")

    @property
    def is_own_field(self) -> bool:
        """Whether the value is a field of the row itself."""
        return not callable(self.value) and "." not in self.value

    def read(self, row: Any) -> Any:
        if callable(self.value):
            return self.value(row)
        path = self.value or self.name
        return look_up(row, path) if "." in path else _one(row, path)

    def shown(self, row: Any, table: Any) -> str:
        """Render the inside of the cell, escaped: the value as `html` or `render` writes it, linked where the column links."""
        if self.render is not None:
            inner = self.render(row, table)
            inner = DASH if inner in (None, "") else conditional_escape(inner)
        else:
            inner = self.html(self.read(row), row, table)
        url = table.link_to(row) if self.link else ""
        return f'<a class="row-link" href="{escape(url)}">{inner}</a>' if url else inner

    def html(self, value: Any, row: Any, table: Any) -> str:
        """Render the inside of a cell, escaped. Kinds of columns override this one."""
        if type(value) is str:
            return escape(value) if value else DASH
        if value is None or value == "":
            return DASH
        return conditional_escape(str(value) if isinstance(value, Promise) else value)

    def plain(self, row: Any, table: Any) -> Any:
        """Return the value for an export: text, number, date or None.

        A column that is only rendered, or renders a whole record, is exported as it reads on screen: a name that is masked
        there stays masked in the file.
        """
        if self.render is not None and not self.value:
            value = row.get(self.name, MISSING) if isinstance(row, dict) else getattr(row, self.name, MISSING)
            if not isinstance(value, PLAIN):
                shown = self.render(row, table)
                return unescape(strip_tags(conditional_escape(shown))) if shown is not None else None
            return value
        value = self.read(row)
        return value if isinstance(value, PLAIN) or value is None else str(value)


def _one(row: Any, name: str) -> Any:
    value = row.get(name) if isinstance(row, dict) else getattr(row, name)
    return value() if callable(value) else value


def once(table: Any, key: Any, draw: Callable[[], str]) -> str:
    """Draw what many rows of a page show once for the page; None: this one shows something of its own."""
    drawn: dict[Any, str] = table.drawn
    if key is None or key not in drawn:
        inner = draw()
        if key is None:
            return inner
        drawn[key] = inner
    return drawn[key]


@dataclass(frozen=True)
class BadgeColumn(Column):
    """A state with its label and colour, from the `BadgeChoices` of the field that `value` leads to."""

    def html(self, value: Any, row: Any, table: Any) -> str:
        if value is None or value == "":
            return DASH
        # A page shows few states of fifty rows.
        state = (self.name, type(row), value) if type(value) is str and self.is_own_field else None
        return once(table, state, lambda: self.state_html(value, row, table))

    def state_html(self, value: Any, row: Any, table: Any) -> str:
        """Render a state that isn't empty."""
        label, tone = self._describe(value, row)
        return f'<span class="k-badge tone-{tone}">{escape(str(label))}</span>'

    def _describe(self, value: Any, row: Any) -> tuple[str, str]:
        if hasattr(value, "label") or callable(self.value):
            return badges.describe(value)
        path = self.value or self.name
        parent, _dot, field = path.rpartition(".")
        owner = attrgetter(parent)(row) if parent else row
        return badges.describe(value, model=type(owner) if isinstance(owner, Model) else None, field_name=field)

    def plain(self, row: Any, table: Any) -> Any:
        value = self.read(row)
        return None if value in (None, "") else self._describe(value, row)[0]


@dataclass(frozen=True)
class NumberColumn(Column):
    """A number, right-aligned, with `digits` decimals (None: as many as it has)."""

    digits: int | None = None
    css: str = "end"

    def html(self, value: Any, row: Any, table: Any) -> str:
        return DASH if value is None else escape(formats.number(value, self.digits))


@dataclass(frozen=True)
class MoneyColumn(Column):
    """An amount in major units, or with `minor` in minor ones. `currency`: a path on the row, or a code in capitals.

    `signed` colours gains and losses and writes a plus. `total` adds the amounts up in the list's foot, per currency: True,
    or what to add up in the database (a field path or an expression) where the value is a function of the row.
    """

    currency: str | Callable[[Any], str] = "currency"
    signed: bool = False
    minor: bool = False
    total: Any = None
    css: str = "end"

    def _currency(self, row: Any) -> str:
        if callable(self.currency):
            return self.currency(row)
        return self.currency if self.currency.isupper() else str(look_up(row, self.currency) or "")

    def read_money(self, value: Any, row: Any) -> tuple[Decimal, str]:
        if isinstance(value, Money):
            return value.amount, value.currency
        currency = self._currency(row)
        return Decimal(value).scaleb(-exponent(currency)) if self.minor else Decimal(value), currency

    def html(self, value: Any, row: Any, table: Any) -> str:
        if value is None:
            return DASH
        return self.amount_html(*self.read_money(value, row), table)

    def amount_html(self, amount: Decimal, currency: str, table: Any) -> str:
        """Write an amount as the column's cells do."""
        text = escape(table.reader.money(amount, currency, sign=self.signed))
        if amount and (amount < 0 or self.signed):
            return f'<span class="{"neg" if amount < 0 else "pos"}">{text}</span>'
        return text

    def plain(self, row: Any, table: Any) -> Any:
        value = self.read(row)
        return None if value is None else self.read_money(value, row)[0]


@dataclass(frozen=True)
class DateColumn(Column):
    css: str = "nowrap"

    def html(self, value: Any, row: Any, table: Any) -> str:
        return DASH if value is None else escape(table.reader.day(value))


@dataclass(frozen=True)
class TimeColumn(Column):
    """Date and time in the reader's zone."""

    seconds: bool = False
    css: str = "nowrap"

    def html(self, value: Any, row: Any, table: Any) -> str:
        if value is None:
            return DASH
        exact = table.reader.moment(value, seconds=True, zone=True)
        shown = table.reader.moment(value, seconds=self.seconds)
        return f'<span title="{escape(exact)}">{escape(shown)}</span>'


@dataclass(frozen=True)
class AgoColumn(Column):
    """`3 hours ago`, with the exact time as the tooltip. `overdue`: times in the past are marked."""

    overdue: bool = False
    css: str = "nowrap"

    def html(self, value: Any, row: Any, table: Any) -> str:
        if value is None:
            return DASH
        late = self.overdue and isinstance(value, datetime) and value < table.now
        css = ' class="neg"' if late else ""
        exact, text = table.reader.moment(value, seconds=True, zone=True), table.reader.ago(value, table.now)
        return f'<span{css} title="{escape(exact)}">{escape(text)}</span>'


@dataclass(frozen=True)
class YesNoColumn(Column):
    css: str = "center"

    def html(self, value: Any, row: Any, table: Any) -> str:
        if value is None:
            return DASH
        mark: str = table.yes_mark if value else table.no_mark
        return mark

    def plain(self, row: Any, table: Any) -> Any:
        value = self.read(row)
        return None if value is None else str(_("Yes") if value else _("No"))


@dataclass(frozen=True)
class PhoneColumn(Column):
    """A phone number, masked for those who may not see contacts; masked in their exports too."""

    css: str = "nowrap k-secret"

    def _shown(self, value: Any, table: Any) -> str:
        return str(value) if table.sees_contacts else formats.mask_phone(value)

    def html(self, value: Any, row: Any, table: Any) -> str:
        return escape(self._shown(value, table)) if value else DASH

    def plain(self, row: Any, table: Any) -> Any:
        value = self.read(row)
        return self._shown(value, table) if value else None


@dataclass(frozen=True)
class EmailColumn(PhoneColumn):
    """An e-mail address, masked like a phone number."""

    css: str = "clip k-secret"

    def _shown(self, value: Any, table: Any) -> str:
        return str(value) if table.sees_contacts else formats.mask_email(value)
