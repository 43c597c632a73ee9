"""Postbacks of partners and of lead sources: which addresses are called when a client takes a step."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
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
from ib.tracking.choices import PARTNER_STEPS, DeliveryState, PostbackEvent
from leads.guard import is_within_limit
from leads.models import Lead, LeadSource
from leads.sources import can_set_up

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
    return _save(partner, macros.check_url(url), [step for step in PARTNER_STEPS if step in events], actor, postback_id)


@transaction.atomic
def save_source_postback(
    *, source_id: int, url: str, events: Sequence[str], actor: Actor, postback_id: int | None = None
) -> Postback:
    """Set up a lead source's postback, or change one. What waits to be sent keeps its address.

    Who: `leads.manage_sources` at the brand. Raises: as for a partner's.
    """
    source = lock(LeadSource, source_id)
    _require_owner(actor, source)
    checked = macros.check_url(url, macros.SOURCE_MACROS)
    return _save(source, checked, [step for step in PostbackEvent if step in events], actor, postback_id)


def _save(
    owner: Partner | LeadSource, url: str, steps: Sequence[PostbackEvent], actor: Actor, postback_id: int | None
) -> Postback:
    chosen = [step.value for step in steps]
    if not chosen:
        raise DomainError(_("Choose at least one step."))
    if postback_id is None:
        if owner.postbacks.count() >= POSTBACKS_MAX:
            raise DomainError(_("You've reached the limit of %(count)s postbacks.") % {"count": POSTBACKS_MAX})
        whose = {"partner" if isinstance(owner, Partner) else "source": owner}
        postback = Postback(sealed_secret=Postback.sealed(new_secret()), **whose)
    else:
        postback = lock(owner.postbacks.all(), postback_id)
    before = {"url": postback.url, "events": postback.events} if postback.pk else None
    postback.url, postback.events = url, chosen
    postback.save()
    audit.record(
        actor=actor,
        action=IbAction.POSTBACK_CHANGED if before else IbAction.POSTBACK_CREATED,
        target=postback,
        brand_id=owner.brand_id,
        before=before,
        after={"url": url, "events": chosen},
    )
    return postback


@transaction.atomic
def switch_postback(*, postback_id: int, is_active: bool, actor: Actor) -> Postback:
    """Pause a postback, or activate it again. Steps taken meanwhile aren't sent later. Who: as for setting one up."""
    postback = _locked(postback_id, actor)
    postback.is_active = is_active
    postback.save(update_fields=["is_active"])
    audit.record(
        actor=actor,
        action=IbAction.POSTBACK_CHANGED,
        target=postback,
        brand_id=postback.owner.brand_id,
        after={"is_active": is_active},
    )
    return postback


@transaction.atomic
def renew_secret(*, postback_id: int, actor: Actor) -> Postback:
    """Replace a postback's signing key; the old one signs nothing from now on. Who: as for setting one up."""
    postback = _locked(postback_id, actor)
    postback.sealed_secret = Postback.sealed(new_secret())
    postback.save(update_fields=["sealed_secret"])
    audit.record(actor=actor, action=IbAction.POSTBACK_KEY_CHANGED, target=postback, brand_id=postback.owner.brand_id)
    return postback


@transaction.atomic
def send_test(*, postback_id: int, actor: Actor) -> PostbackDelivery:
    """Send a postback with sample values, whether it is active or not; the log has the result.

    Who: as for setting one up. Raises: DomainError above TESTS_AN_HOUR.
    """
    postback = _locked(postback_id, actor)
    if not is_within_limit(f"postback-test:{_mark(postback)}", limit=TESTS_AN_HOUR, seconds=3600):
        raise DomainError(_("Too many tests within an hour. Try again later."))
    now, event = timezone.now(), postback.events[0]
    known = macros.MACROS if postback.partner_id else macros.SOURCE_MACROS
    url = macros.fill(postback.url, macros.sample(event, known))
    delivery = PostbackDelivery.objects.create(postback=postback, event=event, url=url, next_at=now, created_at=now)
    audit.record(actor=actor, action=IbAction.POSTBACK_TESTED, target=postback, brand_id=postback.owner.brand_id)
    enqueue_soon_on_commit(SENDING)
    return delivery


@transaction.atomic
def send_again(*, delivery_id: int, actor: Actor) -> PostbackDelivery:
    """Send a postback again that wasn't taken. Who: as for setting one up. Raises: WrongState unless it has failed."""
    delivery = lock(PostbackDelivery, delivery_id, "postback")
    _require_owner(actor, delivery.postback.owner)
    if delivery.state != DeliveryState.FAILED:
        raise WrongState(_("Only a failed postback can be sent again."))
    delivery.move_to(DeliveryState.WAITING)
    delivery.attempts, delivery.next_at, delivery.done_at = 0, timezone.now(), None
    delivery.save(update_fields=["state", "attempts", "next_at", "done_at"])
    brand_id = delivery.postback.owner.brand_id
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
    values = {
        "click_id": whose.click_id,
        "sub_id": whose.sub_id,
        "event_id": f"{whose.pk}-{event}",
        "customer": whose.pk,
        "country": whose.client.country,
        "link": whose.link.code if whose.link else "",
        "campaign": whose.link.campaign if whose.link else "",
    }
    return _queue(Postback.objects.filter(partner_id=whose.partner_id), client_id=client_id, event=event, values=values)


@transaction.atomic
def report_lead(*, lead_id: int) -> int:
    """Have the postbacks of a lead's source called because it was accepted, once per client; return how many.

    Who: the system, as the lead is captured. A person who was known before is reported in the same way: a source isn't to learn
    from it who was.
    """
    lead = Lead.objects.select_related("client", "campaign", "api_source").get(pk=lead_id)
    return 0 if lead.refusal else _report_of(lead, PostbackEvent.LEAD)


@transaction.atomic
def report_step_to_source(*, client_id: int, event: PostbackEvent) -> int:
    """Have the postbacks of the source called whose lead was a client's first; once per client and step; return how many."""
    first = Lead.objects.filter(client_id=client_id).order_by("captured_at", "pk")
    lead = first.select_related("client", "campaign", "api_source").first()
    return _report_of(lead, event) if lead is not None else 0


def _report_of(lead: Lead, event: PostbackEvent) -> int:
    if lead.api_source is None or not lead.api_source.is_active:
        return 0
    values = {
        "click_id": lead.click_id,
        "sub_id": lead.sub_id,
        "event_id": f"l{lead.pk}-{event}",
        "lead_id": lead.pk,
        "country": lead.client.country,
        "campaign": lead.campaign.code if lead.campaign else "",
    }
    postbacks = Postback.objects.filter(source_id=lead.api_source_id)
    return _queue(postbacks, client_id=lead.client_id, event=event, values=values)


def _queue(postbacks: QuerySet[Postback], *, client_id: int, event: PostbackEvent, values: Mapping[str, object]) -> int:
    """Write a delivery for each of the active ones that hear the step, as their addresses are now; return how many."""
    now = timezone.now()
    given = {**values, "event": event.value, "timestamp": int(now.timestamp())}
    deliveries = [
        PostbackDelivery(
            postback=postback,
            client_id=client_id,
            event=event,
            url=macros.fill(postback.url, given)[:SENT_URL_LONGEST],
            next_at=now,
            created_at=now,
        )
        for postback in postbacks.filter(is_active=True, events__contains=[event])
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


def _locked(postback_id: int, actor: Actor) -> Postback:
    postback = lock(Postback, postback_id)
    _require_owner(actor, postback.owner)
    return postback


def _mark(postback: Postback) -> str:
    return f"s{postback.source_id}" if postback.partner_id is None else str(postback.partner_id)


def _require_owner(actor: Actor, owner: Partner | LeadSource) -> None:
    if isinstance(owner, Partner):
        policies.require(can_manage_links(actor, owner))
    else:
        policies.require(can_set_up(actor, owner.brand_id))
