"""A child that is ready for the next file: each file in a fork of its own, and none harms the one after it."""

import os
import signal

import pytest

from crm.files.parsing import Limits, ParsingRefused
from crm.files.parsing.prepared import PreparedChild

LIMITS = Limits(memory_bytes=512 * 1024**2, cpu_seconds=1, wall_seconds=2.0, output_bytes=1024**2, wait_seconds=5.0)


@pytest.fixture(scope="module")
def child():
    made = PreparedChild("tests.crm.files.bad_operations")
    yield made
    made.stop()


def measured(child, *contents):
    return child.ask("measure", list(contents), limits=LIMITS)


def test_files_go_in_and_an_answer_comes_out(child):
    answer = measured(child, b"x" * 3_000_000, b"")
    assert answer.facts["sizes"] == [3_000_000, 0] and answer.content == b"xxx"


def test_nothing_of_one_file_reaches_the_next(child):
    first, second = measured(child, b"a"), measured(child, b"b")
    assert (first.facts["seen"], second.facts["seen"]) == (1, 1)
    assert first.facts["pid"] != second.facts["pid"]


@pytest.mark.parametrize(
    ("operation", "code"),
    [("hang", "time"), ("spin", "time"), ("swallow", "memory"), ("crash", "crashed"), ("overflow", "crashed")],
)
def test_a_file_that_ends_its_fork_is_refused_and_the_next_is_read(child, operation, code):
    process = child._process
    with pytest.raises(ParsingRefused) as refused:
        child.ask(operation, [b""], limits=LIMITS)
    assert refused.value.code == code
    assert measured(child, b"abc").facts["sizes"] == [3]
    assert child._process is process or process is None


def test_a_file_reaches_no_network_no_secret_no_program_and_no_pipe(child, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("the key")
    facts = child.ask("reach_out", [b""], limits=LIMITS, secret=str(secret)).facts
    assert set(facts["tried"].values()) == {"PermissionError"}
    assert not {"DATABASE_URL", "KEELSON_SECRET_KEY"} & set(facts["environment"])
    assert facts["modules"] == [] and facts["files"] == 64
    assert measured(child, b"abc").facts["sizes"] == [3]


def test_a_child_that_was_killed_is_started_again(child):
    measured(child, b"a")
    os.kill(child._process.pid, signal.SIGKILL)
    child._process.wait(5)
    assert measured(child, b"abc").facts["sizes"] == [3]
