"""Forms of legal entities, brands, desks and books. `sections`: headings with the fields below them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from crm.choices import Jurisdiction
from crm.i18n.territories import sorted_countries
from crm.models import Book, Brand, Desk, LegalEntity, User
from crm.staff import company
from crm.staff.blockers import blocker_of
from crm.staff.books import BookDetails, owners_for
from crm.staff.brands import CURRENCIES, BrandDetails
from crm.staff.desks import DeskDetails
from crm.staff.entities import EntityDetails
from crm.staff.forms import language_choices, time_zone_choices
from crm.ui.forms import ModelChoiceField

WARNING_MAX = 2_000
CURRENCY_CHOICES = [(code, code) for code in CURRENCIES]


class SetUpForm(forms.Form):
    sections: list[tuple[Any, list[str]]] = []

    def laid_out(self) -> Iterator[tuple[Any, list[BoundField]]]:
        """Yield each section's heading and its fields; those that this form left out are missing."""
        for heading, names in self.sections:
            yield heading, [self[name] for name in names if name in self.fields]


class EntityForm(SetUpForm):
    name = forms.CharField(label=_("Registered name"), max_length=160, help_text=_("As in the companies register."))
    registration_number = forms.CharField(label=_("Registration number"), max_length=60, required=False)
    address = forms.CharField(label=_("Registered address"), max_length=300, required=False)
    jurisdiction = forms.ChoiceField(
        label=_("Jurisdiction"),
        choices=Jurisdiction.choices,
        help_text=_("The regulator decides which leverage caps and reports apply."),
    )
    licence_number = forms.CharField(label=_("Licence number"), max_length=60, required=False)
    sections = [
        (_("Company"), ["name", "registration_number", "address"]),
        (_("Licence"), ["jurisdiction", "licence_number"]),
    ]

    def details(self) -> EntityDetails:
        return EntityDetails(**self.cleaned_data)


class BrandForm(SetUpForm):
    code = forms.SlugField(
        label=_("Code"),
        max_length=20,
        help_text=_("Part of the address of the client portal. It can't be changed later."),
    )
    name = forms.CharField(label=_("Name"), max_length=80)
    legal_entity = forms.ModelChoiceField(
        LegalEntity.objects.none(),
        label=_("Legal entity"),
        help_text=_("Its name and licence are printed on the brand's pages and documents."),
    )
    support_email = forms.EmailField(label=_("Support e-mail"), help_text=_("Clients' replies go to this address."))
    sender_email = forms.EmailField(
        label=_("Sender of e-mails"),
        required=False,
        help_text=_(
            "Leave empty to send from the installation's address. Your mail server must be allowed to send for the domain"
            " (SPF, DKIM)."
        ),
    )
    base_currency = forms.ChoiceField(label=_("Base currency"), choices=CURRENCY_CHOICES, initial="EUR")
    currencies = forms.MultipleChoiceField(
        label=_("Currencies offered"), choices=CURRENCY_CHOICES, required=False, help_text=_("Leave empty for any.")
    )
    languages = forms.MultipleChoiceField(label=_("Languages"), choices=language_choices, initial=["en"])
    default_language = forms.ChoiceField(
        label=_("Default language"), choices=settings.LANGUAGES, initial=settings.LANGUAGE_CODE
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=time_zone_choices, initial="UTC")
    loss_percentage = forms.IntegerField(
        label=_("Losing accounts in %"),
        min_value=0,
        max_value=100,
        required=False,
        help_text=_(
            "The share of retail accounts that lose money, as you publish it. It's filled into the risk warning, whose text is"
            " among the brand's texts."
        ),
    )

    def __init__(self, *args: Any, actor: User, brand: Brand | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.brand = brand
        entities = company.entities_to_set_up(actor)
        own = [brand.legal_entity_id] if brand and brand.legal_entity_id else []
        open_ones = entities.filter(archived_at=None) | entities.filter(pk__in=own)
        self.fields["legal_entity"].queryset = open_ones.order_by("name")  # type: ignore[attr-defined]
        self.sections = [
            (_("Brand"), ["name", "code", "legal_entity"]),
            (_("Contact"), ["support_email", "sender_email"]),
            (
                _("Currencies and languages"),
                ["base_currency", "currencies", "languages", "default_language", "time_zone"],
            ),
            (_("Risk warning"), ["loss_percentage"]),
        ]
        if brand is None:
            return
        del self.fields["code"]
        self.initial = {**_initial_of(brand), **self.initial}
        if blocker := blocker_of(brand, "base_currency"):
            self.fields["base_currency"].disabled = True
            self.fields["base_currency"].help_text = blocker

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        base, offered = data.get("base_currency"), data.get("currencies")
        if offered and base not in offered:
            self.add_error("currencies", _now("The base currency must be among the currencies offered."))
        return data

    def details(self) -> BrandDetails:
        data = dict(self.cleaned_data)
        data.pop("code", None)
        return BrandDetails(**data)


def _initial_of(brand: Brand) -> dict[str, Any]:
    names = (
        *("name", "legal_entity", "support_email", "sender_email", "base_currency", "currencies", "languages"),
        *("default_language", "time_zone", "loss_percentage"),
    )
    return {name: getattr(brand, name) for name in names}


class DeskForm(SetUpForm):
    brand = forms.ModelChoiceField(Brand.objects.none(), label=_("Brand"), empty_label=None)
    name = forms.CharField(label=_("Name"), max_length=80)
    languages = forms.MultipleChoiceField(
        label=_("Languages"), choices=language_choices, help_text=_("Leads are routed by language.")
    )
    countries = forms.MultipleChoiceField(
        label=_("Countries"),
        choices=lambda: list(sorted_countries()),
        required=False,
        help_text=_("Leave empty for any country."),
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=time_zone_choices, initial="UTC")
    sections = [(_("Desk"), ["brand", "name"]), (_("Serves"), ["languages", "countries", "time_zone"])]

    def __init__(self, *args: Any, actor: User, desk: Desk | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if desk is None:
            self.fields["brand"].queryset = _open_brands(actor)  # type: ignore[attr-defined]
            return
        del self.fields["brand"]
        names = ("name", "languages", "countries", "time_zone")
        self.initial = {**{name: getattr(desk, name) for name in names}, **self.initial}

    def details(self) -> DeskDetails:
        return DeskDetails(**{name: value for name, value in self.cleaned_data.items() if name != "brand"})


class DeskChoice(ModelChoiceField[Desk]):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.brand.name} · {obj.name}"


class BookForm(SetUpForm):
    brand = forms.ModelChoiceField(Brand.objects.none(), label=_("Brand"), empty_label=None)
    name = forms.CharField(label=_("Name"), max_length=80)
    desk = DeskChoice(Desk.objects.none(), label=_("Desk"), required=False, empty_label=_("No desk"))
    owner = forms.ModelChoiceField(
        User.objects.none(),
        label=_("Owner"),
        required=False,
        empty_label=_("No owner"),
        help_text=_("Only people with access to this book, its desk or its brand."),
    )
    is_pool = forms.BooleanField(
        label=_("Pool for new leads"), required=False, help_text=_("Leads without an agent wait here.")
    )
    sections = [(_("Book"), ["brand", "name", "desk", "owner", "is_pool"])]

    def __init__(self, *args: Any, actor: User, book: Book | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        desks = company.desks_to_set_up(actor).select_related("brand").order_by("brand__name", "name")
        if book is None:
            self.fields["brand"].queryset = _open_brands(actor)  # type: ignore[attr-defined]
            self.fields["desk"].queryset = desks.filter(archived_at=None, brand__archived_at=None)  # type: ignore[attr-defined]
            del self.fields["owner"]  # nobody was granted access to it yet
            return
        del self.fields["brand"]
        of_brand = desks.filter(brand=book.brand_id)
        self.fields["desk"].queryset = of_brand.filter(archived_at=None) | of_brand.filter(pk=book.desk_id)  # type: ignore[attr-defined,misc]
        owners = owners_for(brand_id=book.brand_id, desk_id=book.desk_id, book_id=book.pk)
        self.fields["owner"].queryset = owners | User.objects.filter(pk=book.owner_id)  # type: ignore[attr-defined,misc]
        if blocker := blocker_of(book, "owner"):
            self.fields["owner"].disabled = True
            self.fields["owner"].help_text = blocker
        names = ("name", "desk", "owner", "is_pool")
        self.initial = {**{name: getattr(book, name) for name in names}, **self.initial}

    def details(self) -> BookDetails:
        return BookDetails(**{name: value for name, value in self.cleaned_data.items() if name != "brand"})


def _open_brands(actor: User) -> Any:
    return company.brands_to_set_up(actor).filter(archived_at=None).order_by("name")
