"""The facts of a client that are edited in place on their page: which there are, how they read, who may change each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients import policies
from clients.countries import country_name
from clients.languages import language_name
from clients.models import Client
from crm.i18n import formats
from crm.models import User
from crm.ui.panels import Label


@dataclass(frozen=True)
class Fact:
    """One line of the details card. `fields` are those of the form that replaces it; `shown` writes its value."""

    slug: str
    label: Label
    fields: tuple[str, ...]
    shown: Callable[[Client], str]


@dataclass(frozen=True)
class FactLine:
    """A fact of one client for one reader. `locked`: why this person can't change it here, "" where they can't at all."""

    fact: Fact
    value: str
    is_editable: bool
    locked: str = ""


def _address(client: Client) -> str:
    town = f"{client.postal_code} {client.city}".strip()
    return ", ".join(filter(None, [client.address_line, town]))


FACTS: Final = {
    fact.slug: fact
    for fact in (
        Fact("name", gettext_lazy("Name"), ("first_name", "last_name"), lambda c: c.full_name),
        Fact("phone", gettext_lazy("Phone"), ("new_phone",), lambda c: c.phone),
        Fact("email", gettext_lazy("E-mail"), ("new_email",), lambda c: c.email),
        Fact("birth", gettext_lazy("Date of birth"), ("date_of_birth",), lambda c: _day(c)),
        Fact("nationality", gettext_lazy("Nationality"), ("nationality",), lambda c: country_name(c.nationality)),
        Fact("address", gettext_lazy("Address"), ("address_line", "postal_code", "city"), _address),
        Fact("country", gettext_lazy("Country"), ("country",), lambda c: country_name(c.country)),
        Fact("language", gettext_lazy("Language"), ("language",), lambda c: language_name(c.language)),
        Fact("zone", gettext_lazy("Time zone"), ("time_zone",), lambda c: c.time_zone.replace("_", " ")),
        Fact(
            "consent",
            gettext_lazy("Marketing consent"),
            ("marketing_consent",),
            lambda c: _("Given") if c.marketing_consent else _("Not given"),
        ),
    )
}


def _day(client: Client) -> str:
    return formats.day(client.date_of_birth) if client.date_of_birth else ""


def line_of(fact: Fact, client: Client, user: User) -> FactLine:
    """Describe one fact of a client for this reader; phone and e-mail are masked for those who see them so."""
    value = fact.shown(client)
    if not policies.sees_contacts(user):
        value = {"phone": formats.mask_phone, "email": formats.mask_email}.get(fact.slug, str)(value)
    decision = policies.can_change(user, client, fact.fields)
    is_listed = bool(policies.can(user, client, "clients.change_client"))
    return FactLine(fact, value, bool(decision), decision.reason if is_listed and not decision else "")


def lines_of(client: Client, user: User) -> list[FactLine]:
    """List all facts of a client for this reader, in their order; no query."""
    return [line_of(fact, client, user) for fact in FACTS.values()]
