"""Reading what other systems say of people into the spelling that is stored here."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from clients.canonical import canonical_phone
from clients.countries import country_code
from crm.errors import DomainError
from crm.imports import Staged
from crm.imports.fields import Formats

LANGUAGE = re.compile(r"[a-z]{2}(-[a-z]{2})?")
NAME_CHARS_MAX = 80


def read_email(value: str, formats: Formats) -> str:
    """Read an e-mail address in lower case. Raises DomainError for what is none."""
    value = value.lower()
    try:
        validate_email(value)
    except ValidationError:
        raise DomainError(_("“%(value)s” isn't a valid e-mail address") % {"value": value[:60]})
    return value


def read_country(value: str, formats: Formats) -> str:
    """Read a country by its code or its name in some languages. Raises DomainError."""
    code = country_code(value)
    if not code:
        raise DomainError(_("Unknown country “%(value)s”: use the two-letter code, e.g. DE") % {"value": value[:40]})
    return code


def read_language(value: str, formats: Formats) -> str:
    """Read a language by its code. Raises DomainError."""
    code = value.lower().replace("_", "-")
    if not LANGUAGE.fullmatch(code):
        raise DomainError(_("Unknown language “%(value)s”: use the two-letter code, e.g. de") % {"value": value[:40]})
    return code


def settle_name(row: Staged) -> None:
    """Split a full name where first and last name have no column of their own."""
    full = row.values.pop("full_name", "")
    if full and not (row.values.get("first_name") or row.values.get("last_name")):
        first, _space, last = full.rpartition(" ")
        row.values["first_name"], row.values["last_name"] = (first, last) if first else (last, "")
    if any(len(row.values.get(name, "")) > NAME_CHARS_MAX for name in ("first_name", "last_name")):
        row.refuse("", _("Longer than %(most)s characters") % {"most": NAME_CHARS_MAX})


def settle_phone(row: Staged) -> None:
    """Write the phone number in E.164, by the country of the row where it has no prefix."""
    typed = row.values.get("phone", "")
    if not typed:
        return
    row.values["phone"] = canonical_phone(typed, row.values.get("country", ""))
    if not row.values["phone"]:
        problem = (
            _("“%(value)s” isn't a valid phone number")
            if row.values.get("country")
            else _("“%(value)s” isn't a valid phone number; the row has no country")
        )
        row.refuse("phone", problem % {"value": typed[:40]})
