"""What the client portal adds to the evidence against a chargeback: the terms that the client accepted."""

from __future__ import annotations

from portal.models import Consent
from wallet.disputes.evidence import ROWS_MAX, Part, evidence_part
from wallet.models import Dispute


@evidence_part(20)
def terms_accepted(dispute: Dispute) -> Part:
    """Collect what the client agreed to, with versions, times and addresses, as a part of a dispute's evidence."""
    consents = (
        Consent.objects.filter(client_id=dispute.client_id).select_related("text__version").order_by("-at", "-pk")
    )
    rows = [
        (
            f"{consent.at:%Y-%m-%d %H:%M:%S} UTC",
            f"{consent.kind_label}, {consent.version_label} ({consent.text.language})",
            "accepted" if consent.is_given else "withdrawn",
            str(consent.ip or ""),
            consent.text.sha256,
        )
        for consent in reversed(consents[:ROWS_MAX])
    ]
    return Part("Terms accepted by the client", ("Time", "Text", "Answer", "IP address", "SHA-256 of the text"), rows)
