import pytest

from clients.models import Mailbox
from tests.clients.messages.running import make_mailbox


@pytest.fixture
def mailbox(cast) -> Mailbox:
    return make_mailbox(cast.brand)
