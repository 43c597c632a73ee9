"""The partner tree through time. Moving a partner never rewrites what was: old links end, new ones start."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.db import IntegrityError, connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.events import PartnerMoved, publish
from crm.models import Actor
from crm.security import audit, policies
from ib.audit_codes import IbAction
from ib.models import Partner, PartnerLink, Upline
from ib.policies import can_manage_partners

LEVELS_MAX: Final = 1_000
# Level 1, the partner itself, holds from before any trade.
BEGINNING = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)

_UP = """
WITH RECURSIVE up(partner_id, ancestor_id, level, valid) AS (
  SELECT p.id, p.id, 1, tstzrange(%(beginning)s, NULL) FROM ib_partner p WHERE p.id = ANY(%(partners)s)
  UNION ALL
  SELECT up.partner_id, l.parent_id, up.level + 1, up.valid * tstzrange(l.starts_at, l.ends_at)
  FROM up JOIN ib_partnerlink l ON l.partner_id = up.ancestor_id AND up.valid && tstzrange(l.starts_at, l.ends_at)
)"""
# Only what differs is written: of a large branch that moves, most rows are those within it, which stay.
FORGET = f"""{_UP}
DELETE FROM ib_upline u WHERE u.partner_id = ANY(%(partners)s) AND NOT EXISTS (
  SELECT 1 FROM up WHERE up.partner_id = u.partner_id AND up.level = u.level AND lower(up.valid) = u.starts_at
    AND up.ancestor_id = u.ancestor_id AND upper(up.valid) IS NOT DISTINCT FROM u.ends_at)
"""  # noqa: S608
SNAPSHOT = f"""{_UP}
INSERT INTO ib_upline (partner_id, ancestor_id, level, starts_at, ends_at)
SELECT partner_id, ancestor_id, level, lower(valid), upper(valid) FROM up WHERE NOT EXISTS (
  SELECT 1 FROM ib_upline u WHERE u.partner_id = up.partner_id AND u.level = up.level AND u.starts_at = lower(up.valid))
"""  # noqa: S608
# Everyone who has, or ever had, the partner above: their snapshot changes when it moves.
BELOW = "SELECT DISTINCT partner_id FROM ib_upline WHERE ancestor_id = ANY(%s)"


def lock_tree() -> None:
    """Allow one change of the tree at a time; the table's trigger takes the same lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('ib.tree'))")


def rebuild_upline(partner_ids: list[int]) -> None:
    """Bring the snapshot of these partners in line with the links."""
    parameters: dict[str, Any] = {"partners": partner_ids, "beginning": BEGINNING}
    with connection.cursor() as cursor:
        cursor.execute(FORGET, parameters)
        cursor.execute(SNAPSHOT, parameters)


def rebuild_brand(brand_id: int) -> None:
    """Rebuild a whole brand's snapshot of the tree, after an import."""
    rebuild_upline(list(Partner.objects.filter(brand_id=brand_id).values_list("pk", flat=True)))


def parent_of(partner: Partner, at: dt.datetime | None = None) -> Partner | None:
    """Find who is directly above now, or at an instant."""
    links = PartnerLink.objects.filter(partner=partner).select_related("parent")
    if at is None:
        link = links.filter(ends_at__isnull=True).first()
    else:
        link = links.filter(starts_at__lte=at).exclude(ends_at__lte=at).first()
    return link.parent if link else None


@transaction.atomic
def move_partner(
    *, partner_id: int, parent_id: int | None, actor: Actor, reason: str, at: dt.datetime | None = None
) -> None:
    """Put a partner below another one, or with `parent_id=None` at the top. Earlier trades keep their upline.

    Who: `ib.manage_partners` at the brand. Raises: WrongState where it already stands there, or the move would close a
    circle; DomainError where the tree would be too deep. `at` (imports only) dates the move back; it must not lie before
    the last move.
    """
    lock_tree()
    partner = lock(Partner, partner_id)
    policies.require(can_manage_partners(actor, partner.brand_id))
    parent = Partner.objects.get(pk=parent_id, brand_id=partner.brand_id) if parent_id is not None else None
    if parent is not None:
        _check_depth(partner, parent)
    now = at or timezone.now()
    current = PartnerLink.objects.filter(partner=partner, ends_at__isnull=True).first()
    before = current.parent_id if current else None
    if before == parent_id:
        raise WrongState(_("%(partner)s is already in that position.") % {"partner": partner})
    if current is not None:
        current.ends_at = now
        current.save(update_fields=["ends_at"])
    if parent is not None:
        _link(partner, parent, now, actor)
    with connection.cursor() as cursor:
        cursor.execute(BELOW, [[partner.pk]])
        below = [pk for (pk,) in cursor.fetchall()]
    rebuild_upline(sorted({partner.pk, *below}))
    audit.record(
        actor=actor,
        action=IbAction.PARTNER_MOVED,
        target=partner,
        brand_id=partner.brand_id,
        before={"parent": before},
        after={"parent": parent_id, "from": now.isoformat()},
        reason=reason,
    )
    publish(
        PartnerMoved(
            partner_id=partner.pk,
            from_parent_id=before,
            to_parent_id=parent_id,
            client_id=partner.client_id,
            brand_id=partner.brand_id,
        ),
        actor=actor,
        occurred_at=now,
    )


def _check_depth(partner: Partner, parent: Partner) -> None:
    """Refuse a place that is too deep: each partner has a row for everyone above, so that a chain costs its square."""
    today = Upline.objects.filter(ends_at__isnull=True)
    above = today.filter(partner=parent).aggregate(most=Max("level"))["most"] or 1
    below = today.filter(ancestor=partner).aggregate(most=Max("level"))["most"] or 1
    if above + below > LEVELS_MAX:
        raise DomainError(
            _("A network has at most %(count)s levels. Choose an upline further up.") % {"count": LEVELS_MAX}
        )


def _link(partner: Partner, parent: Partner, at: dt.datetime, actor: Actor) -> None:
    try:
        with transaction.atomic():
            PartnerLink.objects.create(partner=partner, parent=parent, starts_at=at, made_by=actor)
    except IntegrityError as error:
        if "above itself" in str(error) or "partner_is_not_its_own_parent" in str(error):
            raise WrongState(
                _(
                    "%(parent)s is in the downline of %(partner)s, so this move would create a loop. Move "
                    "%(parent)s first."
                )
                % {"parent": parent, "partner": partner}
            )
        raise DomainError(_("This partner was moved at the same time by someone else. Reload the page and try again."))
