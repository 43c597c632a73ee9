"""Run, for each fault, the tests that come by it: a pytest plugin, which collects once and forks for each fault.

First it records which test runs which lines of the modules (kept under `var/mutants/lines`, a test file again when it
changed). A fault inside a function is then put into the fork, where the function's code is swapped; one outside of functions
(a constant, a default, a class) needs a process that imports the module anew. Tests that are near come first.
"""

from __future__ import annotations

import gc
import hashlib
import importlib.machinery
import json
import os
import signal
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "var" / "mutants"
LINES = FOLDER / "lines"
VERBS = "tests/verbs/"
RESULTS = FOLDER / "results.jsonl"
ONE_FAULT = FOLDER / "fault.json"
SECONDS_MAX = 120  # a fault that keeps a test from ending is seen
KILLED, SURVIVED, TOO_LONG, NOT_REACHED = "killed", "survived", "too long", "not reached"
Ran = dict[str, list[int]]


def import_faulty() -> None:
    """Give the one faulty module its faulty code whenever it is imported."""
    fault = json.loads(ONE_FAULT.read_text())
    path, original = str(ROOT / fault["path"]), importlib.machinery.SourceFileLoader.get_code

    def get_code(self: Any, fullname: str) -> Any:
        return (
            compile(fault["code"], path, "exec", dont_inherit=True) if self.path == path else original(self, fullname)
        )

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[method-assign]


if os.environ.get("MUTANTS_IMPORT_FAULTY"):
    import_faulty()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--faults", help="the drawn faults, as JSON")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of the tests of every verb, leave those whose verb stands in the drawn modules."""
    if not config.option.faults:
        return
    modules = {
        path.removesuffix(".py").replace("/", ".")
        for path in json.loads(Path(config.option.faults).read_text())["modules"]
    }

    def is_asked(item: pytest.Item) -> bool:
        named = getattr(item, "callspec", None) and item.callspec.params.get("name")  # type: ignore[attr-defined]
        return not item.nodeid.startswith(VERBS) or (bool(named) and str(named).rpartition(".")[0] in modules)

    items[:] = [item for item in items if is_asked(item)]


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    if not session.config.option.faults:
        return None
    drawn = json.loads(Path(session.config.option.faults).read_text())
    record(session, drawn["modules"])
    by_name = {item.nodeid: item for item in session.items}
    recorded = {}
    for file in {item.nodeid.split("::")[0] for item in session.items}:
        recorded |= {name: test for name, test in _recorded(file)["tests"].items() if name in by_name}
    functions = _functions(drawn["modules"])
    until = time.monotonic() + drawn["seconds"]
    quick = sorted(recorded, key=lambda name: recorded[name]["seconds"])[:20]
    if in_fork(session, [by_name[name] for name in quick], lambda: None) != SURVIVED:
        raise pytest.UsageError("Tests fail without any fault: see var/mutants/last.log.")
    for fault in drawn["faults"]:
        if time.monotonic() > until:
            break
        began = time.monotonic()
        names = choose(fault, recorded, drawn["seconds_of_tests"])
        if not names:
            result = NOT_REACHED
        elif fault["is_in_function"] and (swap := _swap(fault, functions)):
            seconds_max = 20 + 4 * sum(recorded[name]["seconds"] for name in names)
            result = in_fork(session, [by_name[name] for name in names], swap, seconds_max=seconds_max)
        else:
            result = in_new_process(fault, names)
        with RESULTS.open("a") as file:
            told = {"name": fault["name"], "result": result, "tests": len(names), "seconds": time.monotonic() - began}
            file.write(json.dumps(told) + "\n")
    return True


# --- which test runs what ---


def _digest(path: str) -> str:
    return hashlib.sha256((ROOT / path).read_bytes()).hexdigest()[:16] if (ROOT / path).exists() else ""


def _kept_at(file: str) -> Path:
    return LINES / (file.replace("/", ".") + ".json")


def _recorded(file: str) -> dict[str, Any]:
    empty: dict[str, Any] = {"sources": {}, "modules": [], "ran": [], "tests": {}}
    return json.loads(_kept_at(file).read_text()) if _kept_at(file).exists() else empty


def record(session: pytest.Session, modules: list[str]) -> None:
    """Run the test files whose record is missing or of other sources, and keep which lines each passing test ran."""
    LINES.mkdir(parents=True, exist_ok=True)
    now = {path: _digest(path) for path in modules}
    by_file: dict[str, list[pytest.Item]] = {}
    for item in session.items:
        by_file.setdefault(item.nodeid.split("::")[0], []).append(item)

    def is_current(file: str) -> bool:
        kept = _recorded(file)
        sources, ran = kept["sources"], {item.nodeid for item in by_file[file]}
        return (
            sources.get(file) == _digest(file)
            and all(sources.get(path, digest) == digest for path, digest in now.items())
            and set(modules) <= set(kept["modules"])
            and ran <= set(kept["ran"])
        )

    if missing := {file: items for file, items in by_file.items() if not is_current(file)}:
        in_fork(session, [], lambda: _record_all(session, missing, now), seconds_max=3600)


def _record_all(session: pytest.Session, by_file: dict[str, list[pytest.Item]], now: dict[str, str]) -> None:
    ran: dict[str, set[int]] = {}
    note = _noting(now, ran)
    everything = [item for items in by_file.values() for item in items]
    after = dict(zip(everything, [*everything[1:], None], strict=True))  # databases and servers stay up between files
    for file, items in by_file.items():
        tests: dict[str, Any] = {}
        touched: set[str] = set()
        for item in items:
            ran.clear()
            failed = session.testsfailed
            threading.settrace(note)
            sys.settrace(note)
            seconds = _run(item, after[item])
            sys.settrace(None)
            threading.settrace(None)  # type: ignore[arg-type]
            touched |= set(ran)
            if session.testsfailed == failed:
                lines = {path: sorted(numbers) for path, numbers in ran.items()}
                tests[item.nodeid] = {"seconds": seconds, "lines": lines}
        kept = {
            "sources": {path: now[path] for path in touched} | {file: _digest(file)},
            "modules": sorted(now),
            "ran": [item.nodeid for item in items],
            "tests": tests,
        }
        _kept_at(file).write_text(json.dumps(kept))
        print(f"{time.strftime('%H:%M:%S')} {file}: {len(tests)} of {len(items)}", flush=True)


def _noting(paths: Iterable[str], ran: dict[str, set[int]]) -> Callable[..., Any]:
    """Make the trace function that notes which lines of the modules run."""
    targets = {str(ROOT / path): path for path in paths}

    def each_line(frame: types.FrameType, event: str, _: Any) -> Any:
        ran[targets[frame.f_code.co_filename]].add(frame.f_lineno)
        return each_line

    def each_call(frame: types.FrameType, event: str, _: Any) -> Any:
        path = targets.get(frame.f_code.co_filename)
        if path is None:
            return None
        ran.setdefault(path, set()).add(frame.f_lineno)
        return each_line

    return each_call


def room_of(path: str) -> str:
    """Give the folder of a module's tests: of its app or, where apps have rooms, of its room."""
    return "tests/" + "/".join(path.split("/")[:-1][:2]) + "/"


def choose(fault: dict[str, Any], recorded: dict[str, Any], seconds: float) -> list[str]:
    """Choose the tests that run the faulty line, those of the module's room first, then any verb's; the quick before the slow."""
    places = {path: set(lines) for path, lines in fault["places"].items()}
    room = room_of(fault["path"])

    def comes_by(lines: Ran) -> bool:
        return any(not places[path].isdisjoint(lines.get(path, ())) for path in places)

    chosen = [name for name, test in recorded.items() if comes_by(test["lines"])]
    if not chosen and not fault["is_in_function"]:
        chosen = [name for name, test in recorded.items() if fault["path"] in test["lines"]]
    far = sorted((name for name in chosen if name.startswith(VERBS)), key=lambda name: recorded[name]["seconds"])
    near = sorted(set(chosen) - set(far), key=lambda name: (not name.startswith(room), recorded[name]["seconds"]))
    return _bounded(near, recorded, seconds) + _bounded(far, recorded, seconds)


def _bounded(names: list[str], recorded: dict[str, Any], seconds: float) -> list[str]:
    bounded, spent = [], 0.0
    for name in names:
        spent += recorded[name]["seconds"]
        if spent > seconds and len(bounded) > 2:
            break
        bounded.append(name)
    return bounded


# --- one fault ---


def in_fork(
    session: pytest.Session, items: list[pytest.Item], first: Callable[[], None], seconds_max: float = SECONDS_MAX
) -> str:
    """Run the tests in a copy of this process, until one fails."""
    pid = os.fork()
    if not pid:
        try:
            os.setsid()
            log = os.open(FOLDER / "last.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(log, 1)
            os.dup2(log, 2)
            first()
            for item, following in zip(items, [*items[1:], None], strict=True) if items else ():
                _run(item, following)
                if session.testsfailed:
                    break
            session._setupstate.teardown_exact(None)  # servers of sandboxes, databases
            sys.stdout.flush()
            os._exit(bool(items and session.testsfailed))
        except BaseException as error:
            print(f"the copy ended by {error!r}", flush=True)
            os._exit(1)
    until = time.monotonic() + seconds_max
    while time.monotonic() < until:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return KILLED if status else SURVIVED
        time.sleep(0.02)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return TOO_LONG


def _run(item: pytest.Item, following: pytest.Item | None) -> float:
    """Run a test, and write why it failed where `last.log` shows it; return its seconds, without a long first set-up."""
    seconds = 0.0
    for report in runtestprotocol(item, log=False, nextitem=following):
        seconds += min(report.duration, 1) if report.when == "setup" else report.duration
        item.ihook.pytest_runtest_logreport(report=report)
        if report.failed:
            print(f"{report.nodeid} ({report.when})\n{report.longreprtext}", flush=True)
    return seconds


def in_new_process(fault: dict[str, Any], names: list[str]) -> str:
    ONE_FAULT.write_text(json.dumps(fault))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "-p",
        "tests.mutants.runner",
        *names,
    ]
    with (FOLDER / "last.log").open("w") as log:
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env={name: value for name, value in os.environ.items() if not name.startswith(("KEELSON_", "PYTEST_"))}
                | {"MUTANTS_IMPORT_FAULTY": "1"},
                stdout=log,
                stderr=log,
                timeout=SECONDS_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return TOO_LONG
    return KILLED if done.returncode else SURVIVED


def _functions(modules: list[str]) -> dict[str, list[types.FunctionType]]:
    """Find every function of the modules that is alive, wherever it is kept."""
    paths = {str(ROOT / path): path for path in modules}
    found: dict[str, list[types.FunctionType]] = {path: [] for path in modules}
    gc.unfreeze()
    for thing in gc.get_objects():
        if type(thing) is types.FunctionType and (path := paths.get(thing.__code__.co_filename)):
            found[path].append(thing)
    gc.freeze()
    return found


def _codes(code: types.CodeType) -> list[types.CodeType]:
    return [
        one
        for constant in code.co_consts
        if isinstance(constant, types.CodeType)
        for one in (constant, *_codes(constant))
    ]


def _swap(fault: dict[str, Any], functions: dict[str, list[types.FunctionType]]) -> Callable[[], None] | None:
    """Prepare what makes the living functions faulty; None where a nested function came or went."""
    path = str(ROOT / fault["path"])
    before = _codes(compile(Path(path).read_text(), path, "exec", dont_inherit=True))
    after = _codes(compile(fault["code"], path, "exec", dont_inherit=True))
    if [code.co_qualname for code in before] != [code.co_qualname for code in after]:
        return None
    faulty = {(old.co_qualname, old.co_firstlineno): new for old, new in zip(before, after, strict=True) if old != new}
    pairs = [
        (function, new)
        for function in functions[fault["path"]]
        if (new := faulty.get((function.__code__.co_qualname, function.__code__.co_firstlineno)))
    ]
    if not pairs or any(function.__code__.co_freevars != new.co_freevars for function, new in pairs):
        return None

    def swap() -> None:
        for function, new in pairs:
            function.__code__ = new

    return swap
