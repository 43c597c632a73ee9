"""Anna Weber, twice: she wrote from two addresses, and each time became a lead of Alice's."""

import datetime as dt

import pytest

from clients.calls import CallDetails, log_call
from clients.choices import CallOutcome
from clients.followups import add_task
from clients.notes import add_note
from tests.cast import make_client


@pytest.fixture
def first(cast):
    return make_client(
        brand=cast.brand,
        book=cast.book,
        email="anna@example.com",
        login=False,
        first_name="Anna",
        country="DE",
        phone="+4915111111111",
    )


@pytest.fixture
def second(cast):
    """With a call, a note and a follow-up."""
    client = make_client(
        brand=cast.brand,
        book=cast.book,
        email="a.weber@example.org",
        login=False,
        first_name="Anna",
        last_name="Weber",
        country="AT",
        phone="+4366412345678",
    )
    now = dt.datetime.now(dt.UTC)
    log_call(client_id=client.pk, actor=cast.agent, details=CallDetails(outcome=CallOutcome.REACHED, started_at=now))
    add_note(client_id=client.pk, actor=cast.agent, body="Prefers the evening")
    add_task(client_id=client.pk, actor=cast.agent, title="Call back", due_at=now + dt.timedelta(days=1))
    return client
