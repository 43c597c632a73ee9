"""Who is in which segment now, for what depends on it: routing, scoring and bonuses."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import Q

from clients.models import Segment, SegmentMember
from clients.models.segments import SegmentKind


def segments_of(client_ids: Collection[int]) -> dict[int, list[tuple[int, str]]]:
    """Return number and name of the open segments that records are in, by record; those that are in none are left out."""
    rows = SegmentMember.objects.filter(client__in=client_ids, left_at=None, segment__archived_at=None)
    found: dict[int, list[tuple[int, str]]] = {}
    for client_id, pk, name in rows.order_by("segment_id").values_list("client_id", "segment_id", "segment__name"):
        found.setdefault(client_id, []).append((pk, name))
    return found


def is_member(client_id: int, segment_id: int | None) -> bool:
    """Check whether a record is in a segment; None is everybody."""
    return segment_id is None or segment_id in members_among(client_id, [segment_id])


def members_among(client_id: int, segment_ids: Iterable[int]) -> set[int]:
    """Select which of these segments a record is in."""
    rows = SegmentMember.objects.filter(client=client_id, segment__in=list(segment_ids), left_at=None)
    return set(rows.values_list("segment_id", flat=True))


def names_in(brand_id: int) -> dict[int, str]:
    """Name the open segments of a brand, by number: policies may have values for them."""
    return dict(Segment.objects.filter(brand=brand_id, archived_at=None).order_by().values_list("pk", "name"))


def fitting(client_ids: Collection[int], segment_ids: Collection[int]) -> dict[int, list[int]]:
    """Select which of these open segments each client is in, the most specific first. One query.

    A list that people picked comes before conditions; of two of a kind the one with fewer members, then the newer one.
    """
    rows = SegmentMember.objects.filter(
        client__in=client_ids, segment__in=segment_ids, left_at=None, segment__archived_at=None
    ).annotate(is_rule=Q(segment__kind=SegmentKind.RULE))
    found: dict[int, list[int]] = {}
    for client_id, pk in rows.order_by("is_rule", "segment__size", "-segment_id").values_list(
        "client_id", "segment_id"
    ):
        found.setdefault(client_id, []).append(pk)
    return found


def open_segments(brand_ids: Iterable[int]) -> list[tuple[str, str]]:
    """Offer the open segments of some brands as choices."""
    rows = Segment.objects.filter(brand__in=list(brand_ids), archived_at=None).select_related("brand")
    return [(str(row.pk), f"{row.name} · {row.brand}") for row in rows.order_by("brand__name", "name")]
