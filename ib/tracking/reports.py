"""What an affiliate network reports for a partner: clicks and conversions, stored as they come, judged then, counted once.

`GET or POST /r/in/<code>/?event=click&id=…&click_id=…&sig=…`, where `sig` is the last part: the HMAC-SHA256, in hex, of the
query before `&sig=` under the partner's key. A click on the network's own link counts as one on the partner's link; who registers
with its click id and without a referral code is the partner's client. A conversion is looked up by its click id.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final
from urllib.parse import parse_qsl

from django.db import IntegrityError, transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone

from ib import links
from ib.choices import PartnerState
from ib.models import Attribution, PostbackKey, PostbackReport, ReferralLink
from ib.tracking import claims
from ib.tracking.choices import ClaimSource, ReportKind, ReportState
from leads.attribution import sub_id_of
from leads.models import Lead

QUERY_LONGEST: Final = 2000
REFUSED_KEPT_A_DAY: Final = 50
SIGNED: Final = "&sig="


def receive(*, key: PostbackKey, query: str) -> PostbackReport:
    """Store a report, judge its signature and content, and act on it once. The same id again is counted on the first row."""
    signed, _mark, signature = query.rpartition(SIGNED)
    now = timezone.now()
    report = PostbackReport.objects.create(key=key, received_at=now, query=signed[:QUERY_LONGEST])
    values = {name: value.replace("\x00", "") for name, value in parse_qsl(signed, keep_blank_values=False)}
    report_id, kind = values.get("id", ""), values.get("event", "")
    is_good = is_signed(signed, signature, key.secret) and len(query) <= QUERY_LONGEST
    if not is_good or not 0 < len(report_id) <= 100 or kind not in ReportKind.values:
        return _refuse(report)
    report.report_id, report.kind = report_id, kind
    report.click_id, report.sub_id = values.get("click_id", "")[:200], sub_id_of(values)
    return _take(report, values.get("link", ""))


def is_signed(signed: str, signature: str, secret: str) -> bool:
    """Check a signature in constant time."""
    return hmac.compare_digest(sign(signed, secret).encode(), signature.lower().encode())


def sign(query: str, secret: str) -> str:
    """Sign a query as a network does."""
    return hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()


@transaction.atomic
def _refuse(report: PostbackReport) -> PostbackReport:
    today = report.received_at.date()
    mine = PostbackKey.objects.filter(pk=report.key_id)
    counted = Case(When(refused_on=today, then=F("refused_count") + 1), default=Value(1))
    mine.update(refused_count=counted, refused_on=today)  # the row is locked: two at once don't share a place
    report.move_to(ReportState.REFUSED)
    if mine.values_list("refused_count", flat=True).get() > REFUSED_KEPT_A_DAY:
        report.delete()
    else:
        report.save()
    return report


@transaction.atomic
def _take(report: PostbackReport, code: str) -> PostbackReport:
    report.link = _link_of(report.key.partner_id, code)
    try:
        with transaction.atomic():
            report.save()
    except IntegrityError:
        first = PostbackReport.objects.filter(key=report.key, report_id=report.report_id)
        first.update(repeats=F("repeats") + 1)
        PostbackReport.objects.filter(pk=report.pk).delete()
        return first.get()
    if report.kind == ReportKind.CLICK:
        if report.link is not None:
            links.count(report.link, clicks=1, sub_id=report.sub_id)
        report.move_to(ReportState.COUNTED if report.link else ReportState.UNMATCHED)
    else:
        _look_up(report)
    report.save()
    return report


def _look_up(report: PostbackReport) -> None:
    """Find the partner's client with the click id of a conversion; one of nobody's, or of another partner, is a claim."""
    mine = Attribution.objects.filter(partner_id=report.key.partner_id, click_id=report.click_id, ends_at__isnull=True)
    found = mine.order_by("pk").first() if report.click_id else None
    report.client_id = found.client_id if found else None
    if found is not None:
        report.move_to(ReportState.MATCHED)
        return
    partner = report.key.partner
    leads = Lead.objects.filter(brand_id=partner.brand_id, click_id=report.click_id).select_related("client")
    lead = leads.order_by("pk").first() if report.click_id else None
    if lead is None or partner.client_id == lead.client_id:
        report.move_to(ReportState.UNMATCHED)
        return
    report.client_id = lead.client_id
    claims.open_claim(partner, lead.client, source=ClaimSource.NETWORK, named=report.click_id[:120])
    report.move_to(ReportState.CLAIMED)


def _link_of(partner_id: int, code: str) -> ReferralLink | None:
    """Find the link that a report names, else the partner's first active one."""
    active = ReferralLink.objects.filter(partner_id=partner_id, is_active=True, partner__state=PartnerState.ACTIVE)
    named = active.filter(code=code.strip().lower()) if code else active
    return named.order_by("pk").first()


def code_of_reported_click(*, brand_id: int, click_id: str) -> str:
    """Find the link's code of the click with this id that a network of the brand's partners reported; empty for none.

    Two partners who report the same click id give none: neither is believed before a person decides.
    """
    if not click_id:
        return ""
    clicks = PostbackReport.objects.filter(
        click_id=click_id,
        kind=ReportKind.CLICK,
        state=ReportState.COUNTED,
        link__partner__brand_id=brand_id,
        link__partner__state=PartnerState.ACTIVE,
    )
    codes = set(clicks.values_list("link__partner_id", "link__code")[:10])
    return next(iter(codes))[1] if len({partner for partner, _code in codes}) == 1 else ""
