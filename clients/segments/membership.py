"""Who is in which segment now, for what depends on it: routing, scoring and bonuses."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from clients.models import Segment, SegmentMember


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


def open_segments(brand_ids: Iterable[int]) -> list[tuple[str, str]]:
    """Offer the open segments of some brands as choices."""
    rows = Segment.objects.filter(brand__in=list(brand_ids), archived_at=None).select_related("brand")
    return [(str(row.pk), f"{row.name} · {row.brand}") for row in rows.order_by("brand__name", "name")]
