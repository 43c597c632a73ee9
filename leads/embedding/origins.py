"""Which sites may show a brand's enquiry forms in a frame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.brand_policies import Lines, Policy, PolicyArea, declare
from crm.brand_policies.kinds import HOST
from crm.errors import DomainError
from crm.money.numbers import is_whole

# They are all sent with each form, in one header.
ORIGINS_MAX: Final = 20
HIGHEST_PORT: Final = 65_535


class Origins(Lines):
    """Origins of the web, by https alone: a frame in an unprotected page could be exchanged on the way."""

    hint = gettext_lazy("One address a line, without a path, such as https://www.example.com.")

    def clean(self, given: Iterable[str]) -> list[str]:
        origins = super().clean(given)
        if len(origins) > ORIGINS_MAX:
            raise DomainError(_("Enter at most %(count)s lines.") % {"count": ORIGINS_MAX})
        return origins

    def clean_line(self, text: str) -> str:
        scheme, _separator, rest = text.lower().rpartition("://")
        host, colon, port = rest.removesuffix("/").partition(":")
        if scheme not in ("https", "") or len(host) > 253 or not HOST.fullmatch(host):
            raise ValueError(text)
        if colon and not (len(port) <= 5 and is_whole(port) and 0 < int(port) <= HIGHEST_PORT):
            raise ValueError(text)
        return f"https://{host}{colon}{int(port) if port else ''}"


LEAD_FORM_ORIGINS = declare(
    Policy(
        "lead_form_origins",
        PolicyArea.LEADS,
        gettext_lazy("Sites that may show the landing pages’ forms"),
        Origins(),
        [],
        gettext_lazy(
            "Only the form is shown in a frame there, by the code at “Embed” in the list of landing pages. No other page of "
            "Keelson can be framed. Without a site, no form can be embedded."
        ),
        needs_four_eyes=False,
    )
)
