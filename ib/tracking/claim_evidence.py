"""What speaks for and against a claim: every touch of the client, what networks reported, and whose the client was."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from ib.models import Attribution, ClientClaim, Partner, PostbackReport, ReferralLink
from leads.models import Lead

ROWS_MAX: Final = 50


@dataclass(frozen=True)
class Fact:
    """One line of evidence, with the partner whom it speaks for."""

    at: dt.datetime
    kind: str
    partner: Partner | None
    detail: str


def evidence_of(claim: ClientClaim) -> list[Fact]:
    """Gather the evidence on a claimed client, oldest first. Four statements."""
    if claim.client_id is None:
        return []
    enquiries = list(Lead.objects.filter(client_id=claim.client_id).order_by("-captured_at")[:ROWS_MAX])
    codes = {lead.referral_code.strip().lower() for lead in enquiries if lead.referral_code}
    links = {
        link.code: link.partner
        for link in ReferralLink.objects.filter(code__in=codes, partner__brand=claim.partner.brand_id).select_related(
            "partner"
        )
    }
    facts = [
        Fact(
            lead.captured_at,
            str(lead.get_channel_display()),
            links.get(lead.referral_code.strip().lower()),
            " · ".join(text for text in (lead.referral_code, lead.sub_id, lead.click_id) if text),
        )
        for lead in enquiries
    ]
    held = Attribution.objects.filter(client_id=claim.client_id).select_related("partner", "link")
    for row in held.order_by("-starts_at")[:ROWS_MAX]:
        detail = " · ".join(text for text in (row.sub_id, row.click_id, row.reason) if text)
        facts.append(
            Fact(row.starts_at, _("Assigned: %(how)s") % {"how": row.get_method_display()}, row.partner, detail)
        )
    clicks = {lead.click_id for lead in enquiries if lead.click_id} | {row.click_id for row in held if row.click_id}
    reports = PostbackReport.objects.filter(click_id__in=clicks, key__partner__brand=claim.partner.brand_id)
    for report in reports.select_related("key__partner").order_by("-pk")[:ROWS_MAX]:
        kind = _("Reported by the network: %(kind)s") % {"kind": report.get_kind_display()}
        facts.append(Fact(report.received_at, kind, report.key.partner, report.click_id))
    return sorted(facts, key=lambda fact: fact.at)
