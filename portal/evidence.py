"""What the trader's room adds to the evidence against a chargeback: the terms that the client accepted."""

from __future__ import annotations

from portal.models import Consent
from wallet.disputes.evidence import ROWS_MAX, Part, evidence_part
from wallet.models import Dispute


@evidence_part(20)
def terms_accepted(dispute: Dispute) -> Part:
    consents = Consent.objects.filter(client_id=dispute.client_id).select_related("text").order_by("-at", "-pk")
    rows = [
        (
            f"{one.at:%Y-%m-%d %H:%M:%S} UTC",
            f"{one.text.get_kind_display()} {one.text.version} ({one.text.language})",
            "accepted" if one.is_given else "withdrawn",
            str(one.ip or ""),
        )
        for one in reversed(consents[:ROWS_MAX])
    ]
    return Part("What the client agreed to", ("When", "Text", "Answer", "IP address"), rows)
