"""`bench events` on a few leads: every subscriber hears of each of them once."""

import pytest

from bench import events

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_subscriber_hears_of_every_lead_once(monkeypatch):
    monkeypatch.setattr(events, "own_database", lambda name: pytest.MonkeyPatch.context())
    measured = {figure.name: figure for figure in events.run("tiny")}
    assert measured["events lost or handled twice"].value == 0
    assert measured["fan-out: both together"].value > 0
