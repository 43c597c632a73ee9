"""Draw faults: where the code can be made wrong, which of it is worth a test, and how the wrong code reads.

Faults come from cosmic-ray's operators (a limit moved, a comparison turned round, `and` for `or`, a number off by one), and
from three of our own: a guarding call dropped (`require`, `audit.record`, …), a row read without its lock, a condition
dropped from a filter. What no user could notice isn't drawn: texts, logs, the order of lists, sizes of batches, timeouts.
"""

from __future__ import annotations

import ast
import copy
import difflib
import random
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import parso
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator

ROOT = Path(__file__).resolve().parent.parent.parent
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

# Calls and keywords whose arguments change nothing that a test could be asked to see.
SILENT_CALLS = re.compile(
    r"^(logger|log|logging)\.|^_$|gettext|format_html$|\.order_by$|\.iterator$|^(Field|Column|Tile|register\w*)$|^sorted$|^progress$|\.sleep$"
)
SILENT_KEYWORDS = re.compile(
    r"^(frozen|slots|kw_only|durable|strict|batch_size|chunk_size|timeout|max_length|ignore_conflicts|nowrap|indent|width"
    r"|default_auto_field|editable|blank|null|sort|wide|numeric|key|using|savepoint|is_wide|maxsize)$"
)
SILENT_CONSTANTS = re.compile(
    r"^(\w*(TIMEOUT|BATCH|CHUNK|AT_ONCE|PER_PAGE|PAUSE|_SHOWN|ROWS_MAX|WIDTH|_LENGTH|_WAITS|ATTEMPTS|_AGAIN|_TAKES)\w*"
    r"|LEASE|(COUNT|CHANGES|CHILDREN)_MAX)\b"
)
LEFT_OUT = re.compile(
    r"/(migrations|demo|views|locale|sources|data|management)/"
    r"|/(urls|apps|forms|\w*tables|panels|choices|models|views|\w*_pages|demo|\w*codes|roles|sentences|\w*texts|job_kinds|pack_data)"
    r"(/|\.py)|__init__\.py$"
)


@dataclass(frozen=True)
class Fault:
    group: str
    path: str
    operator: str
    occurrence: int
    code: str
    places: dict[str, list[int]]  # lines, here and elsewhere, that a test runs which can notice it
    is_in_function: (
        bool  # the rest of the module stays as it is: the function's code can be swapped in a living process
    )

    def name(self) -> str:
        return f"{self.path} {self.operator}#{self.occurrence}"

    def diff(self) -> str:
        before = (ROOT / self.path).read_text().splitlines()
        return "\n".join(list(difflib.unified_diff(before, self.code.splitlines(), lineterm="", n=1))[2:])

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"name": self.name()}


def modules(named: str) -> list[str]:
    """List the sources under the named files and folders, without pages, demo data and choices."""
    command = ["git", "ls-files", *named.split()]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for path in listed.split() if path.endswith(".py") and not LEFT_OUT.search("/" + path)]


def draw(group: str, paths: list[str], everywhere: list[str], sample: int, seed: str) -> tuple[int, list[Fault]]:
    """Draw a sample of a group's faults, the same for the same seed; also return how many there are to draw from."""
    rng = random.Random(f"{seed}:{group}")
    trees = {path: get_ast((ROOT / path).read_text()) for path in paths}
    possible = [(path, *position) for path, tree in trees.items() for position in _positions(tree)]
    rng.shuffle(possible)
    drawn: list[Fault] = []
    for path, operator, occurrence, line in possible:
        if len(drawn) == sample:
            break
        fault = _fault(group, path, operator, occurrence, line, everywhere)
        if fault and fault.code not in {other.code for other in drawn}:
            drawn.append(fault)
    return len(possible), drawn


def _positions(tree: Any) -> Iterator[tuple[str, int, int]]:
    """Walk as cosmic-ray does, so that a position's number is the occurrence it counts."""
    counts: Counter[str] = Counter()
    for node in ast_nodes(tree):
        for name, operator in OPERATORS.items():
            for (line, _column), _end in operator.mutation_positions(node):
                if not _is_silent(node):
                    yield name, counts[name], line
                counts[name] += 1


def _is_silent(node: Any) -> bool:
    if node.type == "operator" and node.parent.type in {"parameters", "param", "lambdef", "arglist"}:
        return True  # the star that makes arguments go by name
    while (parent := node.parent) is not None:
        if parent.type in {"decorator", "annassign"} and (parent.type == "decorator" or node is parent.children[1]):
            return True
        if parent.type == "funcdef" and parent.name.value in {"__str__", "__repr__"}:
            return True
        if parent.type == "argument" and SILENT_KEYWORDS.match(parent.children[0].get_code().strip()):
            return True
        if parent.type == "trailer" and parent.get_previous_sibling() is not None:
            called = "".join(part.get_code() for part in parent.parent.children[: parent.parent.children.index(parent)])
            if SILENT_CALLS.search(called.strip()):
                return True
        is_many = node.type == "number" and node.value.isdigit() and int(node.value) >= 20
        if is_many and (parent.type in {"trailer", "subscript"} or parent.get_first_leaf().value == "limit"):
            return True
        if parent.type == "expr_stmt" and SILENT_CONSTANTS.search(parent.children[0].get_code().strip()):
            return True
        node = parent
    return False


def _fault(group: str, path: str, operator: str, occurrence: int, line: int, everywhere: list[str]) -> Fault | None:
    source = (ROOT / path).read_text()
    code = mutate_code(source, OPERATORS[operator], occurrence)
    tree, other = ast.parse(source), _parsed(code)
    if code is None or other is None or _meaning(tree) == _meaning(other):
        return None
    is_in_function = _meaning(tree, outside=True) == _meaning(other, outside=True)
    return Fault(group, path, operator, occurrence, code, _places(path, tree, line, everywhere), is_in_function)


def _parsed(code: str | None) -> ast.Module | None:
    try:
        return ast.parse(code or "")
    except SyntaxError:
        return None


class _Outside(ast.NodeTransformer):
    """Leave out what functions do, and what is only for types."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.body = []
        return node


def _meaning(tree: ast.Module, *, outside: bool = False) -> str:
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            if getattr(node, field, None) is not None:
                setattr(node, field, None)
    return ast.dump(_Outside().visit(copy.deepcopy(tree)) if outside else tree)


def _places(path: str, tree: ast.Module, line: int, everywhere: list[str]) -> dict[str, list[int]]:
    around = [
        node for node in ast.walk(tree) if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    functions = [node for node in around if isinstance(node, ast.FunctionDef)]
    if functions and line >= functions[0].body[0].lineno:
        innermost = min(around, key=lambda node: (node.end_lineno or 0) - node.lineno)
        body = getattr(innermost, "body", None)
        last = body[0].lineno - 1 if isinstance(body, list) else innermost.end_lineno or 0
        return {path: list(range(innermost.lineno, max(last, innermost.lineno) + 1))}
    if functions:
        return {path: list(range(functions[0].body[0].lineno, (functions[0].end_lineno or 0) + 1))}
    named = {
        name.id
        for node in around
        for name in ast.walk(node)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
    } | {node.name for node in around if isinstance(node, ast.ClassDef)}
    says = re.compile(rf"\b({'|'.join(named) or '(?!)'})\b")
    found = {
        other: [number for number, text in enumerate((ROOT / other).read_text().splitlines(), 1) if says.search(text)]
        for other in {*everywhere, path}
    }
    return {other: lines for other, lines in found.items() if lines}
