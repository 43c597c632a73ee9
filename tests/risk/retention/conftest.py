"""The floor of traders."""

import pytest

from tests.risk.retention.world import Floor


@pytest.fixture
def floor(cast) -> Floor:
    return Floor(cast)
