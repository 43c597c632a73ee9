"""Two records of one person become one, and two again when that was a mistake."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any, Final

import orjson
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from simple_history.utils import bulk_update_with_history

from clients import policies, timeline
from clients.audit_codes import ClientsAction
from clients.choices import SalesStatus, Stage, TimelineKind
from clients.merging import custom_values, late
from clients.merging.attachments import ATTACHMENTS, move_rows
from clients.models import Client, ClientMerge
from clients.profile import CONTACT, PERSONAL
from crm.db.locking import lock, lock_all
from crm.due import cancel, due
from crm.errors import DomainError, NotFound, WrongState
from crm.events import ClientsMerged, ClientsMergeUndone, publish
from crm.i18n.localized_text import phrase
from crm.models import Actor
from crm.security import audit
from crm.security.crypto import KeyDestroyed, decrypt_for_client, encrypt_for_client

FIELDS: Final = CONTACT + PERSONAL
RIGHT: Final = "clients.merge_client"
LONGEST_CHAIN: Final = 50


@transaction.atomic
def merge_clients(
    *, kept_id: int, merged_id: int, actor: Actor, taken: Collection[str] = (), seen: str = "", reason: str = ""
) -> ClientMerge:
    """Merge one record into another of the same person: what hangs on it follows (`clients.merging.attachments`).

    taken: the fields whose value is the merged record's from now on, by name, a custom field as `custom_7`. E-mail addresses are
    exchanged: each is one client's. seen: the `fingerprint` of both as they were shown. A lead's record is closed; a registered
    client's stays open for its portal login, its money and its documents.

    Who: `clients.merge_client` with both in reach, and may change the fields. Raises: NotAllowed; WrongState where one was
    merged before or has changed since; DomainError for two that can't be merged (`obstacle`).
    """
    kept, merged = _lock_both(kept_id, merged_id)
    for client in (kept, merged):
        policies.require(policies.can_merge(actor, client))
    if refusal := obstacle(kept, merged):
        raise WrongState(refusal)
    if seen and seen != fingerprint(kept, merged):
        raise WrongState(_("One of the records has changed since you opened this page. Check the values again."))
    before = _values(kept), _values(merged)
    changed = [name for name in FIELDS if name in taken and before[0][name] != before[1][name]]
    policies.require(policies.can_change(actor, kept, changed))
    merge = ClientMerge(
        brand_id=kept.brand_id,
        kept=kept,
        merged=merged,
        merged_by=actor,
        stage_before=merged.stage,
        reason=reason.strip()[:300],
    )
    for name in changed:
        setattr(kept, name, before[1][name])
    if merged.stage == Stage.LEAD:
        merged.move_to(Stage.CLOSED, "stage")
    merged.merged_into = kept
    mailboxes = {before[1]["email"]: kept, before[0]["email"]: merged} if "email" in changed else {}
    _save_both(kept, merged, changed, ["stage", "merged_into"], {c.pk: m for m, c in mailboxes.items()}, actor)
    swapped = custom_values.swap(kept, merged, taken)
    merge.moved = move_rows(merged.pk, kept.pk)
    merge.fields = encrypt_for_client(
        kept.pk,
        orjson.dumps({"changed": changed, "kept": before[0], "merged": before[1], "custom": swapped}, default=str),
    )
    merge.save()
    late.rebuild_facts(merge)
    if merge.stage_before == Stage.LEAD:
        due(late.LATE, key=merge.pk, at=timezone.now() + late.WAIT, client_id=kept.pk, brand_id=kept.brand_id)
    _record_merge(
        merge, actor, {name: before[0][name] for name in changed}, {name: before[1][name] for name in changed}
    )
    return merge


@transaction.atomic
def undo_merge(*, merge_id: int, actor: Actor, reason: str) -> ClientMerge:
    """Take two merged records apart: what came from the merged one goes back, what came since stays.

    A field goes back unless it was changed since. The newest merge of a client is undone first.

    Who: `clients.merge_client` with both in reach. Raises: NotAllowed, NotFound; WrongState when undone already, or where a later
    merge has to be undone before; DomainError without a reason.
    """
    found = ClientMerge.objects.filter(pk=merge_id).first()
    if found is None:
        raise NotFound(_("This record no longer exists. Reload the page."))
    kept, merged = _lock_both(found.kept_id, found.merged_id)
    merge = lock(ClientMerge, merge_id)
    for client in (kept, merged):
        policies.require(policies.can_merge(actor, client))
    if merge.undone_at is not None:
        raise WrongState(_("This merge was already undone."))
    later = ClientMerge.objects.filter(kept=kept, undone_at=None, pk__gt=merge.pk).first()
    if kept.merged_into_id or later is not None:
        number = kept.merged_into_id or later.merged_id  # type: ignore[union-attr]
        raise WrongState(_("Undo the later merge with #%(number)s first.") % {"number": number})
    if not reason.strip():
        raise DomainError(_("Enter a reason."))
    merge.undone_by, merge.undone_at, merge.undo_reason = actor, timezone.now(), reason.strip()[:300]
    merge.save(update_fields=["undone_by", "undone_at", "undo_reason"])
    for key, ids in sorted(merge.moved.items()):
        entry = ATTACHMENTS[key]
        rows = list(entry.movable(kept.pk, merged.pk).filter(pk__in=ids).values_list("pk", flat=True))
        entry.model._base_manager.filter(pk__in=rows).update(**{entry.column: merged.pk})
    restored = _restore_fields(merge, kept, merged, actor)
    late.rebuild_facts(merge)
    cancel(late.LATE, merge.pk)
    _record_undo(merge, actor, restored)
    return merge


def survivor_of(client: Client) -> Client:
    """Follow the merges of a record to the one that is kept now."""
    for _step in range(LONGEST_CHAIN):
        if client.merged_into_id is None:
            break
        client = Client.objects.select_related("owner", "book", "brand").get(pk=client.merged_into_id)
    return client


def obstacle(kept: Client, merged: Client) -> str:
    """Say why these two can't be merged this way round; empty where they can."""
    number = {"kept": f"#{kept.pk}", "merged": f"#{merged.pk}"}
    for client in (kept, merged):
        if client.merged_into_id:
            return _("#%(number)s was merged into #%(into)s.") % {"number": client.pk, "into": client.merged_into_id}
    if kept.brand_id != merged.brand_id:
        return _("The records belong to different brands.")
    if kept.kind != merged.kind or Stage.RELATED in (kept.stage, merged.stage):
        return _("A company and its related persons can't be merged with clients.")
    if kept.stage == Stage.CLOSED:
        return _("%(kept)s is closed. Keep the other record.") % number
    if kept.stage == Stage.LEAD and merged.stage != Stage.LEAD:
        return _("%(merged)s has registered and %(kept)s hasn't. Keep the registered record.") % number
    if merged.stage == Stage.LEAD and merged.restrictions:
        return _("%(merged)s has restrictions, which would no longer apply. Ask compliance.") % number
    if SalesStatus.DO_NOT_CALL == merged.sales_status != kept.sales_status and kept.stage == Stage.LEAD:
        return _("%(merged)s asked not to be called. Set that status on %(kept)s first.") % number
    return ""


def fingerprint(kept: Client, merged: Client) -> str:
    """Name the state of two records as they are shown side by side."""
    shown = [_values(kept), _values(merged), kept.stage, merged.stage, *custom_values.state_of(kept, merged)]
    return hashlib.sha256(orjson.dumps(shown, default=str)).hexdigest()[:32]


def _lock_both(kept_id: int, merged_id: int) -> tuple[Client, Client]:
    rows = {client.pk: client for client in lock_all(Client, "brand", "book", pks={kept_id, merged_id})}
    if kept_id == merged_id:
        raise DomainError(_("Choose another record: this is the same one."))
    if len(rows) != 2:
        raise NotFound(_("This record no longer exists. Reload the page."))
    return rows[kept_id], rows[merged_id]


def _values(client: Client) -> dict[str, Any]:
    return {name: getattr(client, name) for name in FIELDS}


def _save_both(
    kept: Client,
    merged: Client,
    of_kept: Collection[str],
    of_merged: Collection[str],
    mailboxes: dict[int, str],
    actor: Actor,
) -> None:
    """Save both with their versions. No two clients of a brand have one address, at no time: it is set free in between."""
    if mailboxes:
        merged.email = ""
        bulk_update_with_history([merged], Client, ["email"], default_user=actor)
        kept.email, of_kept = mailboxes[kept.pk], {*of_kept, "email"}
    if of_kept:
        bulk_update_with_history([kept], Client, sorted(of_kept), default_user=actor)
    if mailboxes:
        merged.email, of_merged = mailboxes[merged.pk], {*of_merged, "email"}
    bulk_update_with_history([merged], Client, sorted(of_merged), default_user=actor)


def _restore_fields(merge: ClientMerge, kept: Client, merged: Client, actor: Actor) -> dict[str, Any]:
    """Give both records back what they had, except what was changed since; an erased client's values are gone."""
    try:
        before = orjson.loads(decrypt_for_client(kept.pk, merge.fields))
    except KeyDestroyed:
        before = {"changed": [], "kept": {}, "merged": {}, "custom": []}
    was = {
        side: {name: Client._meta.get_field(name).to_python(value) for name, value in before[side].items()}  # type: ignore[union-attr]
        for side in ("kept", "merged")
    }
    unchanged = [name for name in before["changed"] if getattr(kept, name) == was["merged"][name]]
    mailboxes: dict[int, str] = {}
    if "email" in before["changed"] and merged.email != was["kept"]["email"]:  # somebody else may have it by now
        unchanged = [name for name in unchanged if name != "email"]
    restored = {name: was["kept"][name] for name in unchanged}
    for name, value in restored.items():
        setattr(kept, name, value)
    if "email" in before["changed"] and merged.email == was["kept"]["email"]:
        mailboxes = {kept.pk: kept.email, merged.pk: _if_free(was["merged"]["email"], kept, merged)}
    # No step of the stages' table leads back from closed: the record is as it was before, it doesn't go on from here.
    was_lead = (
        {"stage": merge.stage_before} if merge.stage_before == Stage.LEAD and merged.stage == Stage.CLOSED else {}
    )
    for name, value in {**was_lead, "merged_into": None}.items():
        setattr(merged, name, value)
    _save_both(kept, merged, unchanged, ["stage", "merged_into"], mailboxes, actor)
    custom_values.swap_back(kept, merged, before["custom"])
    return restored


def _if_free(email: str, kept: Client, merged: Client) -> str:
    """Return the address unless another client has it by now."""
    others = Client.objects.filter(brand_id=merged.brand_id, email=email).exclude(pk__in=[kept.pk, merged.pk])
    return "" if email and (email == kept.email or others.exists()) else email


def _record_merge(merge: ClientMerge, actor: Actor, before: dict[str, Any], after: dict[str, Any]) -> None:
    counts = {key: len(ids) for key, ids in merge.moved.items()}
    for client in (merge.kept, merge.merged):
        is_kept = client.pk == merge.kept_id
        audit.record(
            actor=actor,
            action=ClientsAction.MERGED,
            target=client,
            client_id=client.pk,
            brand_id=merge.brand_id,
            before=before if is_kept else {"stage": merge.stage_before},
            after={**after, "merged_id": merge.merged_id}
            if is_kept
            else {"merged_into_id": merge.kept_id, "stage": client.stage},
            evidence={"merge_id": merge.pk, "moved": counts},
            reason=merge.reason,
        )
    timeline.add_entry(
        client_id=merge.kept_id,
        kind=TimelineKind.NOTE,
        actor=actor,
        body=merge.reason,
        data={"merge_id": merge.pk, "merged_id": merge.merged_id},
        title=phrase("Record #%(number)s merged into this one") % {"number": merge.merged_id},
    )
    publish(
        ClientsMerged(client_id=merge.kept_id, brand_id=merge.brand_id, merge_id=merge.pk, merged_id=merge.merged_id),
        actor=actor,
    )


def _record_undo(merge: ClientMerge, actor: Actor, restored: dict[str, Any]) -> None:
    for client_id, other_id in ((merge.kept_id, merge.merged_id), (merge.merged_id, merge.kept_id)):
        is_kept = client_id == merge.kept_id
        audit.record(
            actor=actor,
            action=ClientsAction.MERGE_UNDONE,
            target=merge.kept if is_kept else merge.merged,
            client_id=client_id,
            brand_id=merge.brand_id,
            after=restored if is_kept else {"merged_into_id": None, "stage": merge.stage_before},
            evidence={"merge_id": merge.pk},
            reason=merge.undo_reason,
        )
        timeline.add_entry(
            client_id=client_id,
            kind=TimelineKind.NOTE,
            actor=actor,
            body=merge.undo_reason,
            data={"merge_id": merge.pk},
            title=phrase("Merge with #%(number)s undone") % {"number": other_id},
        )
    publish(
        ClientsMergeUndone(
            client_id=merge.kept_id, brand_id=merge.brand_id, merge_id=merge.pk, merged_id=merge.merged_id
        ),
        actor=actor,
    )
