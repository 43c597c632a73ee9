"""A certificate as PDF, made and kept like every document of a client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from crm.errors import NotAllowed
from crm.models import Actor, Job
from crm.rendering.report import Fingerprint
from crm.security.policies import require
from prop.certificates.issuing import can_change
from prop.models import Certificate
from prop.sentences import name_of
from wallet.choices.documents import DocumentKind
from wallet.documents.making import gathers, language_of, order
from wallet.documents.store import Draft


def address_of(certificate: Certificate) -> str:
    """Return the address at which anybody verifies a certificate."""
    brand = certificate.phase_account.challenge.brand.code
    return str(settings.BASE_URL).rstrip("/") + reverse("certificate", args=[brand, certificate.number])


def draft_of(certificate: Certificate, language: str) -> Draft:
    """Gather a certificate's page: programme, stage, size and date; the name only where the trader agreed."""
    row = certificate.phase_account
    challenge = row.challenge
    with translation.override(language):
        title = _("Certificate %(number)s") % {"number": certificate.number}
        stage = name_of(row.phase)
    mark = Fingerprint(f"certificate:{certificate.number}")
    name = challenge.client.full_name if certificate.shows_name else ""
    mark.row([certificate.issued_at, challenge.version.programme.name, stage, challenge.balance, name])
    return Draft(
        kind=DocumentKind.CERTIFICATE,
        brand=challenge.brand,
        client=challenge.client,
        subject=f"certificate:{certificate.number}",
        title=title,
        file_name=f"certificate-{certificate.number}.pdf",
        language=language,
        template="prop/pdf/certificate.html",
        content_hash=mark.hexdigest(),
        context={
            "certificate": certificate,
            "challenge": challenge,
            "row": row,
            "stage": stage,
            "name": name,
            "title": title,
            "made_at": certificate.issued_at,
            "address": address_of(certificate),
        },
    )


@gathers(DocumentKind.CERTIFICATE)
def draft_for(owner: Any, parameters: Mapping[str, Any]) -> Draft:
    """Gather the certificate of a document job; the owner's right is checked again. Raises: NotAllowed."""
    rows = Certificate.objects.select_related(
        "phase_account__phase", "phase_account__challenge__client", "phase_account__challenge__brand"
    ).select_related("phase_account__challenge__version__programme")
    certificate = rows.filter(pk=parameters["certificate_id"]).first()
    if certificate is None:
        raise NotAllowed(_("You don't have access to this client."))
    require(can_change(owner, certificate))
    return draft_of(certificate, parameters["language"])


def order_certificate(*, certificate: Certificate, actor: Actor, language: str = "") -> Job:
    """Start the job that makes a certificate's PDF. Who: the client. Raises: NotAllowed."""
    require(can_change(actor, certificate))
    client = certificate.phase_account.challenge.client
    return order(
        DocumentKind.CERTIFICATE,
        owner=actor,
        title=_("Certificate %(number)s") % {"number": certificate.number},
        parameters={"certificate_id": certificate.pk, "language": language or language_of(client)},
    )
