"""What the pages of a company share: its structure for a template, and the three forms with what each does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _

from clients.models import Client
from crm.ui.actions import run_action
from crm.web.requests import UserRequest
from kyc.corporate.companies import change_company, register_company
from kyc.corporate.forms import CompanyForm, HoldingForm, PersonForm
from kyc.corporate.ownership import add_holding, remove_holding
from kyc.corporate.people import add_person, change_person, remove_person
from kyc.corporate.structure import Structure, structure_of
from kyc.models import Company, CompanyPerson

Field = Callable[[Any], str | None]


def company_of(client: Client) -> Company | None:
    """Find the company that a client is; None for a person."""
    return Company.objects.select_related("client__brand").filter(client=client).first()


def structure_for(client: Client) -> Structure:
    """Read a company's structure. Raises: Http404 for a client who is none."""
    company = company_of(client)
    if company is None:
        raise Http404
    return structure_of(company)


def link_of(client: Client, link_id: int) -> CompanyPerson:
    """Find one of a company's people. Raises: Http404."""
    link = CompanyPerson.objects.select_related("person__brand").filter(pk=link_id, company_id=client.pk, left_at=None)
    found = link.first()
    if found is None:
        raise Http404
    return found


def save_company(request: UserRequest, client: Client) -> tuple[CompanyForm, bool]:
    """Register a client as a company, or change its details: the form, and whether it was done."""
    company = company_of(client)
    form = CompanyForm(request.POST or None, company=company)
    verb = change_company if company else register_company
    done = run_action(
        request,
        lambda: verb(client_id=client.pk, details=form.details, actor=request.user),
        _("Saved."),
        form=form,
        field=_field_of(form),
        show_forbidden=True,
    )
    return form, bool(done)


def save_person(request: UserRequest, client: Client, link: CompanyPerson | None) -> tuple[PersonForm, bool]:
    """Add a person, or change one."""
    form = PersonForm(request.POST or None, person=link.person if link else None, link=link)

    def save() -> CompanyPerson:
        given: dict[str, Any] = {"client_id": client.pk, "details": form.details, "actor": request.user, **form.roles}
        return change_person(link_id=link.pk, **given) if link else add_person(**given)

    done = run_action(request, save, _("Saved."), form=form, field=_field_of(form), show_forbidden=True)
    return form, bool(done)


def save_holding(request: UserRequest, client: Client, structure: Structure) -> tuple[HoldingForm, bool]:
    """Add a share."""
    form = HoldingForm(request.POST or None, structure=structure)
    done = run_action(
        request,
        lambda: add_holding(client_id=client.pk, actor=request.user, **form.values),
        _("Saved."),
        form=form,
        field=_field_of(form),
        show_forbidden=True,
    )
    return form, bool(done)


def drop_person(request: UserRequest, client: Client, link_id: int) -> None:
    """Remove a person from a company."""
    link = link_of(client, link_id)
    run_action(
        request,
        lambda: remove_person(client_id=client.pk, link_id=link.pk, actor=request.user),
        _("Removed."),
        show_forbidden=True,
    )


def drop_holding(request: UserRequest, client: Client, holding_id: int) -> None:
    """Remove a share."""
    if not client.company.shareholdings.filter(pk=holding_id).exists():
        raise Http404
    run_action(
        request,
        lambda: remove_holding(client_id=client.pk, holding_id=holding_id, actor=request.user),
        _("Removed."),
        show_forbidden=True,
    )


def _field_of(form: Any) -> Field:
    """Put an error at the field that its code names."""
    return lambda error: error.code if error.code in form.fields else None
