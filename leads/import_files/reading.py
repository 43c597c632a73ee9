"""Reading the lines of a file of leads: their values in canonical form, and what is wrong with each, by column."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from django.utils.translation import gettext as _

from clients.canonical import canonical_email, canonical_phone
from clients.countries import country_code
from clients.custom_fields.values import typed as typed_value
from clients.models import CustomField
from crm.conditions.fields import ADDED
from crm.errors import outcome_of
from crm.imports import Mapping as ColumnMapping
from crm.imports.reading import Cells
from leads.capture import clean_email
from leads.declared.declaration import NOTHING, Declaration, Reader, read_experience

LONGEST = {"first_name": 80, "last_name": 80, "source": 60, "campaign": 60, "message": 5000}
# What people call the columns, in the languages of their spreadsheets. Compared in lower case without punctuation.
NAMES: dict[str, str] = {
    "first_name": "firstname first given givenname forename vorname nombre prenom nome name1",
    "last_name": "lastname last surname family familyname nachname familienname apellido apellidos nom cognome",
    "full_name": "name fullname contact contactname kunde nombrecompleto",
    "email": "email mail emailaddress mailaddress emailadresse correo correoelectronico courriel",
    "phone": "phone phonenumber tel telephone telefon telefonnummer mobile mobilephone handy telefono movil cell",
    "country": "country countrycode land pais pays paese",
    "language": "language lang sprache idioma langue lingua",
    "source": "source quelle origen fuente",
    "campaign": "campaign campaigncode utmcampaign kampagne campana",
    "message": "message note notes comment comments bemerkung notiz kommentar nota comentario",
    "experience": "experience tradingexperience handelserfahrung experiencia",
    "intended_deposit": "intendeddeposit planneddeposit geplanteeinzahlung depositoprevisto",
    "intended_currency": "intendedcurrency depositcurrency einzahlungswährung",
    "consent": "consent optin marketingconsent einwilligung consentimiento",
}
BY_NAME = {name: column for column, names in NAMES.items() for name in [column.replace("_", ""), *names.split()]}
# Names that a custom field of a brand may have had first.
DECLARED_COLUMNS = ("experience", "intended_deposit", "intended_currency")
YES = {"1", "y", "yes", "true", "x", "ja", "j", "si", "sí", "oui", "wahr"}
LANGUAGE = re.compile(r"^[a-z]{2}(-[a-z]{2})?$")


@dataclass
class Row:
    """A line of the file in canonical form. `errors`: [{"column", "message"}]."""

    line: int
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    email_canonical: str = ""
    phone: str = ""
    country: str = ""
    language: str = ""
    source: str = ""
    campaign: str = ""
    message: str = ""
    consent: bool = False
    custom: dict[str, str] = field(default_factory=dict)
    declared: Declaration = NOTHING
    errors: list[dict[str, str]] = field(default_factory=list)

    def wrong(self, column: str, message: str) -> None:
        self.errors.append({"column": column, "message": message})


class CustomColumns:
    """Custom fields as columns of a file: found by key or by label in any language, where only one field has that name."""

    def __init__(self, fields: Iterable[CustomField]) -> None:
        self.fields = {str(row.pk): row for row in fields}
        self.keys = {row.key: pk for pk, row in self.fields.items()}
        labels = Counter(
            (name, pk) for pk, row in self.fields.items() for name in set(map(_plain, row.labels.values()))
        )
        several = Counter(name for name, _pk in labels)
        self.labels = {name: pk for name, pk in labels if name and several[name] == 1}

    def find(self, heading: str) -> str:
        """Return the column of a heading, empty where no field has this name."""
        found = self.keys.get(heading.strip().lower()) or self.labels.get(_plain(heading))
        return f"{ADDED}{found}" if found else ""

    def label(self, column: str) -> str:
        """Name a column for a reader: a custom field by its label."""
        return self.fields[column.removeprefix(ADDED)].label if column.startswith(ADDED) else column

    def read(self, row: Row, column: str, value: str) -> None:
        """Check a value by its field's type. What is stored is what was entered: it is read again when it is imported."""
        pk = column.removeprefix(ADDED)
        checked = outcome_of(partial(typed_value, self.fields[pk], value))
        if not checked:
            row.wrong(self.fields[pk].label, checked.message)
        elif checked.result is not None:
            row.custom[pk] = value


NO_CUSTOM = CustomColumns([])


def _plain(heading: str) -> str:
    return re.sub(r"[\W_]", "", heading.lower())


@dataclass(frozen=True)
class Defaults:
    country: str = ""
    language: str = ""
    source: str = ""
    campaign: str = ""


def column_of(heading: str, custom: CustomColumns) -> str:
    """Find our column of a heading: one of the built-in names, else a custom field's; empty for neither."""
    own = BY_NAME.get(re.sub(r"[^a-zà-ÿ]", "", heading.lower()), "")
    return custom.find(heading) or own if own in DECLARED_COLUMNS else own or custom.find(heading)


@dataclass(frozen=True)
class RowReader:
    """Reads lines for one brand: what holds for those that don't say it, its campaigns and custom fields."""

    defaults: Defaults
    campaigns: set[str]
    custom: CustomColumns = NO_CUSTOM
    declarations: Reader | None = None

    def read(self, cells: Cells, mapping: ColumnMapping, header: Sequence[str]) -> Row:
        """Read a line into canonical form, with everything that is wrong with it."""
        texts = dict(zip(header, cells.values, strict=False))
        typed = {name: source.text_in(texts).strip() for name, source in mapping.fields.items()}
        row = _read(cells.line, typed, self.defaults, self.campaigns, self.custom)
        # A line may end early: what isn't there is empty.
        if cells.problem and len(cells.values) >= len(header):
            row.wrong("", cells.problem)
        if self.declarations is not None:
            _read_declared(row, typed, self.declarations)
        return row


def _read(line: int, typed: dict[str, str], defaults: Defaults, campaigns: set[str], custom: CustomColumns) -> Row:
    row = Row(
        line, country=defaults.country, language=defaults.language, source=defaults.source, campaign=defaults.campaign
    )
    for name, most in LONGEST.items():
        if len(typed.get(name, "")) > most:
            row.wrong(name, _("Longer than %(most)s characters") % {"most": most})
            typed[name] = typed[name][:most]
    _read_name(row, typed)
    _read_places(row, typed)
    _read_contact(row, typed)
    row.message = typed.get("message", "")
    row.source = (typed.get("source") or row.source).lower()
    row.consent = typed.get("consent", "").lower() in YES
    code = typed.get("campaign", "").lower()
    if code and code not in campaigns:
        row.wrong("campaign", _("Unknown campaign “%(code)s”") % {"code": code})
    row.campaign = code or row.campaign
    for name, value in typed.items():
        if name.startswith(ADDED):
            custom.read(row, name, value)
    return row


def _read_declared(row: Row, typed: dict[str, str], declarations: Reader) -> None:
    given = [typed.get(name, "") for name in DECLARED_COLUMNS]
    if any(given):
        checked = outcome_of(partial(declarations.read, *given))
        if checked:
            row.declared = checked.result
        else:
            is_deposit = bool(outcome_of(partial(read_experience, given[0])))
            row.wrong("intended_deposit" if is_deposit else "experience", checked.message)


def _read_name(row: Row, typed: dict[str, str]) -> None:
    row.first_name, row.last_name = typed.get("first_name", ""), typed.get("last_name", "")
    if typed.get("full_name") and not (row.first_name or row.last_name):
        first, _space, last = typed["full_name"].rpartition(" ")
        row.first_name, row.last_name = (first, last)[:2] if first else (last, "")
        row.first_name, row.last_name = row.first_name[:80], row.last_name[:80]


def _read_places(row: Row, typed: dict[str, str]) -> None:
    country = typed.get("country", "")
    if country:
        row.country = country_code(country)
        if not row.country:
            row.wrong(
                "country", _("Unknown country “%(value)s”: use the two-letter code, e.g. DE") % {"value": country[:40]}
            )
    language = typed.get("language", "").lower().replace("_", "-")
    if language:
        if LANGUAGE.match(language):
            row.language = language
        else:
            row.wrong(
                "language",
                _("Unknown language “%(value)s”: use the two-letter code, e.g. de") % {"value": language[:40]},
            )


def _read_contact(row: Row, typed: dict[str, str]) -> None:
    email, phone = typed.get("email", ""), typed.get("phone", "")
    if email:
        row.email = clean_email(email)
        row.email_canonical = canonical_email(row.email)
        if not row.email:
            row.wrong("email", _("“%(value)s” isn't a valid e-mail address") % {"value": email[:60]})
    if phone:
        row.phone = canonical_phone(phone, row.country)
        if not row.phone:
            problem = (
                _("“%(value)s” isn't a valid phone number")
                if row.country
                else _("“%(value)s” isn't a valid phone number; the line has no country")
            )
            row.wrong("phone", problem % {"value": phone[:40]})
    if not email and not phone:
        row.wrong("email", _("E-mail address and phone number are missing"))
