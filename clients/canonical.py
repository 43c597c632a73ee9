"""One spelling for one e-mail address and one phone number, so that the same person is recognised."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import phonenumbers

GOOGLE_HOSTS = ("gmail.com", "googlemail.com")


def canonical_email(email: str) -> str:
    """Normalise an e-mail address: lower case, no `+tag`, and no dots at Google, which ignores them.

    PostgreSQL computes `Client.email_canonical` by the same rule (`clients.models.client.EMAIL_CANONICAL`); a property
    test holds the two together.
    """
    email = email.lower()
    local, _at, rest = email.partition("@")
    host = rest.partition("@")[0]
    bare = local.partition("+")[0]
    if not bare:
        return email
    if host in GOOGLE_HOSTS:
        return f"{bare.replace('.', '')}@gmail.com"
    return f"{bare}@{host}"


def parse_phone(raw: str, country: str = "") -> phonenumbers.PhoneNumber | None:
    """Parse a phone number as a person typed it, as `country`'s where it has no prefix; None when it isn't valid."""
    import phonenumbers

    text = raw.strip()
    if not text:
        return None
    if text.startswith("00"):
        text = f"+{text[2:]}"
    try:
        number = phonenumbers.parse(text, country.upper() or None)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None


def canonical_phone(raw: str, country: str = "") -> str:
    """Write a phone number in E.164, e.g. `+4915112345678`; empty when it is no valid number."""
    import phonenumbers

    number = parse_phone(raw, country)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if number else ""


@lru_cache(maxsize=8192)
def country_of_phone(e164: str) -> str:
    """Find the ISO country of a valid number in E.164; "" where several share it or it is unknown."""
    import phonenumbers

    # Most calling codes are one country's: its numbers aren't parsed again, a tenth of what a line of a lead file took.
    codes = (int(e164[1:end]) for end in (2, 3, 4) if e164[1:end].isdecimal())
    regions = next((known for code in codes if (known := phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code))), ())
    if len(regions) == 1 and regions[0].isalpha():
        return regions[0]
    number = parse_phone(e164)
    return (phonenumbers.region_code_for_number(number) or "") if number else ""
