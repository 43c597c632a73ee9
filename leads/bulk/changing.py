"""Making a bulk change, and undoing it: what was changed since by somebody stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.choices import SalesStatus
from clients.custom_fields.tagging import tag_clients
from clients.followups import add_task, complete_task
from clients.models import Client, SegmentMember
from clients.segments.verbs import add_members, remove_members
from clients.texts.to_many import take_back_mails, write_to_many
from crm.db.locking import lock
from crm.errors import DomainError, NotAllowed, NotFound, WrongState, outcome_of
from crm.models import User
from crm.security import audit
from crm.security.policies import require_permission
from crm.security.scope import reach_of
from leads.audit_codes import LeadsAction
from leads.automations.starting import start_many, take_back
from leads.bulk.planning import RIGHTS, Line, Options, clean_options, due_at, plan
from leads.choices import BulkKind
from leads.models import BulkChange
from leads.pipeline import change_sales_status, take_back_status

Changes = list[list[Any]]


@transaction.atomic
def change_many(*, kind: str, options: Options, client_ids: Iterable[int], actor: User) -> BulkChange:
    """Change the status of many, list them, add a follow-up to each, write to them or start an automation; others are left out.

    Who: the right of the change (`RIGHTS`), for the leads and clients that they see.
    Raises: NotAllowed, NotFound; DomainError for too many, options that don't fit, or when nothing is left.
    """
    chosen = BulkKind(kind)
    lines = require_some(plan(kind=chosen, options=options, client_ids=client_ids, user=actor))
    given = clean_options(chosen, options, actor)
    changes, left_out = apply_to(lines, kind=chosen, given=given, actor=actor)
    kept = {name: value for name, value in given.items() if name != "message"}  # each e-mail has its own text
    row = BulkChange.objects.create(kind=chosen, options=kept, changes=changes, left_out=left_out, made_by=actor)
    record_change(row, actor)
    return row


def require_some(lines: Sequence[Line]) -> Sequence[Line]:
    """Return the lines of a plan. Raises: NotFound where none is in reach, DomainError where all would be left out."""
    if not lines:
        raise NotFound(_("None of these leads is in your reach any more. Reload the page."))
    if all(line.problem for line in lines):
        raise DomainError(_("None of the selected leads can be changed in this way."))
    return lines


def apply_to(lines: Sequence[Line], *, kind: BulkKind, given: Options, actor: User) -> tuple[Changes, Changes]:
    """Change who has no problem, in the caller's transaction; returns what undoing needs, and who was left out and why."""
    ready = [line.client for line in lines if not line.problem]
    left_out: Changes = [[line.client.pk, line.problem] for line in lines if line.problem]
    if kind == BulkKind.LIST:
        add_members(segment_id=given["segment"], client_ids=[client.pk for client in ready], actor=actor)
        changes: Changes = [[client.pk, None] for client in ready]
    elif kind == BulkKind.TAG:
        ids = [client.pk for client in ready]
        done = tag_clients(client_ids=ids, tag_id=given["tag"], is_adding=given["how"] == "add", actor=actor)
        changes = [[pk, None] for pk in done]
    elif kind == BulkKind.START:
        runs = start_many(automation_id=given["automation"], client_ids=[client.pk for client in ready], actor=actor)
        changes = [[client.pk, runs[client.pk]] for client in ready if client.pk in runs]
        left_out += [[client.pk, _("Can't enter now")] for client in ready if client.pk not in runs]
    elif kind == BulkKind.MAIL:
        sent = write_to_many(client_ids=[client.pk for client in ready], actor=actor, **given)
        changes = [[client.pk, sent[client.pk]] for client in ready if client.pk in sent]
        left_out += [[client.pk, _("Can’t get it any more")] for client in ready if client.pk not in sent]
    else:
        one = ONE_BY_ONE[kind](given, actor)
        changes = []
        for client in ready:
            came = outcome_of(lambda client=client: one(client))  # type: ignore[misc]
            (changes if came else left_out).append([client.pk, came.result if came else came.message])
    return changes, left_out


def record_change(row: BulkChange, actor: User) -> None:
    """Write the audit row of a bulk change that is made."""
    after = {"kind": row.kind, "changed": len(row.changes), "left_out": len(row.left_out)}
    _record(row, LeadsAction.BULK_CHANGED, actor, after)


def _status_changer(given: Options, actor: User) -> Callable[[Client], str]:
    def change(client: Client) -> str:
        before = client.sales_status
        change_sales_status(client_id=client.pk, to=SalesStatus(given["status"]), actor=actor)
        return before

    return change


def _task_adder(given: Options, actor: User) -> Callable[[Client], int]:
    at = due_at(given["days"])

    def add(client: Client) -> int:
        owner = client.owner
        is_theirs = owner is not None and owner.is_active and client.book_id in reach_of(owner).books
        return add_task(
            client_id=client.pk,
            actor=actor,
            title=given["title"],
            due_at=at,
            assignee_id=owner.pk if owner is not None and is_theirs else None,
        ).pk

    return add


ONE_BY_ONE: Final[Mapping[str, Callable[[Options, User], Callable[[Client], Any]]]] = {
    BulkKind.STATUS: _status_changer,
    BulkKind.TASK: _task_adder,
}


@transaction.atomic
def undo_many(*, change_id: int, actor: User) -> BulkChange:
    """Undo a bulk change: statuses, list entries and e-mails not yet sent are taken back, open follow-ups done, runs ended.

    What changed since is left as it is. Who: who made it, with the right that it needed. Raises: NotAllowed; WrongState
    when it was undone already.
    """
    row = lock_undoable(change_id, actor)
    return note_undone(row, UNDOERS[BulkKind(row.kind)](row, row.changes, actor), actor)


def lock_undoable(change_id: int, actor: User) -> BulkChange:
    """Lock a bulk change that this person may undo. Raises: NotAllowed, WrongState."""
    row = lock(BulkChange, change_id)
    require_permission(actor, RIGHTS[row.kind])
    if row.made_by_id != actor.pk:
        raise NotAllowed(_("This bulk change was made by a colleague."))
    if row.undone_at is not None:
        raise WrongState(_("This bulk change was undone already."))
    return row


def note_undone(row: BulkChange, undone: int, actor: User) -> BulkChange:
    """Write down that a locked bulk change was undone, and how much of it."""
    row.undone, row.undone_at = undone, timezone.now()
    row.save(update_fields=["undone", "undone_at"])
    _record(row, LeadsAction.BULK_UNDONE, actor, {"kind": row.kind, "undone": row.undone})
    return row


def _undo_status(row: BulkChange, changes: Changes, actor: User) -> int:
    to = SalesStatus(row.options["status"])
    return sum(
        bool(
            outcome_of(
                lambda pk=pk, before=before: take_back_status(  # type: ignore[misc]
                    client_id=pk, from_status=to, to=SalesStatus(before), actor=actor
                )
            )
        )
        for pk, before in sorted(changes)
    )


def _undo_list(row: BulkChange, changes: Changes, actor: User) -> int:
    there = SegmentMember.objects.filter(segment=row.options["segment"], left_at=None, entered_at__lte=row.made_at)
    ids = list(there.filter(client__in=[pk for pk, _none in changes]).values_list("client_id", flat=True))
    return remove_members(segment_id=row.options["segment"], client_ids=ids, actor=actor)


def _undo_tags(row: BulkChange, changes: Changes, actor: User) -> int:
    was_added, ids = row.options["how"] == "add", [pk for pk, _none in changes]
    return len(tag_clients(client_ids=ids, tag_id=row.options["tag"], is_adding=not was_added, actor=actor))


def _undo_tasks(row: BulkChange, changes: Changes, actor: User) -> int:
    return sum(
        bool(outcome_of(lambda pk=pk: complete_task(task_id=pk, actor=actor)))  # type: ignore[misc]
        for _client, pk in changes
    )


def _undo_start(row: BulkChange, changes: Changes, actor: User) -> int:
    return take_back([run_id for _client, run_id in changes])


def _undo_mail(row: BulkChange, changes: Changes, actor: User) -> int:
    return take_back_mails(message_ids=[message_id for _client, message_id in changes], actor=actor)


UNDOERS: Final[Mapping[BulkKind, Callable[[BulkChange, Changes, User], int]]] = {
    BulkKind.STATUS: _undo_status,
    BulkKind.LIST: _undo_list,
    BulkKind.TASK: _undo_tasks,
    BulkKind.TAG: _undo_tags,
    BulkKind.START: _undo_start,
    BulkKind.MAIL: _undo_mail,
}


def _record(row: BulkChange, action: LeadsAction, actor: User, after: dict[str, Any]) -> None:
    clients = [pk for pk, _before in row.changes]
    audit.record(actor=actor, action=action, target=row, after=after, evidence={"clients": clients})
