"""Buying a challenge out of the client's wallet: paid, written down and its first account requested in one transaction."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import TimelineKind
from clients.models import Client
from crm.db.locking import lock
from crm.errors import DomainError, IdempotencyConflict
from crm.events import ChallengeSold, publish
from crm.i18n.localized_text import phrase
from crm.models import User
from crm.money.amounts import Money, quantize
from crm.security import audit, policies
from prop.audit_codes import PropAction
from prop.challenges.coupons import usable_coupon
from prop.challenges.fees import post_fee
from prop.challenges.phases import start_phase
from prop.choices import VersionState
from prop.models import Challenge, Coupon, ProgrammeSize
from prop.policies import can_buy


def discount_of(size: ProgrammeSize, coupon: Coupon | None) -> Decimal:
    """Compute what a coupon takes off a fee, in the version's currency."""
    if coupon is None:
        return Decimal(0)
    return quantize(size.fee * coupon.percent / 100, size.version.currency)


@transaction.atomic
def buy_challenge(*, client_id: int, size_id: int, coupon: str = "", request_key: str, actor: User) -> Challenge:
    """Buy a challenge of an account size. The same request_key with the same size is the same challenge.

    Who: the client. Raises: NotAllowed, DomainError (no longer on sale, coupon, no account possible), InsufficientFunds,
    IdempotencyConflict.
    """
    client = lock(Client, client_id, "brand")
    policies.require(can_buy(actor, client))
    known = Challenge.objects.filter(client=client, request_key=request_key).first()
    if known is not None:
        if known.size_id != size_id:
            raise IdempotencyConflict(_("This form was already submitted with different details. Start again."))
        return known
    size = ProgrammeSize.objects.select_related("version__programme").filter(pk=size_id).first()
    if (
        size is None
        or size.version.programme.brand_id != client.brand_id
        or size.version.state != VersionState.PUBLISHED
    ):
        raise DomainError(_("This challenge is no longer on sale. Choose another one."))
    used = usable_coupon(client.brand_id, coupon)
    discount = discount_of(size, used)
    price = size.fee - discount
    if price <= 0 or (used is not None and not discount):
        raise DomainError(_("This coupon can't be used for this challenge."))
    challenge = Challenge(
        brand=client.brand,
        client=client,
        version=size.version,
        size=size,
        coupon=used,
        currency=size.version.currency,
        balance=size.balance,
        price=price,
        discount=discount,
        request_key=request_key,
        bought_at=timezone.now(),
    )
    challenge.payment_id = post_fee(challenge, price, key=f"challenge:{client.pk}:{request_key}", actor=actor)
    challenge.save()
    if used is not None:
        used.uses += 1
        used.save(update_fields=["uses"])
    start_phase(challenge, size.version.phases.order_by("number")[0], actor=actor)
    _record(challenge, actor)
    publish(
        ChallengeSold(
            client_id=client.pk,
            brand_id=client.brand_id,
            challenge_id=challenge.pk,
            amount=price,
            currency=challenge.currency,
            sold_at=challenge.bought_at,
        )
    )
    return challenge


def _record(challenge: Challenge, actor: User) -> None:
    audit.record(
        actor=actor,
        action=PropAction.CHALLENGE_BOUGHT,
        target=challenge,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        after={
            "version": challenge.version_id,
            "balance": str(challenge.balance),
            "price": str(challenge.price),
            "discount": str(challenge.discount),
            "currency": challenge.currency,
        },
    )
    timeline.add_entry(
        client_id=challenge.client_id,
        kind=TimelineKind.PAYMENT,
        title=phrase("Challenge bought: %(programme)s") % {"programme": challenge.version.programme.name},
        body=phrase("%(balance)s for %(price)s")
        % {
            "balance": Money(challenge.balance, challenge.currency),
            "price": Money(challenge.price, challenge.currency),
        },
        actor=actor,
        url=challenge.get_absolute_url(),
        dedupe_key=f"prop.challenge_bought:{challenge.pk}",
    )
