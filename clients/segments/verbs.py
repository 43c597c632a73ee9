"""Making segments, changing them, and who is on a fixed list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.audit_codes import ClientsAction
from clients.models import Client, Segment, SegmentMember
from clients.models.segments import SegmentKind
from clients.queries import clients_visible_to
from clients.segments import policies
from clients.segments.refreshing import announce
from clients.vocabulary import CLIENT
from crm.conditions import read
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.models import Actor
from crm.queue.enqueue import enqueue_on_commit
from crm.security import audit
from crm.security.policies import require
from crm.staff.company import open_brand

OPEN_MAX: Final = 200
# More is a segment by conditions.
LIST_MAX: Final = 100_000


@transaction.atomic
def create_segment(
    *, brand_id: int, name: str, actor: Actor, description: str = "", condition: Mapping[str, Any] | None = None
) -> Segment:
    """Make a segment: by a condition, or without one a fixed list that is empty. It is filled within seconds.

    Who: `clients.manage_segment` in the brand. Raises: NotAllowed; WrongState for an archived brand; DomainError for a name
    that is taken, a condition that can't be read, or where the brand has its two hundred.
    """
    require(policies.can_manage(actor, brand_id))
    open_brand(brand_id)
    if Segment.objects.filter(brand_id=brand_id, archived_at=None).count() >= OPEN_MAX:
        raise DomainError(_("The brand already has %(count)s segments. Archive some first.") % {"count": OPEN_MAX})
    _require_free(brand_id, name)
    stored = None if condition is None else read(condition, CLIENT).stored()
    segment = Segment.objects.create(
        brand_id=brand_id,
        name=name,
        description=description,
        kind=SegmentKind.LIST if stored is None else SegmentKind.RULE,
        condition=stored,
        created_by=actor,
        created_at=timezone.now(),
    )
    audit.record(
        actor=actor,
        action=ClientsAction.SEGMENT_CREATED,
        target=segment,
        brand_id=brand_id,
        after={"name": name, "kind": segment.kind, "condition": stored},
    )
    _refresh_soon(segment)
    return segment


@transaction.atomic
def change_segment(
    *, segment_id: int, name: str, actor: Actor, description: str = "", condition: Mapping[str, Any] | None = None
) -> Segment:
    """Change name, description and, of a segment by conditions, the condition: who enters or leaves by that is an event, too.

    Who: as for a new one. Raises: NotAllowed, WrongState where it is archived; DomainError as for a new one.
    """
    segment = _open(segment_id, actor)
    _require_free(segment.brand_id, name, besides=segment.pk)
    stored = read(condition, CLIENT).stored() if segment.is_rule and condition is not None else segment.condition
    after = {"name": name, "description": description, "condition": stored}
    before = {field: getattr(segment, field) for field, value in after.items() if getattr(segment, field) != value}
    if before:
        for field in before:
            setattr(segment, field, after[field])
        segment.save(update_fields=list(before))
        audit.record(
            actor=actor,
            action=ClientsAction.SEGMENT_CHANGED,
            target=segment,
            brand_id=segment.brand_id,
            before=before,
            after={field: after[field] for field in before},
        )
        _refresh_soon(segment)
    return segment


@transaction.atomic
def archive_segment(*, segment_id: int, actor: Actor, is_archived: bool = True) -> Segment:
    """Archive a segment: its members stay as they are and nobody enters or leaves; or bring it back.

    Who: as for a new one. Raises: NotAllowed; WrongState where it is so already; DomainError where its name was taken meanwhile.
    """
    segment = lock(Segment, segment_id)
    require(policies.can_manage(actor, segment.brand_id))
    if (segment.archived_at is not None) == is_archived:
        raise WrongState(_("The segment is archived already.") if is_archived else _("The segment isn't archived."))
    if not is_archived:
        _require_free(segment.brand_id, segment.name)
    segment.archived_at = timezone.now() if is_archived else None
    segment.save(update_fields=["archived_at"])
    action = ClientsAction.SEGMENT_ARCHIVED if is_archived else ClientsAction.SEGMENT_RESTORED
    audit.record(actor=actor, action=action, target=segment, brand_id=segment.brand_id)
    _refresh_soon(segment)
    return segment


@transaction.atomic
def add_members(*, segment_id: int, client_ids: Sequence[int], actor: Actor) -> int:
    """Put records on a fixed list; those that are on it, or of another brand, are left out. Returns how many were added.

    Who: as for a new segment, and the records must be visible to them. Raises: NotAllowed, WrongState for an archived one;
    DomainError for a segment by conditions, or a list that would be too long.
    """
    segment = _open_list(segment_id, actor)
    rows = Client.objects.all() if actor is None else clients_visible_to(actor)
    found = rows.filter(pk__in=client_ids, brand_id=segment.brand_id).order_by("pk")
    there = SegmentMember.objects.filter(segment=segment, left_at=None)
    new = list(found.exclude(pk__in=there.values("client_id")).values_list("pk", flat=True))
    if segment.size + len(new) > LIST_MAX:
        raise DomainError(
            _("A fixed list has %(count)s records at most. Use conditions instead.") % {"count": LIST_MAX}
        )
    now = timezone.now()
    SegmentMember.objects.bulk_create(
        [SegmentMember(segment=segment, client_id=pk, entered_at=now) for pk in new], batch_size=5_000
    )
    _note(segment, actor, ClientsAction.SEGMENT_MEMBERS_ADDED, len(new), new)
    announce(segment, now, entered=len(new), left=0)
    return len(new)


@transaction.atomic
def remove_members(*, segment_id: int, client_ids: Sequence[int], actor: Actor) -> int:
    """Take records off a fixed list. Returns how many were on it. Who and raises: as for adding."""
    segment = _open_list(segment_id, actor)
    rows = Client.objects.all() if actor is None else clients_visible_to(actor)
    there = SegmentMember.objects.filter(segment=segment, left_at=None, client_id__in=client_ids)
    gone = list(there.filter(client__in=rows).order_by("client_id").values_list("client_id", flat=True))
    now = timezone.now()
    there.filter(client_id__in=gone).update(left_at=now)
    _note(segment, actor, ClientsAction.SEGMENT_MEMBERS_REMOVED, -len(gone), gone)
    announce(segment, now, entered=0, left=len(gone))
    return len(gone)


def _note(segment: Segment, actor: Actor, action: ClientsAction, change: int, client_ids: Sequence[int]) -> None:
    if not change:
        return
    segment.size += change
    segment.refreshed_at = timezone.now()
    segment.save(update_fields=["size", "refreshed_at"])
    audit.record(
        actor=actor,
        action=action,
        target=segment,
        brand_id=segment.brand_id,
        after={"count": len(client_ids), "size": segment.size},
        evidence={"clients": list(client_ids[:1000])},
    )


def _open(segment_id: int, actor: Actor) -> Segment:
    segment = lock(Segment, segment_id)
    require(policies.can_manage(actor, segment.brand_id))
    if segment.archived_at is not None:
        raise WrongState(_("The segment is archived. Restore it first."))
    return segment


def _open_list(segment_id: int, actor: Actor) -> Segment:
    segment = _open(segment_id, actor)
    if segment.is_rule:
        raise DomainError(_("The conditions decide who is in this segment. Change these, or make a fixed list."))
    return segment


def _require_free(brand_id: int, name: str, besides: int | None = None) -> None:
    taken = Segment.objects.filter(brand_id=brand_id, name=name, archived_at=None).exclude(pk=besides or 0)
    if taken.exists():
        raise DomainError(_("The brand already has a segment with this name."), code="duplicate")


def _refresh_soon(segment: Segment) -> None:
    if segment.is_rule and segment.archived_at is None:
        enqueue_on_commit("clients.refresh_segment", segment.pk)
