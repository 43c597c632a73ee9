"""Setting up the company: pages of legal entities, brands, desks and books."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from crm.db import history
from crm.models import Book, Brand, Desk, LegalEntity, User
from crm.pages import company_tables as tables
from crm.pages.company_forms import BookForm, BrandForm, DeskForm, EntityForm, SetUpForm
from crm.staff import books, brands, company, desks, entities
from crm.ui.actions import run_action
from crm.ui.tables import Table
from crm.ui.views import TableView, may_open, staff_page
from crm.web.requests import UserRequest

MANAGES = company.MANAGES
VERSIONS_SHOWN = 10


@dataclass(frozen=True)
class Kind:
    """One of the four: where its pages are, and its verbs of the archive."""

    slug: str
    list_name: str
    url_name: str
    title: Any
    new_title: Any
    rows: Callable[[User], QuerySet[Any]]
    id_name: str
    archive: Callable[..., Model]
    restore: Callable[..., Model]
    consequence: Any
    icon: str


KINDS: dict[str, Kind] = {
    kind.slug: kind
    for kind in (
        Kind(
            "entity",
            "legal_entities",
            "legal_entity",
            gettext_lazy("Legal entities"),
            gettext_lazy("Add legal entity"),
            company.entities_to_set_up,
            "entity_id",
            entities.archive_legal_entity,
            entities.restore_legal_entity,
            gettext_lazy("No new brand can be added under an archived company."),
            "building-2",
        ),
        Kind(
            "brand",
            "brands",
            "brand",
            gettext_lazy("Brands"),
            gettext_lazy("Add brand"),
            company.brands_to_set_up,
            "brand_id",
            brands.archive_brand,
            brands.restore_brand,
            gettext_lazy(
                "An archived brand takes no registrations, leads, deposits or new accounts. Its clients can still sign in"
                " and withdraw."
            ),
            "image",
        ),
        Kind(
            "desk",
            "desks",
            "desk",
            gettext_lazy("Desks"),
            gettext_lazy("Add desk"),
            company.desks_to_set_up,
            "desk_id",
            desks.archive_desk,
            desks.restore_desk,
            gettext_lazy("An archived desk is no longer offered for staff and leads."),
            "headset",
        ),
        Kind(
            "book",
            "books",
            "book",
            gettext_lazy("Books"),
            gettext_lazy("Add book"),
            company.books_to_set_up,
            "book_id",
            books.archive_book,
            books.restore_book,
            gettext_lazy("An archived book takes no more clients."),
            "book",
        ),
    )
}


class CompanyList(TableView):
    """One of the lists, with the button that adds a row for those who may."""

    template_name = "crm/company/list.html"
    kind: ClassVar[str] = ""

    def get_context(self, table: Table) -> dict[str, Any]:
        is_founding = self.kind in ("entity", "brand")
        may_add = company.can_found(table.user) if is_founding else company.brands_to_set_up(table.user).exists()
        kind = KINDS[self.kind]
        return {"kind": kind, "add_url": reverse(f"{kind.url_name}_new") if may_add else ""}


class EntityList(CompanyList):
    table, kind = tables.EntityTable, "entity"


class BrandList(CompanyList):
    table, kind = tables.BrandTable, "brand"


class DeskList(CompanyList):
    table, kind = tables.DeskTable, "desk"


class BookList(CompanyList):
    table, kind = tables.BookTable, "book"


@staff_page(MANAGES)
def legal_entity_new(request: UserRequest) -> HttpResponse:
    """Add a legal entity."""
    form = EntityForm(request.POST or None)

    def create() -> LegalEntity:
        return entities.create_legal_entity(actor=request.user, details=form.details())

    return _new(request, "entity", form, create, bool(company.can_found(request.user)))


@staff_page(MANAGES)
def legal_entity(request: UserRequest, pk: int) -> HttpResponse:
    """Show and change a legal entity."""
    row = get_object_or_404(company.entities_to_set_up(request.user), pk=pk)
    form = EntityForm(request.POST or None, initial={name: getattr(row, name) for name in EntityForm.base_fields})

    def change() -> LegalEntity:
        return entities.change_legal_entity(entity_id=pk, actor=request.user, details=form.details())

    context = {"may_change": bool(company.can_change_entity(request.user, row))}
    return _edit(request, "entity", row, form, change, **context)


@staff_page(MANAGES)
def brand_new(request: UserRequest) -> HttpResponse:
    """Add a brand under a legal entity; without one, lead to the page that adds it."""
    form = BrandForm(request.POST or None, actor=request.user)

    def create() -> Brand:
        return brands.create_brand(actor=request.user, code=form.cleaned_data["code"], details=form.details())

    return _new(
        request,
        "brand",
        form,
        create,
        bool(company.can_found(request.user)),
        needs_entity=not form.fields["legal_entity"].queryset.exists(),  # type: ignore[attr-defined]
    )


@staff_page(MANAGES)
def brand(request: UserRequest, pk: int) -> HttpResponse:
    """Show and change a brand."""
    row = get_object_or_404(company.brands_to_set_up(request.user).select_related("legal_entity"), pk=pk)
    form = BrandForm(request.POST or None, actor=request.user, brand=row)

    def change() -> Brand:
        return brands.change_brand(brand_id=pk, actor=request.user, details=form.details())

    return _edit(request, "brand", row, form, change, tabs=brand_tabs(request.user, row), tab="details")


def brand_tabs(user: User, row: Brand) -> list[dict[str, str]]:
    """List the pages of a brand that a user may open: details, look, policies."""
    pages = (
        ("details", _("Details"), reverse("brand", args=[row.pk])),
        ("look", _("Brand look"), reverse("brand_look", args=[row.pk])),
        ("policies", _("Policies"), reverse("brand_policies", args=[row.pk])),
    )
    return [{"slug": slug, "label": label, "url": url} for slug, label, url in pages if may_open(user, url)]


@staff_page(MANAGES)
def desk_new(request: UserRequest) -> HttpResponse:
    """Add a desk to a brand."""
    form = DeskForm(request.POST or None, actor=request.user)

    def create() -> Desk:
        return desks.create_desk(brand_id=form.cleaned_data["brand"].pk, actor=request.user, details=form.details())

    return _new(request, "desk", form, create, True)


@staff_page(MANAGES)
def desk(request: UserRequest, pk: int) -> HttpResponse:
    """Show and change a desk."""
    row = get_object_or_404(company.desks_to_set_up(request.user).select_related("brand"), pk=pk)
    form = DeskForm(request.POST or None, actor=request.user, desk=row)

    def change() -> Desk:
        return desks.change_desk(desk_id=pk, actor=request.user, details=form.details())

    return _edit(request, "desk", row, form, change)


@staff_page(MANAGES)
def book_new(request: UserRequest) -> HttpResponse:
    """Add a book to a brand."""
    form = BookForm(request.POST or None, actor=request.user)

    def create() -> Book:
        return books.create_book(brand_id=form.cleaned_data["brand"].pk, actor=request.user, details=form.details())

    return _new(request, "book", form, create, True)


@staff_page(MANAGES)
def book(request: UserRequest, pk: int) -> HttpResponse:
    """Show and change a book."""
    row = get_object_or_404(company.books_to_set_up(request.user).select_related("brand", "desk", "owner"), pk=pk)
    form = BookForm(request.POST or None, actor=request.user, book=row)

    def change() -> Book:
        return books.change_book(book_id=pk, actor=request.user, details=form.details())

    return _edit(request, "book", row, form, change)


@staff_page(MANAGES)
@require_POST
def archive(request: UserRequest, kind: str, pk: int) -> HttpResponse:
    """Archive a legal entity, brand, desk or book, or take it out of the archive; a refusal is shown on its page."""
    if kind not in KINDS:
        raise Http404
    chosen = KINDS[kind]
    row = get_object_or_404(chosen.rows(request.user), pk=pk)
    verb = chosen.restore if row.archived_at else chosen.archive
    given = {chosen.id_name: pk, "actor": request.user, "reason": request.POST.get("reason", "")[:300]}
    message = _("%(name)s restored.") if row.archived_at else _("%(name)s archived.")
    run_action(request, lambda: verb(**given), message % {"name": row}, show_forbidden=True)
    return redirect(chosen.url_name, pk=pk)


def _new(
    request: UserRequest, slug: str, form: SetUpForm, create: Callable[[], Model], may_add: bool, **context: Any
) -> HttpResponse:
    kind = KINDS[slug]
    done = run_action(request, create, lambda row: _("%(name)s added.") % {"name": row}, form=form, show_forbidden=True)
    if done:
        return redirect(kind.url_name, pk=done.result.pk)
    shown = {"kind": kind, "form": form, "may_change": may_add, **context}
    return render(request, "crm/company/edit.html", shown, status=422 if form.errors else 200)


def _edit(
    request: UserRequest, slug: str, row: Any, form: SetUpForm, change: Callable[[], Model], **context: Any
) -> HttpResponse:
    kind = KINDS[slug]
    if run_action(request, change, _("Saved."), form=form, show_forbidden=True):
        return redirect(kind.url_name, pk=row.pk)
    shown = {
        "kind": kind,
        "row": row,
        "form": form,
        "may_change": True,
        "versions": history.versions_of(row, limit=VERSIONS_SHOWN),
        **context,
    }
    return render(request, "crm/company/edit.html", shown, status=422 if form.errors else 200)
