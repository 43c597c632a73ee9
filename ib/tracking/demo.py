"""The demo's claims on clients, and a partner's postback with its log."""

from __future__ import annotations

import datetime as dt
from typing import Final

from crm.choices import Role
from crm.db.bulk import copy_models
from crm.demo import Demo
from crm.models import Brand
from ib.models import Attribution, Partner, Postback, PostbackDelivery
from ib.tracking import claims, macros
from ib.tracking.choices import DeliveryState, PostbackEvent, PostbackFailure
from ib.tracking.postbacks import new_secret

TRACKER: Final = "https://tracker.example/postback?cid={click_id}&event={event}&sub={sub_id}"
UNKNOWN: Final = "someone.else@mail.example"
REPORTED: Final = 8


def load(demo: Demo, brand: Brand, partners: list[Partner]) -> None:
    """Let the first partner claim a client of a colleague's and one whom the broker doesn't know, and report to a tracker."""
    first = partners[0]
    theirs = (
        Attribution.objects.exclude(partner=first)
        .filter(partner__in=partners, ends_at__isnull=True)
        .exclude(client__email="")
        .select_related("client")
        .order_by("-starts_at", "pk")
        .first()
    )
    if theirs is not None:
        claims.claim_client(
            partner_id=first.pk,
            email=theirs.client.email,
            came_on=theirs.starts_at.date(),
            reason="Was at my seminar and registered the same evening",
            actor=first.user,
        )
    unknown = claims.claim_client(
        partner_id=first.pk, email=UNKNOWN, came_on=None, reason="Followed the link in my newsletter", actor=first.user
    )
    claims.reject_claim(
        claim_id=unknown.pk,
        answer="No client has registered with this address. Please ask for the one they used.",
        actor=demo.by_role[Role.IB_MANAGER][0],
    )
    _report(first, demo.now)


def _report(partner: Partner, now: dt.datetime) -> None:
    """Set up a postback whose log shows a month of calls; it is paused, since the demo calls nobody outside."""
    # Not by the verb, which looks the host up.
    postback = Postback.objects.create(
        partner=partner,
        url=TRACKER,
        events=[PostbackEvent.REGISTRATION, PostbackEvent.FUNDED],
        sealed_secret=Postback.sealed(new_secret()),
        is_active=False,
    )
    newest = (
        Attribution.objects.filter(partner=partner).select_related("client").order_by("-starts_at", "pk")[:REPORTED]
    )
    copy_models(
        [
            PostbackDelivery(
                postback=postback,
                client_id=row.client_id,
                event=PostbackEvent.REGISTRATION,
                url=macros.fill(TRACKER, {"event": PostbackEvent.REGISTRATION.value, "sub_id": row.sub_id}),
                state=DeliveryState.FAILED if number == 1 else DeliveryState.DELIVERED,
                failure=PostbackFailure.REFUSED if number == 1 else "",
                status_code=503 if number == 1 else 200,
                attempts=8 if number == 1 else 1,
                next_at=row.starts_at,
                created_at=row.starts_at,
                done_at=row.starts_at + (dt.timedelta(hours=17) if number == 1 else dt.timedelta(seconds=2)),
            )
            for number, row in enumerate(reversed(newest))
        ]
    )
