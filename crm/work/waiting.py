"""Work that waits for somebody outside, as for a client who was asked for something."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm.choices import WorkAct, WorkState
from crm.db.locking import lock
from crm.errors import WrongState
from crm.models import User, WorkItem
from crm.work.entries import add_entry


def leave_with(
    item_id: int, *, actor: User, text: str, to: User | None = None, priority: int | None = None
) -> WorkItem:
    """Set an item aside until an answer comes: unclaimed, and assigned to whoever asked, so that it comes back to them.

    to: a colleague to whom it goes instead, perhaps with another priority.

    A part of the verb that asks, in its transaction; the kind's `offered` keeps the item out of "next" meanwhile.
    Raises: WrongState when it isn't open.
    """
    item = lock(WorkItem, item_id)
    if item.state != WorkState.OPEN:
        raise WrongState(_("This isn't open any more: it was decided or closed."))
    item.assigned_to, item.priority = to or actor, priority or item.priority
    item.claimed_by = item.claimed_at = item.claimed_until = None
    item.save(update_fields=["assigned_to", "priority", "claimed_by", "claimed_at", "claimed_until"])
    add_entry(item, WorkAct.ASSIGNED if to else WorkAct.COMMENT, actor, text=text, other=to)
    return item
