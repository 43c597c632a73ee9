"""Lists of what a company is made of: legal entities, brands, desks and books."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model, Prefetch, QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, FilterSet, ModelChoiceFilter

from crm.choices import ArchiveState, Jurisdiction
from crm.models import Book, Brand, Desk, LegalEntity
from crm.staff import company
from crm.ui.tables import BadgeColumn, Column, Empty, Table, YesNoColumn

Row = TypeVar("Row", bound=Model)


def state_of(row: Any) -> ArchiveState:
    """Return whether a row is in use or archived, as a badge."""
    return ArchiveState.ARCHIVED if row.archived_at else ArchiveState.OPEN


def _brands(request: Any) -> QuerySet[Brand]:
    return company.brands_to_set_up(request.user).order_by("name") if request else Brand.objects.none()


def _desks(request: Any) -> QuerySet[Desk]:
    return company.desks_to_set_up(request.user).order_by("name") if request else Desk.objects.none()


class StateFilter(FilterSet):
    state = ChoiceFilter(label=_("State"), method="by_state", choices=ArchiveState.choices)

    def by_state(self, rows: QuerySet[Row], name: str, value: str) -> QuerySet[Row]:
        return rows.filter(archived_at__isnull=value == ArchiveState.OPEN)


class EntityFilter(StateFilter):
    jurisdiction = ChoiceFilter(label=_("Jurisdiction"), choices=Jurisdiction.choices)

    class Meta:
        model = LegalEntity
        fields: list[str] = []


class BrandFilter(StateFilter):
    jurisdiction = ChoiceFilter(label=_("Jurisdiction"), choices=Jurisdiction.choices)

    class Meta:
        model = Brand
        fields: list[str] = []


class DeskFilter(StateFilter):
    brand = ModelChoiceFilter(label=_("Brand"), queryset=_brands)

    class Meta:
        model = Desk
        fields: list[str] = []


class BookFilter(StateFilter):
    brand = ModelChoiceFilter(label=_("Brand"), queryset=_brands)
    desk = ModelChoiceFilter(label=_("Desk"), queryset=_desks)

    class Meta:
        model = Book
        fields: list[str] = []


class CompanyTable(Table):
    """What the four lists share: their permission, and a fainter line for what is archived."""

    permission = company.MANAGES
    default_order = "name"

    def row_class(self, row: Any) -> str:
        return "faint" if row.archived_at else ""


STATE: Callable[[], BadgeColumn] = lambda: BadgeColumn("state", _("State"), value=state_of)  # noqa: E731


class EntityTable(CompanyTable):
    name = "legal_entities"
    title = _("Legal entities")
    subtitle = _("The licensed companies behind your brands.")
    columns = [
        Column("name", _("Name"), sort=True, link=True),
        Column("jurisdiction", _("Jurisdiction"), value="get_jurisdiction_display"),
        Column("licence_number", _("Licence number")),
        Column("registration_number", _("Registration number")),
        Column("brands", _("Brands"), value=lambda row: ", ".join(brand.name for brand in row.brands.all())),
        STATE(),
    ]
    filterset = EntityFilter
    search_fields = ["name", "licence_number", "registration_number"]
    row_url_name = "legal_entity"
    empty = Empty(
        _("No legal entities yet"),
        _("Start here: add the company that holds your licence, then the brand it trades under."),
        "building-2",
        _("Add legal entity"),
        "legal_entity_new",
    )

    def queryset(self) -> QuerySet[LegalEntity]:
        mine = company.brands_to_set_up(self.user).order_by("name")
        return company.entities_to_set_up(self.user).prefetch_related(Prefetch("brands", mine))


class BrandTable(CompanyTable):
    name = "brands"
    title = _("Brands")
    subtitle = _("Trading names with their own clients, money and documents.")
    columns = [
        Column("name", _("Name"), sort=True, link=True),
        Column("code", _("Code"), css="mono"),
        Column("legal_entity", _("Legal entity"), value="legal_name"),
        Column("base_currency", _("Base currency")),
        Column("languages", _("Languages"), value=lambda row: ", ".join(row.languages)),
        Column("support_email", _("Support e-mail"), hidden=True),
        STATE(),
    ]
    filterset = BrandFilter
    search_fields = ["name", "code", "legal_name"]
    row_url_name = "brand"
    empty = Empty(
        _("No brands yet"),
        _("A brand is the name clients know you by. Add its legal entity first, then the brand."),
        "image",
        _("Add brand"),
        "brand_new",
    )

    def queryset(self) -> QuerySet[Brand]:
        return company.brands_to_set_up(self.user)


class DeskTable(CompanyTable):
    name = "desks"
    title = _("Desks")
    subtitle = _("Teams of a brand, with the languages and countries they serve.")
    columns = [
        Column("name", _("Name"), sort=True, link=True),
        Column("brand", _("Brand"), value="brand.name"),
        Column("languages", _("Languages"), value=lambda row: ", ".join(row.languages)),
        Column("countries", _("Countries"), value=lambda row: ", ".join(row.countries), css="clip"),
        Column("time_zone", _("Time zone")),
        STATE(),
    ]
    filterset = DeskFilter
    search_fields = ["name"]
    row_url_name = "desk"
    empty = Empty(
        _("No desks yet"),
        _("A desk is a sales team. Leads are routed to desks by language and country."),
        "headset",
        _("Add desk"),
        "desk_new",
    )

    def queryset(self) -> QuerySet[Desk]:
        return company.desks_to_set_up(self.user).select_related("brand")


class BookTable(CompanyTable):
    name = "books"
    title = _("Books")
    subtitle = _("Sets of clients: an agent's, or the pool of a desk.")
    columns = [
        Column("name", _("Name"), sort=True, link=True),
        Column("brand", _("Brand"), value="brand.name"),
        Column("desk", _("Desk"), value="desk.name"),
        Column("owner", _("Owner")),
        YesNoColumn("is_pool", _("Pool")),
        STATE(),
    ]
    filterset = BookFilter
    search_fields = ["name"]
    row_url_name = "book"
    empty = Empty(
        _("No books yet"),
        _("Every client is in a book. Add a desk to get its pool, then one book for each agent."),
        "book",
        _("Add book"),
        "book_new",
    )

    def queryset(self) -> QuerySet[Book]:
        return company.books_to_set_up(self.user).select_related("brand", "desk", "owner")
