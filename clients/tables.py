"""The list of clients."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from clients.choices import Stage
from clients.custom_fields.listing import custom_columns, with_values
from clients.custom_fields.registry import chosen, seen_by
from clients.facts import FACTS, OWNERS, Fact, with_facts
from clients.filters import ClientFilter
from clients.models import Client, CustomField
from clients.queries import around_visible_to, clients_visible_to
from clients.record.previews import CLIENT_PEEK
from clients.search import search_clients
from clients.segments.policies import segments_visible_to
from crm.conditions import FieldType
from crm.models import User
from crm.security.scope import reach_of
from crm.ui.table_parts import options
from crm.ui.tables import (
    AgoColumn,
    BadgeColumn,
    BulkAction,
    Column,
    CountryColumn,
    DateColumn,
    EmailColumn,
    Empty,
    MoneyColumn,
    NumberColumn,
    PersonColumn,
    PhoneColumn,
    QuickFilter,
    Table,
    YesNoColumn,
)


def name_or_number(client: Client) -> str:
    """Return the client's name, or the record's number for a lead that came without one."""
    return client.full_name or f"#{client.pk}"


def sees_others(user: User) -> bool:
    """Check whether somebody reaches clients of others; who doesn't needs no column with themselves in each row."""
    reach = reach_of(user)
    return len(reach.books) > len(reach.own_books)


def has_colleagues(user: User) -> bool:
    """Check whether somebody has clients of their own and reaches those of others too: then "mine" says something."""
    return bool(reach_of(user).own_books) and sees_others(user)


NAME = PersonColumn("full_name", _("Name"), value=name_or_number, link=True)
COUNTRY = CountryColumn("country", _("Country"))
OWNER = PersonColumn("owner", _("Owner"), permission=sees_others)
MINE = QuickFilter(_("Mine"), {"owner": lambda table: table.user.pk}, has_colleagues)
PEOPLE_COLUMNS = [
    EmailColumn("email", _("E-mail"), hidden=True),
    PhoneColumn("phone", _("Phone"), hidden=True),
    Column("language", _("Language"), hidden=True, css="center"),
    Column("city", _("City"), hidden=True),
    Column("source", _("Source"), hidden=True),
    Column("campaign", _("Campaign"), hidden=True),
    Column("book", _("Book"), hidden=True),
    Column("brand", _("Brand"), hidden=True),
]


LISTS_MAX = 100
# What a column reads besides a field of its own name.
READS = {
    "owner": ["owner__first_name", "owner__last_name", "owner__email", "owner__username"],
    "book": ["book__name"],
    "brand": ["brand__name", "brand__base_currency"],
}


KINDS: Final[dict[FieldType, Callable[..., Column]]] = {
    FieldType.NUMBER: partial(NumberColumn, digits=0),
    FieldType.DECIMAL: NumberColumn,
    FieldType.MONEY: partial(MoneyColumn, currency="brand.base_currency"),
    FieldType.MOMENT: AgoColumn,
    FieldType.YES_NO: YesNoColumn,
}


def fact_column(entry: Fact) -> Column:
    """Make the column of a fact; side tables' values are annotated under its name by the list (`with_facts`)."""
    made = KINDS.get(entry.type, Column)
    value = partial(_in_words, entry.as_field()) if made is Column else ""
    return made(entry.name, entry.label, value=value, hidden=True, group=OWNERS[entry.owner])


def fact_columns(declared: Iterable[Column], owners: Iterable[str] = tuple(OWNERS)) -> list[Column]:
    """Make the columns of all facts of these owners that a list doesn't declare itself, app by app."""
    taken = {column.name for column in declared}
    chosen = [entry for entry in FACTS.values() if entry.owner in owners and entry.name not in taken]
    return [fact_column(entry) for entry in sorted(chosen, key=lambda entry: list(OWNERS).index(entry.owner))]


def _in_words(field: Any, row: Any) -> str:
    value = field.value_of(row)
    chosen = value if isinstance(value, list | tuple) else [value] if value else []
    return ", ".join(field.choice_label(entry) for entry in chosen)


def added_columns(table: Table) -> list[Column]:
    """Make the columns of custom fields where somebody chooses columns or has chosen one of these: else no query."""
    return custom_columns(_seen(table)) if table.is_choosing or chosen(table.layout.columns) else []


def _seen(table: Table) -> list[CustomField]:
    """Read the custom fields that the reader sees, once for the list."""
    if "seen_fields" not in table.__dict__:
        table.__dict__["seen_fields"] = list(seen_by(table.user))
    fields: list[CustomField] = table.__dict__["seen_fields"]
    return fields


def only_shown(table: Table, rows: QuerySet[Client]) -> QuerySet[Client]:
    """Load only what the shown columns read: four whole records per line cost more than the rest of the page."""
    shown = {column.name for column in table.shown_columns} - {"full_name"}
    beside = [name for name in shown if name in FACTS and FACTS[name].side is not None]
    added = chosen(shown)
    if any(isinstance(column, MoneyColumn) for column in table.shown_columns):
        shown.add("brand")
    fields = {
        "id",
        "first_name",
        "last_name",
        "email",
        "stage",
        *(name for name in shown if name not in READS and name not in beside and name not in added),
    }
    joined = [name for name in READS if name in shown]
    for name in joined:
        fields |= {name, *READS[name]}
    rows = with_facts(rows.select_related(None).only(*sorted(fields)), *beside)
    if added:
        rows = with_values(rows, table.shown_columns, _seen(table))
    return rows.select_related(*joined) if joined else rows


# Listed only where somebody asks for them: leads have a list of their own, related persons belong to a company.
APART = (Stage.LEAD, Stage.RELATED)
# A lead's record that was merged into another leads there; a client's that has money of its own is still listed.
GONE = Q(stage=Stage.CLOSED, merged_into__isnull=False)


class ClientTable(Table):
    """Registered people and beyond; people who are leads only when their stage is asked for."""

    name, title = "clients", _("Clients")
    permission, export_permission = "clients.view_client", "clients.export_client"
    columns = [
        NAME,
        NumberColumn("id", _("Number"), sort="id", hidden=True),
        BadgeColumn("stage", _("Stage")),
        COUNTRY,
        OWNER,
        NumberColumn("kyc_level", _("KYC"), digits=0, css="center"),
        BadgeColumn("risk_rating", _("Risk")),
        DateColumn("first_deposit_at", _("FTD"), sort=True),
        MoneyColumn("net_deposits", _("Net deposits"), sort=True, usual=0, currency="brand.base_currency", total=True),
        MoneyColumn("equity", _("Equity"), currency="brand.base_currency", total="trading_facts.equity"),
        AgoColumn("last_trade_at", _("Last trade"), sort=True),
        AgoColumn("last_contact_at", _("Last contact"), sort=True),
        NumberColumn("score", _("Score"), digits=0, hidden=True),
        BadgeColumn("category", _("Category"), hidden=True),
        DateColumn("registered_at", _("Registered"), hidden=True),
        *PEOPLE_COLUMNS,
    ]
    filterset = ClientFilter
    quick_filters = [
        MINE,
        QuickFilter(_("Not verified"), {"is_verified": "0"}),
        QuickFilter(_("Documents to review"), {"documents": "waiting"}),
        QuickFilter(_("No deposit yet"), {"has_paid_in": "0"}),
        QuickFilter(_("Never traded"), {"has_paid_in": "1", "has_traded": "0"}),
        QuickFilter(_("Restricted"), {"is_restricted": "1"}),
    ]
    peek = CLIENT_PEEK
    search_fields = ["search_text"]
    search_hint = _("Name, e-mail, phone or client number")
    default_order = "-id"
    bulk_actions = [
        BulkAction("dial", _("Call one by one"), "dial_new", "clients.log_call", icon="phone"),
        BulkAction(
            "move",
            _("Move to another book"),
            "clients_move",
            "clients.move_client",
            icon="arrow-left-right",
            fields="clients/_book_choice.html",
        ),
        BulkAction(
            "segment",
            _("Add to list"),
            "segment_add",
            "clients.manage_segment",
            icon="tag",
            fields="clients/segments/_list_choice.html",
        ),
    ]
    empty = Empty(
        _("No clients yet"),
        _("Leads become clients when they register. Send a lead a registration link to get your first client."),
        icon="users",
        action=_("Go to leads"),
        url_name="leads",
        permission="leads.view_lead",
    )

    def queryset(self) -> QuerySet[Client]:
        seen = clients_visible_to(self.user, is_searched=self.is_searched)
        rows = seen.select_related("brand", "owner", "book").defer("search_text")
        return rows if self.is_of_all_stages else rows.exclude(stage__in=APART).exclude(GONE)

    @property
    def is_of_all_stages(self) -> bool:
        """Whether leads and related persons are asked for: by their stage, or as the records of a segment."""
        return bool(set(APART) & set(self.params.getlist("stage")) or self.params.get("segment"))

    def more_columns(self) -> list[Column]:
        return [*fact_columns(self.columns), *added_columns(self)]

    def lean(self, rows: QuerySet[Client]) -> QuerySet[Client]:
        return only_shown(self, rows)

    def candidates(self) -> QuerySet[Client] | None:
        rows = around_visible_to(self.user, is_narrowed=self.is_narrowed)
        if rows is None:
            return None
        if self.is_of_all_stages:
            return rows.filter(stage=Stage.LEAD) if self.params.getlist("stage") == [Stage.LEAD] else rows
        return rows.exclude(stage__in=APART).exclude(GONE)

    def search(self, queryset: QuerySet[Any], words: str) -> QuerySet[Any]:
        return search_clients(queryset, words)

    @property
    def books(self) -> Any:
        """Where clients can be moved to: for the bulk action's choice."""
        from clients.filters import books_in_reach

        return options(books_in_reach(self).order_by("name").values_list("pk", "name")) if self.actions else ""

    @property
    def lists(self) -> Any:
        """Fixed lists that clients can be added to: for the bulk action's choice."""
        return segments_visible_to(self.user).filter(kind="list", archived_at=None).order_by("name")[:LISTS_MAX]
