"""The demo's segments: whom marketing and retention speak to, and who entered and left in the last weeks."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any, Final

from clients.models import Client, Segment, SegmentMember
from clients.segments import refreshing, verbs
from crm.demo import Demo

DEPOSITED: Final = {"field": "first_deposit_at", "is": "empty"}
RULES: Final[tuple[tuple[str, str, list[dict[str, Any]]], ...]] = (
    (
        "Verified, no deposit",
        "Verified clients who haven't deposited yet",
        [{"field": "kyc_level", "is": "ge", "value": 1}, DEPOSITED],
    ),
    (
        "Traded, now quiet",
        "Have traded, but not in the last two weeks",
        [
            {"not": {"field": "last_trade_at", "is": "empty"}},
            {"not": {"field": "last_trade_at", "is": "within", "value": 14}},
        ],
    ),
    (
        "Newsletter, German",
        "German speakers who agreed to marketing",
        [{"field": "marketing_consent", "is": "yes"}, {"field": "language", "is": "starts", "value": "de"}],
    ),
)
LIST: Final = ("Trading seminar, spring", "Guests of the seminar")
GUESTS: Final = 12
MOVED: Final = 8


def write_segments(demo: Demo) -> None:
    """Fill each brand's segments, and date some entries and leavings back."""
    rng = random.Random("segments")
    for brand in demo.brands:
        for name, about, parts in RULES:
            condition = {"version": 1, "all": parts}
            segment = verbs.create_segment(
                brand_id=brand.pk, name=name, description=about, condition=condition, actor=None
            )
            refreshing.refresh(segment.pk)
            _date_back(demo, segment, rng)
        guests = list(
            Client.objects.filter(brand=brand, stage="active").order_by("-pk").values_list("pk", flat=True)[:GUESTS]
        )
        fixed = verbs.create_segment(brand_id=brand.pk, name=LIST[0], description=LIST[1], actor=None)
        verbs.add_members(segment_id=fixed.pk, client_ids=guests, actor=None)


def _date_back(demo: Demo, segment: Segment, rng: random.Random) -> None:
    began = demo.now - dt.timedelta(days=40)
    Segment.objects.filter(pk=segment.pk).update(created_at=began)
    rows = SegmentMember.objects.filter(segment=segment)
    latest = list(rows.order_by("-client_id")[:MOVED])
    rows.update(entered_at=began)
    for place, member in enumerate(latest):
        member.entered_at = demo.now - dt.timedelta(days=place * 2, hours=rng.uniform(1, 20))
        member.is_initial = False
    SegmentMember.objects.bulk_update(latest, ["entered_at", "is_initial"])
    others = (
        Client.objects.filter(brand=segment.brand_id).exclude(pk__in=rows.values("client_id")).exclude(stage="closed")
    )
    SegmentMember.objects.bulk_create(
        SegmentMember(
            segment=segment,
            client_id=pk,
            entered_at=began,
            left_at=demo.now - dt.timedelta(days=place * 3, hours=rng.uniform(1, 20)),
            is_initial=True,
        )
        for place, pk in enumerate(others.order_by("-pk").values_list("pk", flat=True)[:MOVED])
    )
