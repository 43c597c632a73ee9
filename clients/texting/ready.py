"""Ready texts for SMS and WhatsApp, in the text kit: a brand writes its own versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from clients.texts.letters import COMMON
from crm.errors import DomainError
from crm.texts.catalogue import DeclaredText, Label, Text, TextKind, declare_text, find_text, texts_of

KEYS_PREFIX: Final = "clients.sms_"


def sms(key: str, *, title: Label, texts: Mapping[str, str], is_marketing: bool = False) -> DeclaredText:
    """Declare a ready text. Marketing goes only to who agreed to it, and says how to opt out. Raises: ValueError."""
    bodies = {language: Text("", body) for language, body in texts.items()}
    return declare_text(DeclaredText(key, TextKind.SMS, title, bodies, common=COMMON, is_marketing=is_marketing))


def ready_texts(*, with_marketing: bool) -> list[DeclaredText]:
    """List the ready texts that a person can choose."""
    return [text for text in texts_of([TextKind.SMS]) if with_marketing or not text.is_marketing]


def get_ready(key: str) -> DeclaredText:
    """Find a ready text. Raises: DomainError."""
    declared = find_text(key)
    if declared is None or declared.kind is not TextKind.SMS:
        raise DomainError(_now("Choose a template of the list."))
    return declared


sms(
    "clients.sms_tried_to_reach_you",
    title=_("We tried to reach you"),
    texts={
        "en": "Hello {{ first_name }}, I tried to call you. When is a good time? {{ agent }}, {{ brand }}",
        "de": "Guten Tag {{ first_name }}, ich habe Sie telefonisch nicht erreicht. Wann passt es Ihnen? "
        "{{ agent }}, {{ brand }}",
    },
)
sms(
    "clients.sms_documents",
    title=_("Documents are missing"),
    texts={
        "en": "Hello {{ first_name }}, we still need a document to verify your account. Upload it in the client "
        "portal: {{ portal_url }} {{ brand }}",
        "de": "Guten Tag {{ first_name }}, für die Prüfung Ihres Kontos fehlt noch ein Dokument. Laden Sie es im "
        "Kundenportal hoch: {{ portal_url }} {{ brand }}",
    },
)
sms(
    "clients.sms_news",
    title=_("News for you"),
    is_marketing=True,
    texts={
        "en": "Hello {{ first_name }}, there is news for you in the client portal: {{ portal_url }} {{ brand }}. "
        "Reply STOP to opt out.",
        "de": "Guten Tag {{ first_name }}, im Kundenportal gibt es Neues für Sie: {{ portal_url }} {{ brand }}. "
        "Abmelden mit STOP.",
    },
)
