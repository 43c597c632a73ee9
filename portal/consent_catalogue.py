"""The standard wording of consents, in English and German. A brand publishes its own instead, as `ConsentText` rows.

The documents behind the tick boxes are text files in `consent_texts/<language>/<kind>.txt`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from crm.models import Brand
from portal.choices import ConsentKind

STANDARD_VERSION = "2026-01"
FOLDER = Path(__file__).parent / "consent_texts"
LABELS: dict[str, dict[ConsentKind, str]] = {
    "en": {
        ConsentKind.TERMS: "I have read the terms of business and agree to them.",
        ConsentKind.PRIVACY: "I have read the privacy notice.",
        ConsentKind.RISK: "I understand that I can lose my money rapidly with leveraged products.",
        ConsentKind.MARKETING: "Send me news and offers by e-mail and telephone. I can change this at any time.",
    },
    "de": {
        ConsentKind.TERMS: "Ich habe die Geschäftsbedingungen gelesen und stimme ihnen zu.",
        ConsentKind.PRIVACY: "Ich habe die Datenschutzhinweise gelesen.",
        ConsentKind.RISK: "Ich verstehe, dass ich mit gehebelten Produkten mein Geld schnell verlieren kann.",
        ConsentKind.MARKETING: "Senden Sie mir Neuigkeiten und Angebote per E-Mail und Telefon. Ich kann das jederzeit ändern.",
    },
}


@lru_cache(maxsize=16)
def _document(kind: ConsentKind, language: str) -> str:
    path = FOLDER / language / f"{kind.value}.txt"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def standard_text(kind: ConsentKind, language: str, brand: Brand) -> tuple[str, str]:
    """Write (label, body) with the brand's particulars filled in. The body is empty where the label says it all."""
    values = {
        "legal_name": brand.legal_name,
        "name": brand.name,
        "support_email": brand.support_email,
        "risk_warning": brand.risk_warning_in(language),
    }
    return LABELS[language][kind], _document(kind, language).format(**values).strip()
