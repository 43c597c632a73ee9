"""Addresses of a brand that its e-mails were sent to."""

from __future__ import annotations

from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from clients.models import IncomingMail
from crm.brand_policies import Lines


class Addresses(Lines):
    """E-mail addresses of the brand, as a policy has them."""

    hint = _("One address a line, such as support@broker.example.")

    def clean_line(self, text: str) -> str:
        address = text.lower()
        try:
            validate_email(address)
        except ValidationError:
            raise ValueError(text) from None
        return address


def is_sent_to(mail: IncomingMail, listed: Collection[str]) -> bool:
    """Check whether an e-mail was sent to one of these addresses, with or without the mark of a thread."""
    return any(_without_mark(address) in listed for address in mail.to_addresses)


def _without_mark(address: str) -> str:
    """Return an address without the mark of a thread: support+t1@… is support@…."""
    name, _at, host = address.lower().rpartition("@")
    return f"{name.partition('+')[0]}@{host}"
