"""Screening partners who have no client record: by name, as a person and as an organisation.

A partner is paid into the wallet of their own client record alone, so a possible match is reviewed there, with the same claims,
holds and second approvals as every other: staff link the record, and the business name becomes one of its screened names
(`ib.partners.link_wallet`). Until then a possible match keeps the partner from being activated.
"""

from __future__ import annotations

from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance import screening
from compliance.brand_policies import SCREENING_THRESHOLD
from compliance.matching import VERSION
from compliance.matching import text as spelling
from compliance.matching.score import Person
from crm.db.locking import lock
from crm.errors import WrongState
from crm.i18n.localized_text import phrase
from crm.notices.notify import notify, people_with
from crm.queue.for_each import for_each_isolated
from crm.security import audit
from ib.audit_codes import IbAction
from ib.choices import IbNotice, PartnerState
from ib.models import Partner, PartnerScreening

MATCHES_KEPT: Final = 20


@transaction.atomic
def screen_partner(*, partner_id: int) -> PartnerScreening | None:
    """Compare a partner's name with all lists in force, and notify compliance and the managers of a new possible match.

    None for one with a client record, whose screening counts, without a name, or without a list. Who: the system.
    """
    partner = lock(Partner, partner_id, "brand")
    if partner.client_id is not None or not spelling.words(partner.name) or not screening.current_version_ids():
        return None
    matches = _matches(partner)
    before = PartnerScreening.objects.filter(partner=partner).first()
    known = {match["entry"] for match in before.matches} if before else set()
    found, _created = PartnerScreening.objects.update_or_create(
        partner=partner,
        defaults={
            "name": partner.name,
            "screened_at": timezone.now(),
            "matcher_version": VERSION,
            "lists": screening.lists_in_force(),
            "matches": matches,
        },
    )
    entries = {match["entry"] for match in matches}
    if entries != known:
        audit.record(
            actor=None,
            action=IbAction.PARTNER_SCREENED,
            target=partner,
            brand_id=partner.brand_id,
            before={"matches": len(known)},
            after={"matches": len(entries)},
            evidence={"matcher": VERSION, "lists": found.lists, "matches": matches},
        )
    if entries - known:
        _notify(partner, found)
    return found


def _matches(partner: Partner) -> list[dict[str, Any]]:
    threshold = float(SCREENING_THRESHOLD.of(partner.brand))
    best: dict[int, dict[str, Any]] = {}
    for is_firm in (False, True):
        entries, _compared = screening.matches(Person((partner.name,), is_firm=is_firm), threshold=threshold)
        for entry, explained in entries:
            best[entry.pk] = {
                "entry": entry.pk,
                "listed": explained.listed_name,
                "source": entry.source.name,
                "score": f"{explained.score:.3f}",
            }
    return sorted(best.values(), key=lambda match: (-float(match["score"]), match["entry"]))[:MATCHES_KEPT]


def _notify(partner: Partner, found: PartnerScreening) -> None:
    brand = partner.brand_id
    officers = {*people_with("compliance.decide_hit", brand_id=brand)} & {
        *people_with("ib.view_partner", brand_id=brand)
    }
    people = officers | {*people_with("ib.manage_partners", brand_id=brand)}
    notify(
        sorted(people),
        kind=IbNotice.PARTNER_MATCH,
        title=phrase("Possible watchlist match: partner %(partner)s") % {"partner": partner.name},
        body=phrase("Link the partner's own client record, so that compliance can review the match."),
        url=partner.get_absolute_url(),
        dedupe_key=f"ib.partner_match:{partner.pk}:{found.screened_at.isoformat()}",
    )


def open_matches(partner: Partner) -> list[dict[str, Any]]:
    """List the possible matches that nobody could review yet: none once a client record is linked."""
    if partner.client_id is not None:
        return []
    found = PartnerScreening.objects.filter(partner=partner).first()
    return found.matches if found else []


def require_no_match(partner: Partner) -> None:
    """Refuse to activate a partner without a client record who may be on a list, compared now. Raises: WrongState."""
    screen_partner(partner_id=partner.pk)
    if open_matches(partner):
        raise WrongState(
            _(
                "Possible watchlist match. Link the partner's own client record, so that compliance can review the match."
            )
        )


def screen_partners() -> int:
    """Compare all partners without a client record who aren't closed. Returns how many."""
    ids = (
        Partner.objects.filter(client=None)
        .exclude(state=PartnerState.CLOSED)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    return for_each_isolated(lambda partner_id: screen_partner(partner_id=partner_id), ids)
