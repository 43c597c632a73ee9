"""One case for each kind of approval, declared beside the tests of its room: `@approval_case("rate-entry")`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crm import approvals
from crm.choices import Role

TESTS = Path(__file__).parents[2]


@dataclass
class Case:
    """A proposal that waits, and who is who. effects: how often it took effect, counted from outside.

    check: the CHECK that refuses one person for both. forged: what the maker would write by hand to decide it alone, and
    forged_row where, if not on the proposal.
    """

    item: Any
    maker: Any
    checker: Any
    effects: Callable[[], int]
    check: str
    forged: dict[str, Any] | None = None
    forged_row: Any = None
    role: Role = Role.FINANCE
    # A colleague who sees the brand and lacks the right; support, where that isn't the one who has it.
    outsider: Any = None
    # False: it is about the company, and whoever has the right decides.
    has_brand: bool = True
    # Whoever may decide may also say no, the first approver too.
    maker_may_reject: bool = False
    # Withdrawn, it awaits a first approval again: the next one is that, and has no effect yet.
    is_first_again: bool = False
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> approvals.ApprovalKind[Any]:
        return approvals.kind_of(type(self.item))


# (cast, a way to a fixture by its name) → the case.
Make = Callable[[Any, Callable[[str], Any]], Case]
CASES: dict[str, Make] = {}


def approval_case(code: str) -> Callable[[Make], Make]:
    def declare(make: Make) -> Make:
        CASES[code] = make
        return make

    return declare


def load() -> dict[str, Make]:
    """Every `approval_cases.py` below tests/."""
    for path in sorted(TESTS.rglob("approval_cases.py")):
        importlib.import_module(".".join(path.relative_to(TESTS.parent).with_suffix("").parts))
    return CASES
