"""What a sandbox pushes by itself: one thing that can't be told is told to the log, and the rest goes on."""

import asyncio
import logging

import pytest

from sandbox.engine.gateway import pushing_goes_on


def test_what_cannot_be_pushed_is_logged_and_the_next_is_pushed(caplog: pytest.LogCaptureFixture) -> None:
    pushed = []
    with caplog.at_level(logging.ERROR, logger="sandbox.gateway"):
        for number, names in enumerate(({7: "EURUSD"}, {}, {7: "XAUUSD"})):
            with pushing_goes_on(f"deal {number}"):
                pushed.append(names[7])
    assert pushed == ["EURUSD", "XAUUSD"]
    assert [record.getMessage() for record in caplog.records] == ["deal 1 could not be pushed"]
    assert "KeyError: 7" in caplog.text


def test_a_server_that_stops_is_not_held_up() -> None:
    with pytest.raises(asyncio.CancelledError), pushing_goes_on("deal 1"):
        raise asyncio.CancelledError
