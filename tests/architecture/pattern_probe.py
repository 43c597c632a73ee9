"""Feeds long adversarial texts to every regular expression of the code; run by test_patterns.py in a process of its own.

Each pattern is read from the source (so that none is forgotten), with the methods by which it is used. The texts are made from
the pattern itself: whatever it repeats, repeated for LENGTH characters and then spoilt. A linear pattern needs milliseconds for
them; one that needs half a second of processor time grows faster than its input.
"""

from __future__ import annotations

import ast
import json
import re
import re._constants as codes  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
APPS = (
    "crm",
    "leads",
    "kyc",
    "trading",
    "wallet",
    "ib",
    "prop",
    "compliance",
    "monitoring",
    "risk",
    "support",
    "reports",
    "portal",
    "sandbox",
    "clients",
)
METHODS = ("match", "search", "fullmatch", "sub", "subn", "split", "findall", "finditer")
CALLED = re.compile(rf"\b([A-Za-z_]\w*)\.({'|'.join(METHODS)})\b")
LENGTH = 40_000
SECONDS_MAX = 0.5
ENDS = ("", "\0")


@dataclass
class Use:
    place: str
    pattern: str | bytes
    flags: int = 0
    methods: set[str] = field(default_factory=set)


def sources() -> Iterator[Path]:
    for app in APPS:
        yield from sorted(path for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)


def uses() -> tuple[list[Use], list[str]]:
    """Every pattern written in the code, and the places of those that are put together when they run."""
    found: list[Use] = []
    composed: list[str] = []
    called = {pair for path in sources() for pair in CALLED.findall(path.read_text())}
    for path in sources():
        tree = ast.parse(path.read_text())
        names = {
            id(node.value): target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            for value in _settings(node):
                if (text := _text(value)) is not None:
                    found.append(Use(f"{path.relative_to(ROOT)}:{value.lineno}", text, 0, {"fullmatch"}))
            method = _method(node)
            if method is None:
                continue
            assert isinstance(node, ast.Call)
            place = f"{path.relative_to(ROOT)}:{node.lineno}"
            text = _text(node.args[0]) if node.args else None
            if text is None:
                composed.append(place)
                continue
            used = {method} - {"compile"}
            if method == "compile" and (name := names.get(id(node))):
                used = {one for one in METHODS if (name, one) in called}
            found.append(Use(place, text, _flags(node), used or set(METHODS[:3])))
    return found, composed


def _method(node: ast.AST) -> str | None:
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and node.func.value.id == "re":
        return node.func.attr if node.func.attr in (*METHODS, "compile") else None
    return "search" if isinstance(node.func, ast.Name) and node.func.id == "RegexValidator" else None


def _settings(node: ast.AST) -> list[ast.expr]:
    """Patterns that are handed over by name: `Option(…, pattern="…")`."""
    return (
        [key.value for key in node.keywords if key.arg and key.arg.endswith("pattern")]
        if isinstance(node, ast.Call)
        else []
    )


def _text(node: ast.expr) -> str | bytes | None:
    """A literal. Patterns that are put together when the code runs are listed, see `composed`."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) else None


def _flags(node: ast.Call) -> int:
    told = [one for one in (*node.args[1:], *(key.value for key in node.keywords)) if "re." in ast.unparse(one)]
    words = re.findall(r"\bre\.([A-Z]+)\b", " ".join(ast.unparse(one) for one in told))
    flags = 0
    for word in words:
        flags |= getattr(re, word)
    return flags


# ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def texts(pattern: str | bytes, flags: int) -> Iterator[str]:
    """The shortest text that the pattern takes, with each of its repetitions in turn made long and then spoilt."""
    tree = parser.parse(pattern, flags)
    count = _count(tree)
    seen: set[str] = set()
    for number in range(count):
        for inner in (0, 1):
            text = _Sample(number, inner).of(tree)
            for one in (text, text[:-1]):
                for end in ENDS:
                    if one + end not in seen:
                        seen.add(one + end)
                        yield one + end
    for unit in (" ", "0", "a", "A", ".", ",", "1,", "a "):
        yield unit * (LENGTH // len(unit)) + "\0"


def _repeats(items: Any) -> Iterator[Any]:
    for code, value in items:
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            yield value
            yield from _repeats(value[2])
        elif code == codes.SUBPATTERN:
            yield from _repeats(value[3])
        elif code == codes.ATOMIC_GROUP:
            yield from _repeats(value)
        elif code == codes.BRANCH:
            for branch in value[1]:
                yield from _repeats(branch)
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            yield from _repeats(value[1])


def _count(tree: Any) -> int:
    return sum(1 for _one in _repeats(tree))


class _Sample:
    """`number` is the repetition made long; `inner`: how often repetitions within it are taken (0: as few as may be)."""

    def __init__(self, number: int, inner: int) -> None:
        self.number, self.inner, self.at = number, inner, -1

    def of(self, items: Any) -> str:
        return "".join(self._item(code, value) for code, value in items)

    def _item(self, code: Any, value: Any) -> str:
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            self.at += 1
            is_long = self.at == self.number
            least, most, body = value
            unit = self.of(body)
            if is_long:
                return unit * (min(int(most), max(LENGTH // max(len(unit), 1), 1)))
            return unit * max(int(least), min(self.inner, int(most)))
        if code == codes.SUBPATTERN:
            return self.of(value[3])
        if code == codes.ATOMIC_GROUP:
            return self.of(value)
        if code == codes.BRANCH:
            branches = [self.of(branch) for branch in value[1]]  # all of them: each repetition keeps its number
            return branches[0]
        if code in (codes.ASSERT, codes.ASSERT_NOT):
            text = self.of(value[1])
            return text if code == codes.ASSERT and value[0] > 0 else ""
        return _letter(code, value)


def _letter(code: Any, value: Any) -> str:
    if code == codes.LITERAL:
        return chr(value)
    if code == codes.NOT_LITERAL:
        return "a" if value != ord("a") else "b"
    if code == codes.ANY:
        return "a"
    if code == codes.IN:
        return _of_set(value)
    if code == codes.CATEGORY:
        return _of_category(value)
    return ""


def _of_category(value: Any) -> str:
    return {
        codes.CATEGORY_DIGIT: "0",
        codes.CATEGORY_SPACE: " ",
        codes.CATEGORY_WORD: "a",
        codes.CATEGORY_NOT_DIGIT: "a",
        codes.CATEGORY_NOT_SPACE: "a",
        codes.CATEGORY_NOT_WORD: " ",
    }.get(value, "")


def _of_set(members: Any) -> str:
    if members[0][0] == codes.NEGATE:
        text = re.compile(r".", re.DOTALL)
        for one in "a0 -\n.":
            if not any(_holds(member, one) for member in members[1:]) and text.match(one):
                return one
        return "~"
    code, value = members[0]
    return chr(value[0]) if code == codes.RANGE else _letter(code, value)


def _holds(member: Any, one: str) -> bool:
    code, value = member
    if code == codes.LITERAL:
        return value == ord(one)
    if code == codes.RANGE:
        return value[0] <= ord(one) <= value[1]
    return code == codes.CATEGORY and _of_category(value) == one


# ── the probe ────────────────────────────────────────────────────────────────────────────────────────────────────────


class TooSlow(Exception):
    pass


def _stop(_number: int, _frame: Any) -> None:
    raise TooSlow


def is_slow(use: Use) -> str:
    """The method that needed too long, and the beginning of the text; empty: none."""
    compiled = re.compile(use.pattern, use.flags)
    for text in texts(use.pattern, use.flags):
        subject: Any = text.encode("utf-8", "replace") if isinstance(use.pattern, bytes) else text
        for method in sorted(use.methods):
            call = getattr(compiled, method)
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS_MAX)
            try:
                if method in ("sub", "subn"):
                    call(b"" if isinstance(use.pattern, bytes) else "", subject)
                elif method == "finditer":
                    for _found in call(subject):
                        pass
                else:
                    call(subject)
            except TooSlow:
                return f"{method} of {text[:12]!r}…{text[-12:]!r}"
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return ""


def main() -> None:
    signal.signal(signal.SIGVTALRM, _stop)
    found, composed = uses()
    slow = {f"{use.place} {use.pattern!r}": words for use in found if (words := is_slow(use))}
    json.dump({"patterns": len(found), "composed": composed, "slow": slow}, sys.stdout)


if __name__ == "__main__":
    main()
