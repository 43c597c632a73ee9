"""Declaring an e-mail to clients, and the values that every one of them has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm.errors import DomainError
from crm.models import Brand
from crm.texts.catalogue import DeclaredText, Label, Text, TextKind, Variable, declare_text, find_text
from crm.texts.risk_warning import risk_warning_of

COMMON: Final = (
    Variable("first_name", _("Client's first name"), "Clara"),
    Variable("full_name", _("Client's full name"), "Clara Weber"),
    Variable("brand", _("Name of the brand"), "Meridian Markets"),
    Variable("legal_name", _("Name of the legal entity"), "Meridian Markets (Cyprus) Ltd"),
    Variable("support_email", _("Support e-mail of the brand"), "support@meridian.example"),
    Variable("agent", _("Client's agent; the brand where there is none"), "Alice Tester"),
    Variable("portal_url", _("Address of the client portal"), "https://portal.example/portal/", is_link=True),
)
RISK: Final = Variable("risk_warning", _("Risk warning of the brand with its percentage"), _("Risk warning"))
RISK_REQUIRED: Final = Variable(RISK.name, RISK.description, RISK.example, is_required=True)


def letter(
    key: str,
    *,
    title: Label,
    texts: Mapping[str, Text],
    variables: tuple[Variable, ...] = (),
    is_marketing: bool = False,
    series: Label = "",
) -> DeclaredText:
    """Declare an e-mail. Marketing e-mails carry the risk warning and go only to who agreed to marketing. Raises: ValueError."""
    common = (*COMMON, RISK_REQUIRED if is_marketing else RISK)
    return declare_text(
        DeclaredText(key, TextKind.LETTER, title, texts, variables, common, is_marketing=is_marketing, series=series)
    )


def get_letter(key: str) -> DeclaredText:
    """Find an e-mail's text by its key. Raises: DomainError where no app declared it."""
    declared = find_text(key)
    if declared is None or declared.kind is not TextKind.LETTER:
        raise DomainError(_now("There is no e-mail template “%(key)s”.") % {"key": key})
    return declared


def brand_values(brand: Brand, language: str) -> dict[str, str]:
    """Collect the values that don't depend on the client."""
    return {
        "brand": brand.name,
        "legal_name": brand.legal_name,
        "support_email": brand.support_email,
        "portal_url": f"{settings.BASE_URL}/portal/",
        "risk_warning": risk_warning_of(brand, language),
    }


def common_values(client: Client, language: str) -> dict[str, str]:
    """Collect the values that every e-mail to this client has."""
    return {**brand_values(client.brand, language), **personal_values(client)}


def personal_values(client: Client) -> dict[str, str]:
    """Collect the values that differ from client to client."""
    return {
        "first_name": client.first_name or client.full_name,
        "full_name": client.full_name,
        "agent": client.owner.get_full_name() if client.owner else client.brand.name,
    }
