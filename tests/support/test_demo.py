"""The demo's tickets: every state, and nothing that the verbs would refuse."""

from __future__ import annotations

import pytest

from clients.models import TimelineEntry
from support.choices import TicketState
from support.models import Ticket
from support.talk.conversation import conversation


@pytest.mark.django_db
def test_demo_has_tickets_in_every_state(demo_world):
    rows = list(Ticket.objects.select_related("client", "work"))
    assert {row.state for row in rows} == set(TicketState) - {TicketState.MERGED}
    for row in rows:
        assert conversation(row, is_for_client=True)
        assert row.is_unsolved == (row.work.state == "open")
        assert TimelineEntry.objects.filter(client=row.client, dedupe_key=f"ticket:{row.pk}:opened").exists()
