"""The demo's referral review: some clients of one partner signed up with the partner's own device."""

from __future__ import annotations

import datetime as dt
from math import ceil
from typing import Final

from django.db.models import Count

from clients.choices import IdentifierKind
from clients.identifiers.keeping import Seen, learn_many, learn_of_staff
from crm.demo import Demo
from crm.models import Brand
from ib.abuse.reviews import review_referrals
from ib.abuse.score import CLIENTS_MIN, PRIOR
from ib.abuse.signals import DAYS
from ib.models import Attribution, Partner

# So large a part of a partner's clients, with the usual ones that a share is shrunk towards, is past any brand's score.
PART: Final = 0.25
# Of the partner whose login the demo names only where no other has clients enough; else of one with about so many.
LIKELY: Final = 12


def load(demo: Demo, brand: Brand, partners: list[Partner]) -> None:
    """Let the review open as it would at night."""
    since = demo.now - dt.timedelta(days=DAYS - 1)
    mine = Attribution.objects.filter(partner__in=partners, ends_at__isnull=True, starts_at__gte=since)
    sizes = dict(mine.values_list("partner_id").annotate(n=Count("pk")).order_by())
    fitting = [partner for partner in partners if sizes.get(partner.pk, 0) >= CLIENTS_MIN]
    if fitting:
        partner = min(fitting, key=lambda row: (row == partners[0], abs(sizes[row.pk] - LIKELY), row.pk))
        _share_a_device(
            demo, partner, [*mine.filter(partner=partner).order_by("pk").values_list("client_id", "starts_at")]
        )
    review_referrals(brand, at=demo.now)


def _share_a_device(demo: Demo, partner: Partner, clients: list[tuple[int, dt.datetime]]) -> None:
    device = f"demo-partner-{partner.code}"
    learn_of_staff(partner.user_id, IdentifierKind.DEVICE, device)
    some = clients[: ceil(PART * (len(clients) + PRIOR))]
    learn_many(
        Seen(pk, IdentifierKind.DEVICE, device, at, min(at + dt.timedelta(hours=1), demo.now)) for pk, at in some
    )
