"""Contesting a chargeback at Adyen: which grounds apply, the documents, then the defence itself."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from Adyen.services.disputes.disputes_api import DisputesApi
from django.utils.translation import gettext as _

from crm.rendering.letter import render_pdf
from wallet.psp.adyen.transport import Doors
from wallet.psp.errors import PspRefused
from wallet.psp.values import EvidenceFile

GENERAL_GROUNDS = "SupplyDefenseMaterial"
CONTENT_TYPES = {
    "application/pdf": "application/pdf",
    "image/jpeg": "image/jpg",
    "image/jpg": "image/jpg",
    "image/tiff": "image/tiff",
}


def submit(
    doors: Doors, api_key: str, merchant: str, dispute_id: str, *, text: str, files: Sequence[EvidenceFile]
) -> None:
    """Contest a chargeback. Adyen takes documents only: the text becomes the first PDF.

    Raises: PspRefused, or what the SDK raises.
    """
    service = doors.open(DisputesApi, api_key)
    about = {"disputePspReference": dispute_id, "merchantAccountCode": merchant}
    reasons = _require_success(service.retrieve_applicable_defense_reasons(about).message).get("defenseReasons") or []
    if not reasons:
        raise PspRefused(_("Adyen no longer accepts a defence for this dispute."))
    reason = next((reason for reason in reasons if reason["defenseReasonCode"] == GENERAL_GROUNDS), reasons[0])
    kind = _kind_of_document(reason)
    letters = [EvidenceFile("statement.pdf", "application/pdf", _as_pdf(text))] if text.strip() else []
    documents = [_document(file, kind) for file in [*letters, *files]]
    if not documents:
        raise PspRefused(_("Explain why the chargeback is wrong, or add a document."))
    _require_success(service.supply_defense_document({**about, "defenseDocuments": documents}).message)
    _require_success(service.defend_dispute({**about, "defenseReasonCode": reason["defenseReasonCode"]}).message)


def _kind_of_document(reason: dict[str, Any]) -> str:
    kinds = reason.get("defenseDocumentTypes") or []
    required = next((kind for kind in kinds if kind.get("requirementLevel") == "Required"), kinds[0] if kinds else {})
    return str(required.get("defenseDocumentTypeCode") or "DefenseMaterial")


def _document(file: EvidenceFile, kind: str) -> dict[str, str]:
    content_type = CONTENT_TYPES.get(file.content_type)
    if content_type is None:
        raise PspRefused(
            _("Adyen accepts only PDF, JPEG and TIFF files. “%(name)s” isn't one of these.") % {"name": file.name}
        )
    return {
        "content": base64.b64encode(file.content).decode(),
        "contentType": content_type,
        "defenseDocumentTypeCode": kind,
    }


def _require_success(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer; raise PspRefused for Adyen's 200 with `success: false`."""
    result = answer.get("disputeServiceResult") or {"success": True}
    if not result.get("success"):
        raise PspRefused(str(result.get("errorMessage") or _("Adyen rejected the defence."))[:300])
    return answer


def _as_pdf(text: str) -> bytes:
    paragraph = escape(text).replace("\n", "<br>")
    return render_pdf(
        f'<html lang="en"><title>Statement of the merchant</title><h1>Statement of the merchant</h1><p>{paragraph}</p></html>'
    )
