"""What was written on a merged lead's closed record after all: by somebody who had begun before, or for an earlier event.

A registered client's record stays open, and what is written there since is its own.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.utils.translation import gettext_lazy

from clients.facts import names_of, rebuild_clients
from clients.merging.attachments import move_rows, moved_ones
from clients.models import Client, ClientMerge
from crm.db.locking import lock, lock_all
from crm.due import DueKind, declare
from crm.models import DueRow

WAIT: Final = dt.timedelta(minutes=10)


def rebuild_facts(merge: ClientMerge) -> None:
    """Recompute the facts of both records that come from what follows."""
    owners = sorted({entry.model._meta.app_label for entry in moved_ones()})
    names = [name for owner in owners for name in names_of(owner)]
    rebuild_clients([merge.kept_id, merge.merged_id], *names)


def move_late_rows(merge_id: int) -> None:
    """Have them follow as well, and further where the kept record was merged in turn. An undone merge moves nothing."""
    found = ClientMerge.objects.get(pk=merge_id)
    lock_all(Client, pks=[found.kept_id, found.merged_id])
    merge = lock(ClientMerge, merge_id, "kept")
    if merge.undone_at is not None:
        return
    moved = move_rows(merge.merged_id, merge.kept_id)
    if moved:
        merge.moved = {key: [*merge.moved.get(key, []), *moved.get(key, [])] for key in {*merge.moved, *moved}}
        merge.save(update_fields=["moved"])
        rebuild_facts(merge)
    if merge.kept.merged_into_id:
        move_late_rows(ClientMerge.objects.values_list("pk", flat=True).get(merged=merge.kept, undone_at=None))


def _move(row: DueRow) -> None:
    move_late_rows(int(row.key))


LATE: Final = declare(DueKind("clients.merge_late", gettext_lazy("Late entries of a merged record"), _move))
