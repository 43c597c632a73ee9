"""What clients agree to when they register, in English and German, and the notice on the portal's first page.

The documents behind the tick boxes are text files in `consent_texts/<language>/<kind>.txt`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from django.utils.translation import gettext_lazy as _

from clients.texts.letters import COMMON, RISK
from crm.texts.catalogue import DeclaredText, Text, TextKind, declare_text
from portal.choices import ConsentKind

FOLDER: Final = Path(__file__).parent / "consent_texts"
# The brand's own; nothing about the reader, who may not be a client yet.
OF_BRAND: Final = (
    *(variable for variable in COMMON if variable.name in ("brand", "legal_name", "support_email")),
    RISK,
)
LABELS: Final[dict[ConsentKind, dict[str, str]]] = {
    ConsentKind.TERMS: {
        "en": "I have read the terms of business and agree to them.",
        "de": "Ich habe die Geschäftsbedingungen gelesen und stimme ihnen zu.",
    },
    ConsentKind.PRIVACY: {"en": "I have read the privacy notice.", "de": "Ich habe die Datenschutzhinweise gelesen."},
    ConsentKind.RISK: {
        "en": "I understand that I can lose my money rapidly with leveraged products.",
        "de": "Ich verstehe, dass ich mit gehebelten Produkten mein Geld schnell verlieren kann.",
    },
    ConsentKind.MARKETING: {
        "en": "Send me news and offers by e-mail and telephone. I can change this at any time.",
        "de": "Senden Sie mir Neuigkeiten und Angebote per E-Mail und Telefon. Ich kann das jederzeit ändern.",
    },
}


def _document(kind: ConsentKind, language: str) -> str:
    path = FOLDER / language / f"{kind.value}.txt"
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


CONSENTS: Final = {
    kind: declare_text(
        DeclaredText(
            f"portal.{kind.value}",
            TextKind.AGREEMENT if kind is ConsentKind.TERMS else TextKind.CONSENT,
            kind.label,
            {language: Text(label, _document(kind, language)) for language, label in labels.items()},
            common=OF_BRAND,
            has_body=kind is not ConsentKind.MARKETING,
        )
    )
    for kind, labels in LABELS.items()
}
HOME_NOTICE: Final = declare_text(
    DeclaredText(
        "portal.home_notice",
        TextKind.NOTICE,
        _("Notice on the first page of the client portal"),
        {"en": Text("", ""), "de": Text("", "")},
        common=OF_BRAND,
    )
)
