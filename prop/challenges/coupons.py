"""Coupons: created by staff, checked and counted when a challenge is bought."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError
from crm.models import Brand, User
from crm.security import audit, policies
from prop.audit_codes import PropAction
from prop.models import Coupon
from prop.policies import can_write_programmes


@transaction.atomic
def create_coupon(
    *, brand: Brand, code: str, percent: Decimal, uses_max: int, valid_until: dt.datetime, actor: User
) -> Coupon:
    """Create a coupon of a brand. Who: `prop.write_programme` there.

    Raises: NotAllowed, DomainError where the code is taken or nothing would be left to pay.
    """
    policies.require(can_write_programmes(actor, brand.pk))
    if not 0 < percent < 100:
        raise DomainError(_("A discount is more than 0 and less than 100 %."))
    if valid_until <= timezone.now():
        raise DomainError(_("The last day has passed."))
    try:
        with transaction.atomic():
            coupon = Coupon.objects.create(
                brand=brand,
                code=code.strip().upper(),
                percent=percent,
                uses_max=uses_max,
                valid_until=valid_until,
                made_by=actor,
            )
    except IntegrityError:
        raise DomainError(_("There's already a coupon “%(code)s”.") % {"code": code}) from None
    audit.record(
        actor=actor,
        action=PropAction.COUPON_CREATED,
        target=coupon,
        brand_id=brand.pk,
        after={"code": coupon.code, "percent": str(percent), "uses": uses_max},
    )
    return coupon


def usable_coupon(brand_id: int, code: str) -> Coupon | None:
    """Lock the coupon that a code names, None without a code. Raises: DomainError where it doesn't count now."""
    if not code.strip():
        return None
    pk = Coupon.objects.filter(brand_id=brand_id, code__iexact=code.strip()).values_list("pk", flat=True).first()
    coupon = lock(Coupon, pk) if pk else None
    if coupon is None or coupon.valid_until <= timezone.now() or coupon.uses >= coupon.uses_max:
        raise DomainError(_("This coupon isn't valid or has expired."))
    return coupon
