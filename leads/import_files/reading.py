"""Reading a file of leads: encoding, separator, columns, and what is wrong with each line, by column."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from django.utils.translation import gettext as _

from clients.canonical import canonical_email, canonical_phone
from clients.countries import country_code
from clients.custom_fields.values import typed as typed_value
from clients.models import CustomField
from crm.conditions.fields import ADDED
from crm.errors import DomainError, outcome_of
from leads.capture import clean_email
from leads.declared.declaration import NOTHING, Declaration, Reader, read_experience
from leads.dedupe import DEFAULT, Person, Weights, first_of, folded, is_one, weigh

MOST_ROWS = 200_000
LONGEST = {"first_name": 80, "last_name": 80, "source": 60, "campaign": 60, "message": 5000}
SEPARATORS = ",;\t|"
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
    same_as_line: int | None = None

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


def decode(raw: bytes) -> str:
    """UTF-8 or UTF-16 by its mark, else UTF-8, else what Windows spreadsheets write. Raises DomainError for no text."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return raw.decode("utf-16")
        except UnicodeDecodeError as error:
            raise DomainError(_("The file is incomplete or damaged. Save it as CSV again.")) from error
    if b"\0" in raw[:4096]:
        raise DomainError(_("This isn't a text file. Save it as CSV and choose that file."))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def open_rows(text: str, custom: CustomColumns = NO_CUSTOM) -> tuple[Iterator[list[str]], list[str], list[str]]:
    """Return (lines after the header, our column of each place or "", columns of the file that we don't know).

    Raises DomainError without a header that names an e-mail or a telephone column.
    """
    first = text.lstrip("\ufeff").split("\n", 1)[0]
    separator = max(SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=separator)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise DomainError(_("Line %(line)s can't be read: %(error)s") % {"line": 1, "error": error}) from error
    columns = [column_of(name, custom) for name in header]
    if not {"email", "phone"} & set(columns):
        raise DomainError(
            _("The first line must contain the column names, including email or phone. Found: %(found)s")
            % {"found": ", ".join(header)[:200] or "–"}
        )
    twice = {column for column in columns if column and columns.count(column) > 1}
    if twice:
        names = ", ".join(sorted(map(custom.label, twice)))
        raise DomainError(_("Two columns have the same meaning: %(columns)s") % {"columns": names})
    unknown = [name for name, column in zip(header, columns, strict=True) if not column]
    return reader, columns, unknown


def read_rows(
    text: str,
    defaults: Defaults,
    campaigns: set[str],
    custom: CustomColumns = NO_CUSTOM,
    weights: Weights = DEFAULT,
    declarations: Reader | None = None,
) -> Iterator[Row]:
    """Read every line with something in it, in canonical form, with its errors and whether an earlier line is the same person."""
    lines, columns, _unknown = open_rows(text, custom)
    people = _Seen(weights)
    count = 0
    while True:
        try:
            values = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            raise DomainError(
                _("Line %(line)s can't be read: %(error)s") % {"line": lines.line_num, "error": error}  # type: ignore[attr-defined]
            ) from error
        line = lines.line_num  # type: ignore[attr-defined]
        if not any(value.strip() for value in values):
            continue
        count += 1
        if count > MOST_ROWS:
            raise DomainError(
                _("The file has more than %(most)s lines. Split it into smaller files.") % {"most": f"{MOST_ROWS:,}"}
            )
        row, typed = _read(line, values, columns, defaults, campaigns, custom)
        if declarations is not None:
            _read_declared(row, typed, declarations)
        if not row.errors:
            row.same_as_line = people.earlier(row)
        yield row


class _Seen:
    """Which people earlier lines were: the same weights as for clients (leads.dedupe)."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.mailboxes: dict[str, int] = {}
        self.phones: dict[str, list[tuple[int, Person]]] = {}

    def earlier(self, row: Row) -> int | None:
        """Find the earlier line of the same person; None, and remember this line, where there is none."""
        line_before = self.mailboxes.get(row.email_canonical) if row.email_canonical else None
        who = Person("", row.phone, row.country, folded(row.last_name), first_of(row.first_name))
        if line_before is None and row.phone:
            others = self.phones.get(row.phone, ())
            line_before = next((line for line, other in others if self._is_one(who, other)), None)
        if line_before is None:
            if row.email_canonical:
                self.mailboxes[row.email_canonical] = row.line
            if row.phone:
                self.phones.setdefault(row.phone, []).append((row.line, who))
        return line_before

    def _is_one(self, who: Person, other: Person) -> bool:
        return is_one(*weigh(who, other, self.weights), self.weights.threshold)


def _read(
    line: int, values: list[str], columns: list[str], defaults: Defaults, campaigns: set[str], custom: CustomColumns
) -> tuple[Row, dict[str, str]]:
    row = Row(
        line, country=defaults.country, language=defaults.language, source=defaults.source, campaign=defaults.campaign
    )
    if len(values) > len(columns):
        row.wrong("", _("More values than columns. Put values that contain the separator in quotes."))
    typed = {column: value.strip() for column, value in zip(columns, values, strict=False) if column}
    for name, value in typed.items():
        if "\0" in value:
            row.wrong(custom.label(name), _("Contains an invalid character (NUL)"))
            typed[name] = value.replace("\0", " ").strip()
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
    return row, typed


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
