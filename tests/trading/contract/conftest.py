"""One sandbox process per kind of platform and session; every scenario runs in every arena."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.trading.contract.arena import Arena, arenas
from tests.trading.sandbox_process import SandboxProcess, started
from trading.platforms import pool
from trading.platforms.base import Platform


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[type[Arena]], SandboxProcess]]:
    """The server of an arena, started when first needed. Arenas with the same kind and arguments share it."""
    processes: dict[tuple[str, ...], SandboxProcess] = {}
    with ExitStack() as stack:

        def process_of(arena: type[Arena]) -> SandboxProcess:
            key = (arena.kind, *arena.arguments)
            if key not in processes:
                state = tmp_path_factory.mktemp(arena.kind) / "state.sqlite"
                processes[key] = stack.enter_context(started(arena.kind, state, *arena.arguments))
            return processes[key]

        yield process_of


@pytest.fixture(scope="module", params=arenas(), ids=lambda arena: arena.name)
def shared_arena(request: pytest.FixtureRequest, running: Callable[[type[Arena]], SandboxProcess]) -> Arena:
    return request.param(running(request.param))


@pytest.fixture
def arena(shared_arena: Arena) -> Iterator[Arena]:
    """The arena without a fault, a limit or a journey in time that another test left."""
    with shared_arena.process.awake():
        for path, data in (("faults/clear", {}), ("frequency", {"per_second": 0})):
            shared_arena.process.post(path, **data)
        yield shared_arena
        shared_arena.process.post("faults/clear")
        pool.close_all()


@pytest.fixture
def platform(arena: Arena) -> Iterator[Platform]:
    with arena.platform() as platform:
        yield platform
