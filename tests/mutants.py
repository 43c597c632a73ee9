"""`make mutants MODULES="wallet/withdrawals ib"`: put realistic faults into the code, one at a time, and count those the tests see.

Faults come from cosmic-ray's operators (a limit moved, a comparison turned round, `and` for `or`, a number off by one), and
from two of our own: a guarding call dropped (`require`, `lock`, `audit.record`, …), a condition dropped from a filter. Of
all that are possible a sample is drawn, the same for the same SEED, spread over the modules. Each is written into a copy of
the checkout and meets the tests of its room, those that import the module first. SAMPLE=60 faults and MINUTES=30 bound a run.

A fault that no test notices is printed as a diff: a missing test, dead code, or a fault that changes nothing.
"""

from __future__ import annotations

import ast
import difflib
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import parso
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "var" / "mutants"
# The verbs and rules whose faults cost money or let somebody in.
DEFAULT = (
    "wallet/withdrawals wallet/deposits wallet/transfers wallet/bonuses wallet/disputes wallet/closing ib trading/accounts "
    "compliance/hits.py compliance/holds.py compliance/restrictions.py kyc/reviews.py kyc/claims.py leads/routing.py "
    "leads/dedupe.py crm/security/scope.py crm/security/crypto.py"
)
COMPARISONS = ("GtE_Gt", "Gt_GtE", "LtE_Lt", "Lt_LtE", "Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is", "Lt_Gt", "Gt_Lt")
NAMES = (
    *(f"core/ReplaceComparisonOperator_{pair}" for pair in COMPARISONS),
    *(f"core/ReplaceBinaryOperator_{pair}" for pair in ("Add_Sub", "Sub_Add", "Mul_Div")),
    *("core/ReplaceAndWithOr", "core/ReplaceOrWithAnd", "core/ReplaceTrueWithFalse", "core/ReplaceFalseWithTrue"),
    *("core/AddNot", "core/NumberReplacer", "core/ReplaceUnaryOperator_Delete_Not"),
)
GUARDS = re.compile(
    r"^(policies\.)?require\w*\(|^(locking\.)?lock\w*\(|^audit\.record\(|^publish\w*\(|^\w+\.move_to\(|^\w*check\w*\("
)
SECONDS_MAX = 240
KILLED, SURVIVED, TOO_LONG = "killed", "survived", "too long"


class DropGuard(Operator):
    """Leave out a statement that is only a guarding call."""

    def mutation_positions(self, node: Any) -> Any:
        is_statement = node.type in {"atom_expr", "power"} and node.parent.type == "simple_stmt"
        if is_statement and GUARDS.match(node.get_code(include_prefix=False)):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        return parso.python.tree.Name("pass", node.start_pos, prefix=node.get_first_leaf().prefix)

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


class Unlock(Operator):
    """Read a row without locking it."""

    READ = "(lambda source, pk, *_, **__: getattr(source, '_default_manager', source).get(pk=pk))"

    def mutation_positions(self, node: Any) -> Any:
        after = node.get_next_sibling() if node.type == "name" and node.value == "lock" else None
        if after is not None and after.type == "trailer" and after.get_code().startswith("("):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        return parso.python.tree.Name(self.READ, node.start_pos, prefix=node.prefix)

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


class DropCondition(Operator):
    """Leave out one keyword of `filter(…)` or `exclude(…)`, where others stay."""

    def mutation_positions(self, node: Any) -> Any:
        if node.type == "argument" and node.parent.type == "arglist" and node.children[1].type == "operator":
            call = node.parent.parent.get_previous_sibling()
            if call is not None and re.search(r"\.(filter|exclude)$", call.get_code()) and node.get_next_sibling():
                yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        node.get_next_sibling().value = " "
        return parso.python.tree.Name("", node.start_pos)

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


OPERATORS: dict[str, Operator] = {name: get_operator(name)() for name in NAMES}
OPERATORS |= {"drop a guard": DropGuard(), "drop a condition": DropCondition(), "unlock": Unlock()}


@dataclass(frozen=True)
class Mutant:
    path: str
    operator: str
    occurrence: int
    code: str

    def diff(self) -> str:
        before = (ROOT / self.path).read_text().splitlines()
        return "\n".join(list(difflib.unified_diff(before, self.code.splitlines(), lineterm="", n=1))[2:])


def modules(named: str) -> list[str]:
    """Give the sources under the named files and folders, without pages, demo data and choices."""
    left_out = re.compile(
        r"/(migrations|demo|views|locale)/|/(urls|apps|forms|tables|panels|choices|models)(/|\.py)|__init__\.py$"
    )
    listed = subprocess.run(
        ["git", "ls-files", *named.split()], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [path for path in listed.split() if path.endswith(".py") and not left_out.search("/" + path)]


def mutants_of(path: str) -> list[Mutant]:
    """Give each fault that changes what a module does: types, texts and names of loggers are left alone."""
    source = (ROOT / path).read_text()
    whole = _meaning(source)
    found = {}
    for name, operator in OPERATORS.items():
        for occurrence in range(400):
            code = mutate_code(source, operator, occurrence)
            if code is None:
                break
            meaning = _meaning(code)
            if meaning is not None and meaning != whole:
                found.setdefault(meaning, Mutant(path, name, occurrence, code))
    return list(found.values())


def _meaning(code: str) -> str | None:
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            if getattr(node, field, None) is not None:
                setattr(node, field, None)
    return ast.dump(tree)


def tests_of(path: str) -> list[str]:
    """Give the tests that may notice: those that import the module, then those of its room, then of its app's verbs."""
    module = path.removesuffix(".py").replace("/", ".")
    package, _, name = module.rpartition(".")
    says = re.compile(rf"\b{re.escape(module)}\b|from {re.escape(package)} import [^\n]*\b{name}\b")
    texts = {file: file.read_text() for file in (ROOT / "tests").rglob("test_*.py") if "browser" not in file.parts}
    near = [file for file, text in texts.items() if says.search(text)]
    room = ROOT / "tests" / Path(path).parent
    while not room.is_dir():
        room = room.parent
    in_room = [file for file in texts if file.is_relative_to(room)] if room != ROOT / "tests" else []
    together = [file for file in texts if file.is_relative_to(ROOT / "tests" / "verbs")]
    return [str(file.relative_to(ROOT)) for file in dict.fromkeys([*near, *in_room, *together])]


def copy_of_checkout(number: int) -> Path:
    """Copy what git knows; the copy has servers of its own, so that copies work side by side."""
    target = FOLDER / f"copy{number}"
    kept = target / "var"
    for old in target.iterdir() if target.exists() else ():
        if old != kept:
            shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in files:
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    (target / ".venv").symlink_to(ROOT / ".venv")
    return target


def outcome(mutant: Mutant, copy: Path) -> str:
    tests = tests_of(mutant.path)
    (copy / mutant.path).write_text(mutant.code)
    command = [
        copy / ".venv/bin/pytest",
        "-q",
        "-x",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        "-m",
        "not slow and not browser",
        *tests,
    ]
    try:
        done = subprocess.run(
            command, cwd=copy, capture_output=True, timeout=SECONDS_MAX, check=False, env=_environment()
        )
    except subprocess.TimeoutExpired:
        return TOO_LONG
    finally:
        shutil.copy2(ROOT / mutant.path, copy / mutant.path)
    return SURVIVED if done.returncode in (0, 5) else KILLED


def _environment() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHONPATH", "KEELSON_", "PYTEST_"))
    }


def main() -> int:
    named, sample = os.environ.get("MODULES") or DEFAULT, int(os.environ.get("SAMPLE") or 60)
    until = time.monotonic() + 60 * float(os.environ.get("MINUTES") or 30)
    rng = random.Random(os.environ.get("SEED") or "keelson")
    paths = modules(named)
    possible = {path: mutants_of(path) for path in paths}
    everything = [mutant for mutants in possible.values() for mutant in mutants]
    chosen = rng.sample(everything, min(sample, len(everything)))
    print(f"{len(paths)} modules, {len(everything)} faults possible, {len(chosen)} drawn", flush=True)
    copies: SimpleQueue[Path] = SimpleQueue()
    jobs = int(os.environ.get("JOBS") or 2)
    for number in range(jobs):
        copies.put(copy_of_checkout(number))

    def judge(mutant: Mutant) -> tuple[Mutant, str]:
        if time.monotonic() > until:
            return mutant, ""
        copy = copies.get()
        try:
            result = outcome(mutant, copy)
        finally:
            copies.put(copy)
        print(f"{result:9} {mutant.path} {mutant.operator}#{mutant.occurrence}", flush=True)
        return mutant, result

    with ThreadPoolExecutor(jobs) as pool:
        results = [(mutant, result) for mutant, result in pool.map(judge, chosen) if result]
    return report(results)


def report(results: list[tuple[Mutant, str]]) -> int:
    for mutant, result in results:
        if result == SURVIVED:
            print(f"\n{mutant.path}: {mutant.operator}\n{mutant.diff()}")
    of_apps: dict[str, Counter[str]] = {}
    for mutant, result in results:
        of_apps.setdefault("/".join(mutant.path.split("/")[:2]).removesuffix(".py"), Counter())[result] += 1
    print()
    for app, counts in sorted(of_apps.items()):
        print(
            f"{app:28} {counts[KILLED] + counts[TOO_LONG]:3} of {counts.total():3} seen, {counts[TOO_LONG]} by taking too long"
        )
    seen = sum(result != SURVIVED for _, result in results)
    print(f"{seen} of {len(results)} faults seen ({100 * seen / max(len(results), 1):.0f} %)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
