"""Forms of a company, its people and its shares: the same for the client and for staff."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clients.countries import country_choices
from clients.models import Client
from crm.ui.forms import DayInput
from kyc.corporate.companies import CompanyDetails
from kyc.corporate.people import ROLES, PersonDetails
from kyc.corporate.structure import Structure
from kyc.models.corporate import DEPTH_MAX, Company


def _countries() -> list[tuple[str, str]]:
    return [("", gettext("Choose a country")), *country_choices()]


class CompanyForm(forms.Form):
    """What a company is, as its register extract shows it."""

    name = forms.CharField(
        label=_("Company name"), max_length=80, widget=forms.TextInput({"autocomplete": "organization"})
    )
    legal_form = forms.CharField(label=_("Legal form"), max_length=60, help_text=_("For example GmbH, Ltd or S.L."))
    registration_number = forms.CharField(label=_("Registration number"), max_length=40)
    country = forms.ChoiceField(label=_("Country of incorporation"), choices=_countries)
    incorporated_on = forms.DateField(label=_("Incorporated on"), required=False, widget=DayInput())
    lei = forms.CharField(
        label="LEI", max_length=24, required=False, help_text=_("20 characters, if the company has one.")
    )
    registered_address = forms.CharField(label=_("Registered address"), max_length=240)
    trading_address = forms.CharField(
        label=_("Trading address"),
        max_length=240,
        required=False,
        help_text=_("If it differs from the registered address."),
    )
    activity = forms.CharField(
        label=_("Business activity"), max_length=300, help_text=_("What the company does, in one sentence.")
    )

    def __init__(self, data: Any = None, *, company: Company | None = None) -> None:
        names = CompanyDetails.__dataclass_fields__
        super().__init__(data, initial={name: getattr(company, name) for name in names} if company else None)

    @property
    def details(self) -> CompanyDetails:
        return CompanyDetails(**self.cleaned_data)


class PersonForm(forms.Form):
    """A person as their identity document shows them, and what they are at the company."""

    first_name = forms.CharField(label=_("First name"), max_length=80)
    last_name = forms.CharField(label=_("Last name"), max_length=80)
    date_of_birth = forms.DateField(label=_("Date of birth"), widget=DayInput())
    nationality = forms.ChoiceField(label=_("Citizenship"), choices=_countries)
    country = forms.ChoiceField(label=_("Country of residence"), choices=_countries)
    address_line = forms.CharField(label=_("Address"), max_length=160, required=False)
    city = forms.CharField(label=_("City"), max_length=80, required=False)
    postal_code = forms.CharField(label=_("Postal code"), max_length=20, required=False)
    is_director = forms.BooleanField(label=_("Director"), required=False)
    is_signatory = forms.BooleanField(label=_("Authorised signatory"), required=False)
    is_managing_official = forms.BooleanField(
        label=_("Senior managing official"),
        required=False,
        help_text=_("Only where no one holds 25 % or more, directly or through others."),
    )

    def __init__(self, data: Any = None, *, person: Client | None = None, link: Any = None) -> None:
        start = {name: getattr(person, name) for name in PersonDetails.__dataclass_fields__} if person else {}
        super().__init__(data, initial={**start, **({name: getattr(link, name) for name in ROLES} if link else {})})

    @property
    def details(self) -> PersonDetails:
        return PersonDetails(**{name: self.cleaned_data[name] for name in PersonDetails.__dataclass_fields__})

    @property
    def roles(self) -> dict[str, bool]:
        return {name: self.cleaned_data[name] for name in ROLES}


OF_THE_COMPANY: Final = ""


class HoldingForm(forms.Form):
    """A share, of the company or of an entity of its tree; held by one of its people, or by another entity."""

    parent = forms.ChoiceField(label=_("Share of"), required=False)
    person = forms.ChoiceField(label=_("Held by"), required=False)
    entity_name = forms.CharField(label=_("Name of the company"), max_length=80, required=False)
    entity_number = forms.CharField(label=_("Its registration number"), max_length=40, required=False)
    entity_country = forms.ChoiceField(label=_("Its country"), choices=_countries, required=False)
    share = forms.DecimalField(label=_("Share in %"), min_value=0, max_value=100, max_digits=5, decimal_places=2)

    def __init__(self, data: Any = None, *, structure: Structure) -> None:
        super().__init__(data)
        entities = [
            (str(node.holding.pk), node.name)
            for node in structure.nodes()
            if not node.is_person and node.holding.depth < DEPTH_MAX
        ]
        self.fields["parent"].choices = [(OF_THE_COMPANY, str(structure.company)), *entities]  # type: ignore[attr-defined]
        people = [(str(one.link.pk), str(one.person)) for one in structure.people]
        self.fields["person"].choices = [*people, ("", gettext("Another company"))]  # type: ignore[attr-defined]

    @property
    def values(self) -> dict[str, Any]:
        entered = self.cleaned_data
        return {
            "share": entered["share"],
            "parent_id": int(entered["parent"]) if entered["parent"] else None,
            "link_id": int(entered["person"]) if entered["person"] else None,
            "entity": ("", "", "")
            if entered["person"]
            else (entered["entity_name"], entered["entity_number"], entered["entity_country"]),
        }
