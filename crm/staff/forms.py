"""Forms of staff management. Choices are narrowed to what the asking administrator reaches."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.choices import GrantKind, Role
from crm.i18n.languages import variant_of
from crm.i18n.territories import sorted_countries
from crm.i18n.time_zones import zones_of_places
from crm.models import Book, Brand, Desk, User
from crm.security.scope import reach_of

BOOKS_OFFERED = 500


def reachable_brands(actor: User) -> QuerySet[Brand]:
    """Offer the open brands that the actor reaches; a superuser reaches all."""
    brands = Brand.objects.filter(archived_at=None)
    return brands.filter(pk__in=reach_of(actor).brands) if not actor.is_superuser else brands


def reachable_desks(actor: User) -> QuerySet[Desk]:
    """Offer the open desks of the brands that the actor reaches; a superuser reaches all."""
    reach = reach_of(actor)
    desks = Desk.objects.filter(archived_at=None).select_related("brand")
    return desks.filter(brand_id__in=reach.brands) if not actor.is_superuser else desks


def language_choices() -> list[tuple[str, str]]:
    """List languages that desks and agents speak: the common ones of the trade, by their own names."""
    from django.conf.locale import LANG_INFO

    codes = (
        "en",
        "de",
        "es",
        "fr",
        "it",
        "pt",
        "nl",
        "pl",
        "cs",
        "sk",
        "hu",
        "ro",
        "bg",
        "el",
        "tr",
        "ru",
        "uk",
        "ar",
        "fa",
        "he",
        "hi",
        "th",
        "vi",
        "id",
        "ja",
        "ko",
        "sv",
        "da",
        "nb",
        "fi",
    )
    return [(code, LANG_INFO[code]["name_local"].capitalize()) for code in codes if code in LANG_INFO]


def time_zone_choices() -> list[tuple[str, str]]:
    """List the time zones by continent and city, UTC first."""
    return [("UTC", "UTC"), *[(zone, zone) for zone in zones_of_places()]]


class ParticularsForm(forms.Form):
    """What an administrator changes on somebody's record."""

    first_name = forms.CharField(label=_("First name"), max_length=150)
    last_name = forms.CharField(label=_("Last name"), max_length=150)
    desk = forms.ModelChoiceField(Desk.objects.none(), label=_("Desk"), required=False, empty_label=_("No desk"))
    languages = forms.MultipleChoiceField(
        label=_("Languages"), choices=language_choices, required=False, help_text=_("Leads are routed by language.")
    )
    countries = forms.MultipleChoiceField(
        label=_("Countries"),
        choices=lambda: list(sorted_countries()),
        required=False,
        help_text=_("Leave empty for any country."),
    )
    language = forms.ChoiceField(
        label=_("Interface language"), choices=settings.LANGUAGES, initial=settings.LANGUAGE_CODE
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), initial="UTC")
    is_accepting_leads = forms.BooleanField(label=_("Receives new leads"), required=False)
    lead_capacity_per_day = forms.IntegerField(
        label=_("Maximum new leads per day"), min_value=0, max_value=1000, initial=40
    )

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if stored := self.initial.get("language"):
            self.initial["language"] = variant_of(stored) or settings.LANGUAGE_CODE
        self.actor = actor
        self.fields["desk"].queryset = reachable_desks(actor)  # type: ignore[attr-defined]
        self.fields["time_zone"].choices = time_zone_choices()  # type: ignore[attr-defined]


class InviteForm(ParticularsForm):
    """A new member of staff, with the roles and the reach to ask a second administrator for."""

    email = forms.EmailField(label=_("E-mail"), help_text=_("Used to sign in. The invitation is sent to this address."))
    brand = forms.ModelChoiceField(Brand.objects.none(), label=_("Brand"))
    roles = forms.MultipleChoiceField(
        label=_("Roles"), choices=Role.choices, widget=forms.CheckboxSelectMultiple, required=False
    )
    reach = forms.ChoiceField(
        label=_("Access"),
        required=False,
        choices=[("", _("No access yet")), ("brand", _("The whole brand")), ("desk", _("The desk"))],
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=300, help_text=_("Shown to the administrator who decides on roles and access.")
    )
    field_order = [
        "email",
        "first_name",
        "last_name",
        "brand",
        "desk",
        "roles",
        "reach",
        "reason",
        "languages",
        "countries",
        "language",
        "time_zone",
        "is_accepting_leads",
        "lead_capacity_per_day",
    ]

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, actor=actor, **kwargs)
        self.fields["brand"].queryset = reachable_brands(actor)  # type: ignore[attr-defined]
        self.fields["brand"].initial = actor.brand_id

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].strip().lower()
        if User.objects.filter(username=email).exists():
            raise forms.ValidationError(_("An account with this e-mail already exists."))
        return email

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        desk, brand = cleaned.get("desk"), cleaned.get("brand")
        if desk and brand and desk.brand_id != brand.pk:
            self.add_error("desk", _("This desk belongs to another brand."))
        if cleaned.get("reach") == "desk" and not desk:
            self.add_error("reach", _("Choose a desk first."))
        return cleaned


class GrantForm(forms.Form):
    """One role, brand, desk or book to ask for. `what` is kind and id, e.g. "desk:3" or "role:agent"."""

    what = forms.ChoiceField(label=_("Role or access"))
    reason = forms.CharField(label=_("Reason"), max_length=300)

    def __init__(self, *args: Any, actor: User, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reach = reach_of(actor)
        books = Book.objects.filter(pk__in=list(reach.books)[:BOOKS_OFFERED], archived_at=None).order_by("name")
        desks = Desk.objects.filter(pk__in=reach.desks, archived_at=None).select_related("brand")
        held = set(user.groups.values_list("name", flat=True))
        self.fields["what"].choices = [  # type: ignore[attr-defined]
            (_("Roles"), [(f"role:{value}", label) for value, label in Role.choices if value not in held]),
            (
                _("Brands"),
                [(f"brand:{item.pk}", item.name) for item in Brand.objects.filter(pk__in=reach.whole_brands)],
            ),
            (_("Desks"), [(f"desk:{item.pk}", f"{item.brand} · {item.name}") for item in desks]),
            (_("Books"), [(f"book:{item.pk}", item.name) for item in books]),
        ]

    def thing(self) -> Role | Brand | Desk | Book:
        kind, _colon, key = self.cleaned_data["what"].partition(":")
        if kind == GrantKind.ROLE:
            return Role(key)
        models: dict[GrantKind, type[Brand] | type[Desk] | type[Book]]
        models = {GrantKind.BRAND: Brand, GrantKind.DESK: Desk, GrantKind.BOOK: Book}
        return models[GrantKind(kind)].objects.get(pk=int(key))


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.TextInput(attrs={"autocomplete": "off"}))
