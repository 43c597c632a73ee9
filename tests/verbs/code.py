"""Which verbs there are, read from the code: public functions of a module that take who acts by name."""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from tests.database import ROOT

NOT_THE_BUSINESS = {"migrations", "demo"}
LOCKING = {"lock", "lock_all", "select_for_update"}
# A module that has a verb, or a function that locks, says one of these somewhere.
TELLING = ("actor", "lock")


@dataclass(frozen=True)
class Verb:
    """`name` is where it stands: "wallet.withdrawals.verbs.approve_withdrawal"."""

    name: str
    takes_actor: bool
    is_locking: bool


def _modules() -> list[Path]:
    paths = [path for app in settings.KEELSON_APPS for path in sorted((ROOT / app).rglob("*.py"))]
    return [path for path in paths if not NOT_THE_BUSINESS & {*path.parts, path.stem}]


def _called(function: ast.FunctionDef) -> set[str]:
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    return {
        one.attr if isinstance(one, ast.Attribute) else one.id
        for one in calls
        if isinstance(one, ast.Attribute | ast.Name)
    }


def _is_locking(function: ast.FunctionDef) -> bool:
    said = [node.value for node in ast.walk(function) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    called = _called(function)
    return (
        bool(called & LOCKING)
        or any(name.startswith(("lock_", "_lock")) for name in called)
        or any("pg_advisory" in text for text in said)
    )


@functools.cache
def verbs() -> dict[str, Verb]:
    """Every public function of the apps that takes `actor` by name and nothing by place, or that locks."""
    found = {}
    for path in _modules():
        dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        text = path.read_text()
        if not any(word in text for word in TELLING):  # reading it as Python takes a hundred times as long
            continue
        lines = text.splitlines()
        for function in ast.parse(text).body:
            if not isinstance(function, ast.FunctionDef) or function.name.startswith("_"):
                continue
            by_name = {one.arg for one in function.args.kwonlyargs}
            takes_actor = "actor" in by_name and (not function.args.args or "require" in _called(function))
            is_locking = any("lock" in line for line in lines[function.lineno - 1 : function.end_lineno])
            verb = Verb(f"{dotted}.{function.name}", takes_actor, is_locking and _is_locking(function))
            if verb.takes_actor or verb.is_locking:
                found[verb.name] = verb
    return found
