from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.psp.running import Catcher, RunningPsp, running_psp, webhook_catcher


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    with webhook_catcher() as caught:
        yield caught


@pytest.fixture
def psp(tmp_path: Path, catcher: Catcher) -> Iterator[RunningPsp]:
    with running_psp(tmp_path / "psp.sqlite", catcher.url) as running:
        yield running
