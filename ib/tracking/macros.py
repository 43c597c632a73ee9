"""Macros of a postback's address: `{click_id}` and others, replaced by what a client's step is about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.errors import DomainError
from crm.outside.destinations import require_public_url

MACRO: Final = re.compile(r"\{([^{}]*)\}")
# What stands in a test for each macro.
MACROS: Final[Mapping[str, tuple[Promise, str]]] = {
    "click_id": (gettext_lazy("Your click id, as it was in the link's address"), "test-click"),
    "sub_id": (gettext_lazy("Your sub-id"), "test"),
    "event": (gettext_lazy("The step: registration, kyc_approved, ftd or active"), "registration"),
    "event_id": (gettext_lazy("Its own id, the same each time it is sent"), "test-1"),
    "customer": (gettext_lazy("A number that stands for the client"), "1"),
    "country": (gettext_lazy("The client's country code, such as DE"), "DE"),
    "link": (gettext_lazy("The code of your link"), "test-link"),
    "campaign": (gettext_lazy("The campaign of your link"), "Test"),
    "timestamp": (gettext_lazy("When it happened, in seconds since 1970"), "1767225600"),
}
# A lead source's: it knows leads by the ids that the API answered with, and has no links.
SOURCE_MACROS: Final[Mapping[str, tuple[Promise, str]]] = {
    **{name: MACROS[name] for name in ("click_id", "sub_id", "event_id", "country", "timestamp")},
    "event": (gettext_lazy("The step: lead, registration, kyc_approved, ftd or active"), "lead"),
    "lead_id": (gettext_lazy("The lead's id, as the API answered"), "1"),
    "campaign": (gettext_lazy("The lead's campaign"), "test"),
}


def fill(url: str, values: Mapping[str, object]) -> str:
    """Replace the macros of an address by their values, percent-encoded; one without a value becomes empty."""
    return MACRO.sub(lambda match: quote(str(values.get(match[1], "")), safe=""), url)


def sample(event: str, macros: Mapping[str, tuple[Promise, str]] = MACROS) -> dict[str, str]:
    """List the values of a test."""
    return {name: example for name, (_label, example) in macros.items()} | {"event": event}


def check_url(url: str, macros: Mapping[str, tuple[Promise, str]] = MACROS) -> str:
    """Check an address with macros and return it: public, https, known macros only, none of them in the host.

    Raises: DomainError in words for the form.
    """
    url = url.strip()
    unknown = sorted({name for name in MACRO.findall(url) if name not in macros})
    if unknown:
        raise DomainError(_("Unknown macro: %(names)s.") % {"names": ", ".join(f"{{{name}}}" for name in unknown)})
    if any(not sign.isprintable() or sign.isspace() for sign in url):
        raise DomainError(_("The address can't contain spaces or control characters."))
    try:
        host = urlsplit(url).netloc
    except ValueError:
        host = ""
    if "{" in host or "}" in host:
        raise DomainError(_("Macros can't be part of the host name."))
    require_public_url(fill(url, sample("registration", macros)))
    return url
