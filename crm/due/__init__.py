"""What has to be done at a time: one table, one sweeper, and a handler for each kind in the app that declares it.

    FOLLOW_UP = declare(DueKind("clients.follow_up", _("Follow-up reminder"), remind))
    due(FOLLOW_UP, key=task.pk, at=task.due_at, client_id=task.client_id)     # in the transaction of the change
    cancel(FOLLOW_UP, task.pk)

A kind and a key have at most one open row: setting it again moves it. The handler runs in one transaction with its row, so
what it writes to the database takes effect exactly once. Look-ups of money stay with the states of their sagas.
"""

from crm.due.kinds import KINDS, DueKind, declare
from crm.due.rows import DueItem, cancel, cancel_many, due, due_many
from crm.due.sweep import prune, replay, replay_each, sweep

__all__ = [
    "KINDS",
    "DueItem",
    "DueKind",
    "cancel",
    "cancel_many",
    "declare",
    "due",
    "due_many",
    "prune",
    "replay",
    "replay_each",
    "sweep",
]
