"""Declarative server tables. A list page is a class with columns, and one line in `urls.py`. See docs/ui.md.

class LeadTable(Table):
    name, title, permission = "leads", _("Leads"), "leads.view_lead"
    columns = [
        Column("full_name", _("Name"), sort="client__last_name", link=True),
        BadgeColumn("status", _("Status")),
        AgoColumn("created_at", _("Created"), sort=True),
    ]
    filterset = LeadFilter
    search_fields = ["search_text"]
    default_order = "-created_at"

    def queryset(self):
        return leads_visible_to(self.user).select_related("client", "owner")
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from django.core.cache import cache
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django_filters import FilterSet

from crm.i18n import formats
from crm.money.numbers import is_whole
from crm.ui import keyset, layouts
from crm.ui.columns import (
    AgoColumn,
    BadgeColumn,
    Column,
    DateColumn,
    EmailColumn,
    MoneyColumn,
    NumberColumn,
    PhoneColumn,
    TimeColumn,
    YesNoColumn,
)
from crm.ui.filters import ConditionFilter, narrowed_to
from crm.ui.panels import Label, Permission, allows
from crm.ui.people_columns import CountryColumn, PersonColumn, StatusColumn
from crm.ui.table_parts import BulkAction, Empty, FilterRequest, HeadCell, Peek, QuickFilter, reverse_pk
from crm.ui.table_rows import Cells
from crm.ui.table_surroundings import FILTERS_OPEN, Surroundings
from crm.ui.totals import Totals, totals_of

if TYPE_CHECKING:
    from crm.models import User
    from crm.web.requests import UserRequest

__all__ = [
    "AgoColumn",
    "BadgeColumn",
    "BulkAction",
    "Column",
    "CountryColumn",
    "DateColumn",
    "EmailColumn",
    "Empty",
    "MoneyColumn",
    "NumberColumn",
    "Peek",
    "PersonColumn",
    "PhoneColumn",
    "QuickFilter",
    "StatusColumn",
    "Table",
    "TimeColumn",
    "YesNoColumn",
    "table_named",
]
RESERVED = frozenset({"q", "sort", "cursor", "view", "export", "filters"})
COUNT_SECONDS = 60
NOT_KEPT = RESERVED - {"q", "sort"}
SHORTEST_SEARCH = 2
# A bulk action on "all that match" stops here: more is a job, not a click.
SELECTION_MAX = 1000
_TABLES: dict[str, type[Table]] = {}


def table_named(name: str) -> type[Table] | None:
    """Find a table class by name, as exports that run later and saved views do."""
    return _TABLES.get(name)


@dataclass
class Table(Surroundings):
    """One list for one user and one query string. Subclasses set the class attributes and `queryset`.

    `scope` holds what the list is about besides the user (ids from the address): a deals table of one client gets
    `client_id`. It must be plain JSON values, because an export job rebuilds the table from it.
    """

    user: User
    params: QueryDict = field(default_factory=lambda: QueryDict())
    path: str = ""
    scope: Mapping[str, Any] = field(default_factory=dict)
    # Set by the column chooser, which wants every column that there is.
    is_choosing: bool = False

    name: ClassVar[str] = ""
    title: ClassVar[Label] = ""
    subtitle: ClassVar[Label] = ""
    columns: ClassVar[Sequence[Column]] = ()
    filterset: ClassVar[type[FilterSet] | None] = None
    search_fields: ClassVar[Sequence[str]] = ()
    search_hint: ClassVar[Label] = ""
    default_order: ClassVar[str] = "-id"
    page_size: ClassVar[int] = 50
    # Filters by order: those whose index goes on in that order. The first that is on narrows `candidates`.
    ranges: ClassVar[Mapping[str, Sequence[str]]] = {}
    # Whether every order of `candidates` has an index of its own, so that rows without a value are a range of it as well.
    has_index_for_each_order: ClassVar[bool] = False
    permission: ClassVar[Permission] = None
    export_permission: ClassVar[Any] = None
    bulk_actions: ClassVar[Sequence[BulkAction]] = ()
    quick_filters: ClassVar[Sequence[QuickFilter]] = ()
    # The side panel that Space opens on a row.
    peek: ClassVar[Peek | None] = None
    empty: ClassVar[Empty | None] = None
    # Toolbar extras: a template included beside the export button.
    toolbar: ClassVar[str] = ""
    # Whether views can be saved and columns chosen; small embedded tables turn it off.
    is_adjustable: ClassVar[bool] = True
    is_searchable: ClassVar[bool] = True
    row_url_name: ClassVar[str] = ""
    # Who may open a row by its link, where that is less than who sees the list.
    row_permission: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.name:
            return
        taken = _TABLES.get(cls.name)
        if taken is not None and (taken.__module__, taken.__qualname__) != (cls.__module__, cls.__qualname__):
            raise ValueError(f"two tables are named {cls.name!r}: {taken.__module__} and {cls.__module__}")
        if cls.filterset is not None and RESERVED & set(cls.filterset.base_filters):
            raise ValueError(f"filters of {cls.name} may not be named {', '.join(sorted(RESERVED))}")
        _TABLES[cls.name] = cls

    # ------------------------------------------------------------ what subclasses write

    def queryset(self) -> QuerySet[Any]:
        """Return the rows this user may see.

        It starts from the app's `…_visible_to(self.user)`, with `select_related` for everything the columns read.
        """
        raise NotImplementedError

    def row_url(self, row: Any) -> str:
        """Return where a row opens; by default `row_url_name` with the row's id, or the row's own `get_absolute_url`."""
        if self.row_url_name:
            return reverse_pk(self.row_url_name, row.pk)
        return row.get_absolute_url() if hasattr(row, "get_absolute_url") else ""

    def link_to(self, row: Any) -> str:
        """Return where a row opens for this user, "" where they may not open it."""
        if self.row_permission and not self.user.has_perm(self.row_permission):
            return ""
        return self.row_url(row)

    def row_class(self, row: Any) -> str:
        return ""

    def search(self, queryset: QuerySet[Any], words: str) -> QuerySet[Any]:
        """Keep the rows that have every word in one of `search_fields` (give them trigram indexes)."""
        for word in words.split()[:6]:
            matches = Q()
            for name in self.search_fields:
                matches |= Q(**{f"{name}__icontains": word})
            queryset = queryset.filter(matches)
        return queryset

    def more_columns(self) -> Sequence[Column]:
        """Offer further columns, which only a registry knows; the user adds them in the column chooser."""
        return ()

    # ------------------------------------------------------------ reads

    @cached_property
    def now(self) -> Any:
        return timezone.now()

    @cached_property
    def reader(self) -> formats.Reader:
        return formats.reader()

    @cached_property
    def drawn(self) -> dict[Any, str]:
        """Cells that many rows share, see `crm.ui.columns.once`."""
        return {}

    @property
    def offers_first(self) -> bool:
        """Whether the empty list offers its action to this user."""
        empty = self.empty
        return bool(empty and empty.action and (not empty.permission or self.user.has_perm(empty.permission)))

    @cached_property
    def sees_contacts(self) -> bool:
        return self.user.has_perm("crm.see_unmasked_contacts")

    @cached_property
    def dom_id(self) -> str:
        return f"t-{self.name.replace('.', '-')}"

    @cached_property
    def yes_mark(self) -> str:
        return SafeString(f'<span class="pos" title="{_("Yes")}">✓</span>')

    @cached_property
    def no_mark(self) -> str:
        return SafeString(f'<span class="faint" title="{_("No")}">–</span>')

    @cached_property
    def words(self) -> str:
        text = self.params.get("q", "").strip()
        return text if self.search_fields or type(self).search is not Table.search else ""

    @cached_property
    def has_search(self) -> bool:
        return self.is_searchable and bool(self.search_fields or type(self).search is not Table.search)

    @cached_property
    def order(self) -> keyset.Order:
        """From the address, when it names a sortable column this user has; the default otherwise."""
        requested = self.params.get("sort", "")
        key = requested.removeprefix("-")
        for column in self.allowed_columns:
            if column.name == key and column.sort_path:
                return keyset.Order(key, column.sort_path, requested.startswith("-"), column.usual)
        default = self.default_order
        path = default.removeprefix("-")
        named = next((c.name for c in self.columns if c.sort_path == path), path)
        return keyset.Order(named, path, default.startswith("-"))

    @cached_property
    def allowed_columns(self) -> list[Column]:
        every = [*self.columns, *self.more_columns()]
        return [column for column in every if allows(column.permission, self.user)]

    @cached_property
    def layout(self) -> layouts.Layout:
        """The user's own columns and the views they can open."""
        return (
            layouts.read(self.user, self.name, self.params.get("view", "")) if self.is_adjustable else layouts.Layout()
        )

    @cached_property
    def shown_columns(self) -> list[Column]:
        chosen = self.layout.columns
        if chosen:
            by_name = {column.name: column for column in self.allowed_columns}
            picked = [by_name[name] for name in chosen if name in by_name]
            if picked:
                return picked
        return [column for column in self.allowed_columns if not column.hidden]

    @cached_property
    def filters(self) -> FilterSet | None:
        """The filters that the address names: a form of all of them costs as much as the list."""
        every: Any = self.filterset
        return self._filter_set(narrowed_to(every, self._asked)) if every is not None else None

    @cached_property
    def filter_form(self) -> Any:
        """The form of all filters, for the template."""
        return self._filter_set(self.filterset).form if self.filterset is not None else None

    def _filter_set(self, filterset: type[FilterSet]) -> FilterSet:
        return filterset(data=self.params or None, queryset=self.queryset(), request=FilterRequest(self.user))

    @cached_property
    def _asked(self) -> frozenset[str]:
        names = self.filterset.base_filters if self.filterset is not None and self.params else ()
        return frozenset(
            name for name in names if any(key == name or key.startswith(f"{name}_") for key in self.params)
        )

    @cached_property
    def is_filtered(self) -> bool:
        """Whether the address names any filter. Most visits don't, and spare themselves the filters' form."""
        return bool(self._asked)

    @property
    def is_searched(self) -> bool:
        return len(self.words) >= SHORTEST_SEARCH

    @property
    def is_narrowed(self) -> bool:
        """Whether this is less than the whole list."""
        return self.is_filtered or self.is_searched

    @cached_property
    def filter_errors(self) -> bool:
        return self.is_filtered and self.filters is not None and bool(self.filters.form.errors)

    @property
    def has_filterset(self) -> bool:
        """Templates call what is callable: asking for the class itself would make a filter set without its user."""
        return self.filterset is not None

    @property
    def filters_url(self) -> str:
        """The filters' fields, fetched only when somebody opens them: their choices may take queries."""
        return self.url(filters=1)

    @property
    def conditions_html(self) -> str:
        """The form component of the list's `conditions`, where it has such a filter."""
        offered = self.filterset.base_filters.get("conditions") if self.filterset is not None else None
        return offered.drawn(self.user) if isinstance(offered, ConditionFilter) else ""

    @cached_property
    def matching(self) -> QuerySet[Any]:
        """All rows that match filters and search, unordered. A filter value that makes no sense is said so at its field
        and left out."""
        rows = self.queryset()
        if self.is_filtered and self.filters is not None:
            self.filters.form.is_valid()
            for name, value in self.filters.form.cleaned_data.items():
                rows = self.filters.filters[name].filter(rows, value)
        return self.search(rows, self.words) if self.is_searched else rows

    def lean(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Load no more joins and fields than `shown_columns` read, for the page and exports.

        Override it only where a list is long and wide enough for that to count; what it leaves out is read row by row.
        """
        return rows

    def candidates(self) -> QuerySet[Any] | None:
        """For lists of a million rows: a wider list than `queryset()` without joins, of which every order is a range of
        an index. Pages then take bounded time whatever the filters; see `crm.ui.nearest`."""
        return None

    @cached_property
    def page(self) -> keyset.Page:
        wider = self.candidates()
        nearer = None
        if wider is not None and self.is_filtered and self.filters is not None and self.filters.form.is_valid():
            nearer = self.narrowed(wider, self.filters)
        rows = self.lean(self.matching)
        token, has_index = self.params.get("cursor", ""), self.has_index_for_each_order
        return keyset.get_page(rows, self.order, token, self.page_size, wider, nearer, has_index=has_index)

    def narrowed(self, wider: QuerySet[Any], filters: FilterSet) -> QuerySet[Any]:
        """Narrow the candidates to one filter's range, where an index begins with its value and has this order.

        Rows without a value in this order are sought among all candidates.
        """
        for name in self.ranges.get(self.order.path, ()):
            value = filters.form.cleaned_data.get(name)
            if value not in (None, "", []) and not (isinstance(value, list) and len(value) > 1):
                narrower: QuerySet[Any] = filters.filters[name].filter(wider, value)
                return narrower
        return wider

    @cached_property
    def estimate(self) -> int:
        """About how many rows match: the planner's guess, kept for a minute."""
        asked = f"{self.user.pk}:{self.name}:{sorted(self.scope.items())}:{self.query}"
        key = f"rows:{hashlib.sha256(asked.encode()).hexdigest()[:32]}"
        estimated: int | None = cache.get(key)
        if estimated is None:
            estimated = keyset.estimate(self.matching)
            cache.set(key, estimated, COUNT_SECONDS)
        return estimated

    @cached_property
    def cells(self) -> Cells:
        return Cells(self)

    @cached_property
    def body_html(self) -> SafeString:
        return SafeString("\n".join([self.cells.line(row) for row in self.page.rows]))

    @cached_property
    def count_text(self) -> str:
        """`12`, or `about 1,200,000`: exact where the whole list is on the page."""
        if self.page.is_whole:
            return formats.number(len(self.page.rows), 0)
        about = max(self.estimate, len(self.page.rows) + 1)
        return _("about %(count)s") % {"count": formats.approximate(about)}

    # ------------------------------------------------------------ what the template prints

    def url(self, **changes: Any) -> str:
        """Return this list's address with some parameters changed (None removes one), from its first page on."""
        gone = {"cursor", "export"} if self.params.get("filters") == FILTERS_OPEN else {"cursor", "export", "filters"}
        params = {name: values for name, values in self.params.lists() if name not in gone}
        for name, value in changes.items():
            if value is None:
                params.pop(name, None)
            else:
                params[name] = value if isinstance(value, list) else [str(value)]
        return f"{self.path}?{urlencode(params, doseq=True)}" if params else self.path or "?"

    @cached_property
    def head(self) -> list[HeadCell]:
        cells = []
        for number, column in enumerate(self.shown_columns):
            css = self.cells.css(number, column)
            if not column.sort_path:
                cells.append(HeadCell(column, str(column.label), css))
                continue
            current = self.order.key == column.name
            direction = ("down" if self.order.descending else "up") if current else ""
            param = column.name if current and self.order.descending else f"-{column.name}"
            if not current and not isinstance(column, AgoColumn | DateColumn | TimeColumn | NumberColumn | MoneyColumn):
                param = column.name  # text starts at A, figures and dates at the largest
            cells.append(HeadCell(column, str(column.label), css, self.url(sort=param), direction))
        return cells

    @property
    def head_html(self) -> SafeString:
        return self.cells.head(self.head)

    @cached_property
    def next_url(self) -> str:
        return self.url(cursor=self.page.next) if self.page.next else ""

    @cached_property
    def previous_url(self) -> str:
        return self.url(cursor=self.page.previous) if self.page.previous else ""

    @property
    def csv_url(self) -> str:
        return self.url(export="csv")

    @property
    def xlsx_url(self) -> str:
        return self.url(export="xlsx")

    @cached_property
    def totals(self) -> Totals | None:
        return totals_of(self)

    @property
    def foot_html(self) -> str:
        """A `<tfoot>` with the sums of money columns that have a `total`."""
        return self.cells.foot(self.totals) if self.totals else ""

    @cached_property
    def actions(self) -> list[BulkAction]:
        return [action for action in self.bulk_actions if allows(action.permission, self.user)]

    @property
    def longer_actions(self) -> str:
        """Name the bulk actions that take more than others of "all that match", each with its most."""
        longer = [action for action in self.actions if action.most]
        return "".join(f" ({action.label}: {formats.number(action.most)})" for action in longer)

    @cached_property
    def can_export(self) -> bool:
        needed: Permission = type(self).export_permission
        return needed is not None and allows(needed, self.user)

    @cached_property
    def query(self) -> str:
        """The filters, search and order as a query string, for a saved view or a bulk action on all that match."""
        pairs = [(k, v) for k, values in self.params.lists() for v in values if k not in NOT_KEPT and v]
        return urlencode(pairs)

    # ------------------------------------------------------------ selection and export

    @classmethod
    def selected(cls, request: UserRequest, *, most: int = SELECTION_MAX, **scope: Any) -> QuerySet[Any]:
        """Select the rows of a bulk action: those of `ids`, or with `all=1` the first that match the filters, `most` at most.

        `ids` may hold several numbers with commas between: a form of a thousand fields isn't read. Always within what the user
        may see, whatever ids were sent.
        """
        table = cls(request.user, QueryDict(request.POST.get("query", "")), scope=scope)
        if request.POST.get("all"):
            return cls._plain(table.queryset()).filter(pk__in=table.first_matching(most))
        sent = ",".join(request.POST.getlist("ids")).split(",")
        ids = [int(pk) for pk in sent if is_whole(pk)][:most]
        return cls._plain(table.queryset()).filter(pk__in=ids)

    def first_matching(self, most: int = SELECTION_MAX) -> list[Any]:
        return list(self.matching.order_by("pk").values_list("pk", flat=True)[:most])

    @staticmethod
    def _plain(queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.order_by("pk")

    def export_rows(self, chunk: int = 2000) -> Iterator[list[Any]]:
        """Yield header and rows of the whole list, in the order on screen."""
        columns = [column for column in self.shown_columns if column.export]
        yield [str(column.label) for column in columns]
        for row in keyset.all_rows(self.lean(self.matching), self.order, chunk):
            yield [column.plain(row, self) for column in columns]
