"""The partner agreement: what an applicant reads and accepts, and its PDF as it was accepted."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.texts.letters import COMMON, RISK, brand_values
from crm.models import Brand
from crm.texts.catalogue import DeclaredText, Text, TextKind, declare_text
from crm.texts.wording import Wording, wording_of
from ib.models import AgreementFile, Partner, PartnerApplication
from wallet.documents import pdf

FOLDER: Final = Path(__file__).parent / "agreement_texts"
LABELS: Final = {
    "en": "I have read the partner agreement and accept it.",
    "de": "Ich habe die Partnervereinbarung gelesen und nehme sie an.",
}
AGREEMENT: Final = declare_text(
    DeclaredText(
        "ib.partner_agreement",
        TextKind.AGREEMENT,
        _("Partner agreement"),
        {
            language: Text(label, (FOLDER / f"{language}.txt").read_text(encoding="utf-8").strip())
            for language, label in LABELS.items()
        },
        # The brand's own; an applicant may not be a client.
        common=(*(variable for variable in COMMON if variable.name in ("brand", "legal_name", "support_email")), RISK),
    )
)
TEMPLATE: Final = "ib/pdf/agreement.html"


def agreement_for(brand: Brand, language: str) -> Wording:
    """Write the agreement in force as a reader of this language sees it."""
    return wording_of(AGREEMENT, brand, language, brand_values(brand, language))


def accepted_files(partner: Partner) -> QuerySet[AgreementFile]:
    """Select the agreement that a partner accepted, as PDF; none where they didn't apply, or it was erased."""
    return AgreementFile.objects.filter(application__partner=partner).exclude(content=b"")


def make_file(partner_id: int) -> AgreementFile | None:
    """Set the PDF of the agreement that an applicant accepted, once; None for a partner who didn't apply. In a worker."""
    application = (
        PartnerApplication.objects.select_related("partner__brand", "partner__user", "wording__version")
        .filter(partner_id=partner_id)
        .first()
    )
    if application is None:
        return None
    made = AgreementFile.objects.filter(application=application).first()
    if made is not None:
        return made
    wording, partner = application.wording, application.partner
    context = {
        "application": application,
        "partner": partner,
        "wording": wording,
        "made_at": application.submitted_at,
        "content_hash": wording.sha256,
    }
    content = pdf.letter(TEMPLATE, context, brand=partner.brand, language=wording.language)
    return AgreementFile.objects.create(
        application=application, content=content, sha256=hashlib.sha256(content).hexdigest(), made_at=timezone.now()
    )
