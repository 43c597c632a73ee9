from __future__ import annotations

import pytest

from support.choices import TicketCategory
from support.models import Ticket
from support.talk.conversation import Written
from support.tickets import NewTicket, open_ticket


def make_ticket(cast, *, by=None, client=None, text="My deposit isn't there.", **fields) -> Ticket:
    client = client or cast.client
    new = NewTicket("Deposit missing", Written(text), **{"category": TicketCategory.DEPOSIT, **fields})
    return open_ticket(client_id=client.pk, actor=by or client.user, new=new)


@pytest.fixture
def ticket(cast) -> Ticket:
    return make_ticket(cast)
