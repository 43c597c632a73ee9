"""Pages of custom fields: set-up by brand, one field with its choices, and the values of a record."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients import policies
from clients.custom_fields import setup
from clients.custom_fields.forms import LANGUAGES, CustomFieldForm, LabelsForm, ValuesForm
from clients.custom_fields.registry import of_record, seen_by
from clients.custom_fields.values import set_custom_values, values_of
from clients.models import CustomChoice, CustomField
from clients.queries import get_client
from clients.record.access import log_access
from crm.choices import Role
from crm.money.numbers import is_whole
from crm.staff import company
from crm.staff.company import brands_to_set_up
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest

RIGHT: Final = company.MANAGES


@staff_page(RIGHT)
def custom_fields(request: UserRequest) -> HttpResponseBase:
    """Lead to the fields of one's own brand, else of the first one that the person reaches as a whole."""
    brands = list(brands_to_set_up(request.user).order_by("name"))
    if not brands:
        return render(request, "clients/custom_fields/list.html", {"brands": brands})
    own = next((brand for brand in brands if brand.pk == request.user.brand_id), brands[0])
    return redirect("brand_custom_fields", brand_id=own.pk)


@staff_page(RIGHT)
def brand_custom_fields(request: UserRequest, brand_id: int) -> HttpResponse:
    """List a brand's fields in their order, archived ones below."""
    brands = list(brands_to_set_up(request.user).order_by("name"))
    brand = next((row for row in brands if row.pk == brand_id), None)
    if brand is None:
        raise Http404
    rows = list(CustomField.objects.filter(brand=brand))
    context = {
        "brands": brands,
        "brand_shown": brand,
        "fields": [row for row in rows if row.archived_at is None],
        "archived": [row for row in rows if row.archived_at is not None],
        "roles": dict(Role.choices),
    }
    return render(request, "clients/custom_fields/list.html", context)


@staff_page(RIGHT)
def custom_field_new(request: UserRequest, brand_id: int) -> HttpResponse:
    """Add a field to a brand; one with choices opens on its page, where they are added."""
    brand = get_object_or_404(brands_to_set_up(request.user), pk=brand_id)
    form = CustomFieldForm(request.POST or None)

    def create() -> CustomField:
        key = form.cleaned_data["key"]
        return setup.create_custom_field(brand_id=brand.pk, key=key, actor=request.user, details=form.details())

    if request.method == "POST":
        done = run_action(request, create, _("Field added."), form=form)
        if done and done.result.has_choices:
            return redirect("custom_field", field_id=done.result.pk)
        if done:
            return redirect("brand_custom_fields", brand_id=brand.pk)
    context = {"form": form, "brand_shown": brand}
    return render(request, "clients/custom_fields/field.html", context, status=422 if form.errors else 200)


def _field(request: UserRequest, field_id: int) -> CustomField:
    rows = CustomField.objects.filter(brand__in=brands_to_set_up(request.user)).select_related("brand")
    return get_object_or_404(rows, pk=field_id)


@staff_page(RIGHT)
def custom_field(request: UserRequest, field_id: int) -> HttpResponse:
    """Change a field; below it its choices."""
    row = _field(request, field_id)
    form = CustomFieldForm(request.POST or None, field=row)

    def change() -> CustomField:
        return setup.change_custom_field(field_id=row.pk, actor=request.user, details=form.details())

    if request.method == "POST" and run_action(request, change, _("Field changed."), form=form):
        return redirect("brand_custom_fields", brand_id=row.brand_id)
    context = {
        "form": form,
        "field_shown": row,
        "brand_shown": row.brand,
        "choices": list(row.choices.all()) if row.has_choices else [],
        "choice_form": LabelsForm(auto_id="new-%s"),
        "languages": LANGUAGES,
    }
    return render(request, "clients/custom_fields/field.html", context, status=422 if form.errors else 200)


@require_POST
@staff_page(RIGHT)
def custom_field_do(request: UserRequest, field_id: int, action: str) -> HttpResponse:
    """Press a button of the list: move a field, archive or restore it; or of its page: add, rename, archive or delete a choice."""
    row, actor = _field(request, field_id), request.user
    of_list: dict[str, Callable[[], Any]] = {
        "up": lambda: setup.move_custom_field(field_id=row.pk, actor=actor, down=False),
        "down": lambda: setup.move_custom_field(field_id=row.pk, actor=actor, down=True),
        "archive": lambda: setup.archive_custom_field(field_id=row.pk, actor=actor),
        "restore": lambda: setup.restore_custom_field(field_id=row.pk, actor=actor),
    }
    if action in of_list:
        run_action(request, of_list[action])
        return redirect("brand_custom_fields", brand_id=row.brand_id)
    work = _choice_work(request, row, action)
    if work is None:
        raise Http404
    run_action(request, work)
    return redirect("custom_field", field_id=row.pk)


def _choice_work(request: UserRequest, row: CustomField, action: str) -> Callable[[], Any] | None:
    labels = {language: request.POST.get(f"label_{language}", "") for language in LANGUAGES}
    if action == "choice-add":
        return lambda: setup.add_custom_choice(field_id=row.pk, actor=request.user, labels=labels)
    number = request.POST.get("choice", "")
    choice = get_object_or_404(CustomChoice, field=row, pk=int(number) if is_whole(number) and len(number) < 18 else 0)
    works: dict[str, Callable[..., Any]] = {
        "choice-rename": partial(setup.rename_custom_choice, labels=labels),
        "choice-archive": partial(setup.archive_custom_choice, is_archived=True),
        "choice-restore": partial(setup.archive_custom_choice, is_archived=False),
        "choice-delete": setup.delete_custom_choice,
    }
    work = works.get(action)
    return None if work is None else lambda: work(choice_id=choice.pk, actor=request.user)


@staff_page("clients.change_client")
def client_custom_fields(request: UserRequest, client_id: int) -> HttpResponse:
    """Enter the custom fields of a record."""
    client = get_client(request.user, client_id)
    policies.require(policies.can(request.user, client, "clients.change_client"))
    fields = list(of_record(client, seen_by(request.user)))
    if not fields:
        raise Http404
    form = ValuesForm(request.POST or None, custom=fields, values=values_of(client))

    def save() -> Any:
        return set_custom_values(client_id=client.pk, actor=request.user, values=form.values())

    if request.method == "POST" and run_action(request, save, _("Saved."), form=form):
        return redirect(client)
    log_access(request.user, client, "clients.client:custom")
    context = {"form": form, "client": client}
    return render(request, "clients/custom_fields/values.html", context, status=422 if form.errors else 200)
