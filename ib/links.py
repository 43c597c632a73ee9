"""Referral links: making them, and counting what comes through."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError
from crm.models import Actor, Brand
from crm.security import audit, policies
from ib.audit_codes import IbAction
from ib.codes import new_code
from ib.models import Partner, ReferralLink
from ib.policies import can_manage_links

LINKS_MAX = 50
# Visitors choose what stands in an address: beyond so many rows a day, further sources of a link are counted as one.
SOURCES_PER_DAY = 500
OTHER_SOURCES = "*"
# Of the tags in an address these are counted, cut to so many characters.
UTM_COUNTED, UTM_LONGEST = ("utm_source", "utm_medium", "utm_campaign"), 60
NO_TAGS: Mapping[str, str] = {}
RESTART_SECONDS, AGAIN_SECONDS = 10.0, 0.1
COUNT = """
INSERT INTO ib_referralday (link_id, day, sub_id, country, utm_source, utm_medium, utm_campaign, clicks, registrations)
SELECT asked.id, %(day)s, kept.sub_id, kept.country, kept.source, kept.medium, kept.campaign, %(clicks)s, %(registrations)s
FROM {asked} CROSS JOIN LATERAL (
  SELECT * FROM (VALUES
      (%(sub_id)s, %(country)s, %(utm_source)s, %(utm_medium)s, %(utm_campaign)s, 1), (%(other)s, '', '', '', '', 2)
    ) AS v (sub_id, country, source, medium, campaign, rank)
  WHERE rank = 2 OR EXISTS (SELECT 1 FROM ib_referralday d WHERE d.link_id = asked.id AND d.day = %(day)s
      AND (d.sub_id, d.country, d.utm_source, d.utm_medium, d.utm_campaign)
        = (v.sub_id, v.country, v.source, v.medium, v.campaign))
    OR (SELECT count(*) FROM ib_referralday d WHERE d.link_id = asked.id AND d.day = %(day)s) < %(most)s
  ORDER BY rank LIMIT 1) AS kept
ON CONFLICT ON CONSTRAINT one_row_per_link_day_and_source
DO UPDATE SET clicks = ib_referralday.clicks + EXCLUDED.clicks,
              registrations = ib_referralday.registrations + EXCLUDED.registrations
"""
COUNT_LINK = COUNT.format(asked="(SELECT %(link)s::bigint AS id) asked")
# A visitor waits for this: the link is found and the click counted, and committed, in one statement without the ORM.
FOLLOW = f"""
WITH asked AS (
  SELECT l.id, l.code, l.landing, l.is_active, p.id AS partner_id, p.state, b.id AS brand_id, b.code AS brand_code
  FROM ib_referrallink l JOIN ib_partner p ON p.id = l.partner_id JOIN crm_brand b ON b.id = p.brand_id WHERE l.code = %(code)s
), counted AS ({COUNT.format(asked="(SELECT id FROM asked WHERE %(counts)s) asked")})
SELECT * FROM asked
"""  # noqa: S608


@transaction.atomic
def create_link(*, partner_id: int, campaign: str, actor: Actor, code: str = "", landing: str = "") -> ReferralLink:
    """Create another link for a partner to share.

    Who: the partner, or `ib.manage_partners` at the brand. Raises: DomainError when the code is taken or the partner has
    too many links.
    """
    partner = lock(Partner, partner_id)
    policies.require(can_manage_links(actor, partner))
    _refuse_too_many(partner)
    try:
        with transaction.atomic():
            link = ReferralLink.objects.create(
                partner=partner, code=code or new_code(), campaign=campaign.strip(), landing=landing
            )
    except IntegrityError:
        raise DomainError(_("The code %(code)s is already taken. Choose another one.") % {"code": code})
    audit.record(
        actor=actor, action=IbAction.LINK_CREATED, target=link, brand_id=partner.brand_id, after={"code": link.code}
    )
    return link


@transaction.atomic
def switch_link(*, link_id: int, is_active: bool, actor: Actor) -> ReferralLink:
    """Switch a link off or on again. Off, it still leads to the brand but nobody is referred by it.

    Who: as for making one. Raises: DomainError when as many links as a partner may have are on.
    """
    partner = lock(Partner, ReferralLink.objects.values_list("partner_id", flat=True).get(pk=link_id))
    link = lock(ReferralLink, link_id, "partner")
    policies.require(can_manage_links(actor, partner))
    if is_active and not link.is_active:
        _refuse_too_many(partner)
    link.is_active = is_active
    link.save(update_fields=["is_active"])
    audit.record(
        actor=actor,
        action=IbAction.LINK_SWITCHED,
        target=link,
        brand_id=link.partner.brand_id,
        after={"is_active": is_active},
    )
    return link


def _refuse_too_many(partner: Partner) -> None:
    """Refuse a link above the limit. The partner is locked, so that two links at once count each other."""
    if partner.referral_links.filter(is_active=True).count() >= LINKS_MAX:
        raise DomainError(
            _("You've reached the limit of %(count)s links. Deactivate one first.") % {"count": LINKS_MAX}
        )


def count(
    link: ReferralLink,
    *,
    clicks: int = 0,
    registrations: int = 0,
    sub_id: str = "",
    country: str = "",
    tags: Mapping[str, str] = NO_TAGS,
) -> None:
    """Add to the link's count of today (UTC) from a source: the partner's sub-id, the visitor's country and the link's utm_*."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_LINK, {"link": link.pk, **_counts(clicks, registrations, sub_id, country, tags)})


def _counts(clicks: int, registrations: int, sub_id: str, country: str, tags: Mapping[str, str]) -> dict[str, Any]:
    return {
        "day": timezone.now().date(),
        "sub_id": sub_id,
        "country": country,
        **{name: printable(tags.get(name, ""))[:UTM_LONGEST] for name in UTM_COUNTED},
        "clicks": clicks,
        "registrations": registrations,
        "other": OTHER_SOURCES,
        "most": SOURCES_PER_DAY,
    }


def printable(tag: str) -> str:
    """Drop what can't be read or stored of a tag, as of a sub-id."""
    return "".join(sign for sign in tag if sign.isprintable())


def follow(
    code: str, *, counts: bool, sub_id: str = "", country: str = "", tags: Mapping[str, str] = NO_TAGS
) -> ReferralLink | None:
    """Find a link by its code and count a click on it, unless it `counts` for none (a program's); one statement.

    Only what leading on needs is filled in, of the link, its partner and the brand: they aren't for saving. A visitor waits
    while the database restarts.
    """
    row = _patiently(FOLLOW, {"code": code, "counts": counts, **_counts(1, 0, sub_id, country, tags)})
    if row is None:
        return None
    pk, code, landing, is_active, partner_id, state, brand_id, brand_code = row
    partner = Partner(pk=partner_id, state=state, brand=Brand(pk=brand_id, code=brand_code))
    return ReferralLink(pk=pk, code=code, landing=landing, is_active=is_active, partner=partner)


def _patiently(statement: str, values: dict[str, Any]) -> Any:
    """Run a statement that commits on its own and return its row; again on a new connection while the database is away.

    A connection that breaks between the commit and its answer has the click counted twice: better than not at all.
    """
    deadline = time.monotonic() + RESTART_SECONDS
    while True:
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchone()
        except (OperationalError, InterfaceError):
            is_away = connection.connection is None or not connection.is_usable()
            if connection.in_atomic_block or not is_away or time.monotonic() > deadline:
                raise
            connection.close()
            time.sleep(AGAIN_SECONDS)


def landing_url(link: ReferralLink, *, with_code: bool = True) -> str:
    """Find where a click leads: the link's own landing page, or the registration of the partner's brand."""
    path = link.landing or f"/b/{link.partner.brand.code}/register/"
    if not with_code:
        return path
    return f"{path}{'&' if '?' in path else '?'}{urlencode({'ref': link.code})}"


def link_url(link: ReferralLink, request: HttpRequest) -> str:
    """Build the whole address that a partner shares."""
    return request.build_absolute_uri(reverse("referral", kwargs={"code": link.code}))
