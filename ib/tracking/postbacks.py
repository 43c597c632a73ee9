"""A partner's postbacks: which addresses are called when a client takes a step."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.models import Actor
from crm.queue.enqueue import enqueue_soon_on_commit
from crm.security import audit, policies
from ib.audit_codes import IbAction
from ib.choices import PartnerState
from ib.models import Attribution, Partner, Postback, PostbackDelivery, PostbackKey
from ib.models.postbacks import SENT_URL_LONGEST
from ib.policies import can_manage_links
from ib.tracking import macros
from ib.tracking.choices import DeliveryState, PostbackEvent
from leads.guard import is_within_limit

POSTBACKS_MAX: Final = 10
TESTS_AN_HOUR: Final = 30
SENDING: Final = "ib.send_postbacks"


@transaction.atomic
def save_postback(
    *, partner_id: int, url: str, events: Sequence[str], actor: Actor, postback_id: int | None = None
) -> Postback:
    """Set up a partner's postback, or change one. What waits to be sent keeps its address.

    Who: the partner, or `ib.manage_partners` at the brand. Raises: DomainError (a private address, an unknown macro, no event,
    too many), NotFound.
    """
    partner = lock(Partner, partner_id)
    _require_owner(actor, partner)
    url = macros.check_url(url)
    chosen = [event for event in PostbackEvent.values if event in events]
    if not chosen:
        raise DomainError(_("Choose at least one step."))
    if postback_id is None:
        if partner.postbacks.count() >= POSTBACKS_MAX:
            raise DomainError(_("You've reached the limit of %(count)s postbacks.") % {"count": POSTBACKS_MAX})
        postback = Postback(partner=partner, sealed_secret=Postback.sealed(new_secret()))
    else:
        postback = lock(partner.postbacks.all(), postback_id)
    before = {"url": postback.url, "events": postback.events} if postback.pk else None
    postback.url, postback.events = url, chosen
    postback.save()
    audit.record(
        actor=actor,
        action=IbAction.POSTBACK_CHANGED if before else IbAction.POSTBACK_CREATED,
        target=postback,
        brand_id=partner.brand_id,
        before=before,
        after={"url": url, "events": chosen},
    )
    return postback


@transaction.atomic
def switch_postback(*, postback_id: int, is_active: bool, actor: Actor) -> Postback:
    """Pause a postback, or activate it again. Steps taken meanwhile aren't sent later. Who: as for setting one up."""
    postback = lock(Postback, postback_id, "partner")
    _require_owner(actor, postback.partner)
    postback.is_active = is_active
    postback.save(update_fields=["is_active"])
    audit.record(
        actor=actor,
        action=IbAction.POSTBACK_CHANGED,
        target=postback,
        brand_id=postback.partner.brand_id,
        after={"is_active": is_active},
    )
    return postback


@transaction.atomic
def renew_secret(*, postback_id: int, actor: Actor) -> Postback:
    """Replace a postback's signing key; the old one signs nothing from now on. Who: as for setting one up."""
    postback = lock(Postback, postback_id, "partner")
    _require_owner(actor, postback.partner)
    postback.sealed_secret = Postback.sealed(new_secret())
    postback.save(update_fields=["sealed_secret"])
    audit.record(actor=actor, action=IbAction.POSTBACK_KEY_CHANGED, target=postback, brand_id=postback.partner.brand_id)
    return postback


@transaction.atomic
def send_test(*, postback_id: int, actor: Actor) -> PostbackDelivery:
    """Send a postback with sample values, whether it is active or not; the log has the result.

    Who: as for setting one up. Raises: DomainError above TESTS_AN_HOUR.
    """
    postback = lock(Postback, postback_id, "partner")
    _require_owner(actor, postback.partner)
    if not is_within_limit(f"postback-test:{postback.partner_id}", limit=TESTS_AN_HOUR, seconds=3600):
        raise DomainError(_("Too many tests within an hour. Try again later."))
    now, event = timezone.now(), postback.events[0]
    url = macros.fill(postback.url, macros.sample(event))
    delivery = PostbackDelivery.objects.create(postback=postback, event=event, url=url, next_at=now, created_at=now)
    audit.record(actor=actor, action=IbAction.POSTBACK_TESTED, target=postback, brand_id=postback.partner.brand_id)
    enqueue_soon_on_commit(SENDING)
    return delivery


@transaction.atomic
def send_again(*, delivery_id: int, actor: Actor) -> PostbackDelivery:
    """Send a postback again that wasn't taken. Who: as for setting one up. Raises: WrongState unless it has failed."""
    delivery = lock(PostbackDelivery, delivery_id, "postback__partner")
    _require_owner(actor, delivery.postback.partner)
    if delivery.state != DeliveryState.FAILED:
        raise WrongState(_("Only a failed postback can be sent again."))
    delivery.move_to(DeliveryState.WAITING)
    delivery.attempts, delivery.next_at, delivery.done_at = 0, timezone.now(), None
    delivery.save(update_fields=["state", "attempts", "next_at", "done_at"])
    brand_id = delivery.postback.partner.brand_id
    audit.record(
        actor=actor,
        action=IbAction.POSTBACK_RESENT,
        target=delivery.postback,
        brand_id=brand_id,
        client_id=delivery.client_id,
        after={"delivery": delivery.pk},
    )
    enqueue_soon_on_commit(SENDING)
    return delivery


@transaction.atomic
def report_step(*, client_id: int, event: PostbackEvent) -> int:
    """Have the postbacks of a client's partner called for a step, once per client and step; return how many.

    Who: the system, as the step is taken. A partner who isn't active hears nothing.
    """
    whose = (
        Attribution.objects.filter(client_id=client_id, ends_at__isnull=True, partner__state=PartnerState.ACTIVE)
        .select_related("link", "client")
        .first()
    )
    if whose is None:
        return 0
    now = timezone.now()
    values = {
        "click_id": whose.click_id,
        "sub_id": whose.sub_id,
        "event": event,
        "event_id": f"{whose.pk}-{event}",
        "customer": whose.pk,
        "country": whose.client.country,
        "link": whose.link.code if whose.link else "",
        "campaign": whose.link.campaign if whose.link else "",
        "timestamp": int(now.timestamp()),
    }
    postbacks = Postback.objects.filter(partner_id=whose.partner_id, is_active=True, events__contains=[event])
    deliveries = [
        PostbackDelivery(
            postback=postback,
            client_id=client_id,
            event=event,
            url=macros.fill(postback.url, values)[:SENT_URL_LONGEST],
            next_at=now,
            created_at=now,
        )
        for postback in postbacks
    ]
    if deliveries:
        PostbackDelivery.objects.bulk_create(deliveries, ignore_conflicts=True)
        enqueue_soon_on_commit(SENDING)
    return len(deliveries)


@transaction.atomic
def key_for_reports(*, partner_id: int, actor: Actor, renews: bool = False) -> PostbackKey:
    """Return the key with which a network signs what it reports for a partner; made at the first call, or replaced.

    Who: as for setting up a postback.
    """
    partner = lock(Partner, partner_id)
    _require_owner(actor, partner)
    key = PostbackKey.objects.filter(partner=partner).first()
    if key is not None and not renews:
        return key
    if key is None:
        key = PostbackKey(partner=partner, code=secrets.token_hex(12))
    key.sealed_secret = PostbackKey.sealed(new_secret())
    key.save()
    audit.record(actor=actor, action=IbAction.POSTBACK_KEY_CHANGED, target=partner, brand_id=partner.brand_id)
    return key


def new_secret() -> str:
    """Make a signing key."""
    return secrets.token_hex(24)


def _require_owner(actor: Actor, partner: Partner) -> None:
    policies.require(can_manage_links(actor, partner))
