"""A row's state is changed by `move_to`, along the table beside its choices; set-based places are named."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import models

from crm.db.states import HasState

ROOT = Path(settings.BASE_DIR)
DIAGRAM = re.compile(r"<!-- states: (\w+\.\w+)\.(\w+) -->\n```mermaid\nstateDiagram-v2\n(.*?)```", re.DOTALL)
ARROW = re.compile(r"^\s*(\S+) --> (\w+)", re.MULTILINE)
NAMES = {"state", "status", "stage"}
# Rows that are written once, in the state that they keep.
WRITTEN_ONCE = {"ib.Accrual", "ib.Settlement", "leads.AutomationRunStep", "wallet.Exchange"}
# Many rows in one statement, or one without a lock: each filters by the states that it leaves.
SET_BASED = {
    "trading/platforms/breaker_status.py": "a dictionary",
    "clients/mail.py": "a letter's lease: the mail server is not waited for in a transaction",
    "compliance/screening.py": "open matches of earlier data",
    "compliance/watchlists.py": "the version that was current",
    "compliance/vendors/entries.py": "the version that was current",
    "crm/due/rows.py": "all open rows of some keys, whatever the sweeper holds",
    "crm/events/delivery.py": "all deliveries of a batch, locked",
    "crm/files/jobs.py": "a job is claimed and ended beside its own transactions",
    "crm/outbound/disabling.py": "all waiting messages of a webhook that is archived or disabled, which is locked",
    "crm/staff/event_subscriptions.py": "all waiting deliveries of a subscription that is paused or archived",
    "kyc/pipeline.py": "runs whose worker stopped",
    "trading/sync/breaks.py": "all differences that a new look did not find",
    "wallet/bank/payment_files.py": "all orders of one file, locked",
    "wallet/reconciliation/closing.py": "all proposals for breaks that closed themselves",
    "wallet/reconciliation/deciding.py": "all breaks and suggestions of two sides",
    "wallet/reconciliation/source_runs.py": "all breaks that a run did not find",
    "wallet/withdrawals/investigations.py": "an order that is in no file",
}


def _fields() -> set[str]:
    return {field for model in apps.get_models() if issubclass(model, HasState) for field in model.TRANSITIONS}


@functools.cache
def _changes() -> tuple[dict[str, list[int]], set[str]]:
    """Where states are set past `move_to`: lines by module, and modules that do it in an UPDATE."""
    fields = _fields()
    assigned: dict[str, list[int]] = {}
    updating = set()
    for name, tree in _trees():
        nodes = list(ast.walk(tree))
        if lines := _assigned(nodes, fields):
            assigned[name] = lines
        if _updates(nodes, fields):
            updating.add(name)
    return assigned, updating


def _trees() -> Iterator[tuple[str, ast.Module]]:
    for app in settings.KEELSON_APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            # A demo writes rows that had a history before it began.
            if not {"migrations", "demo"} & set(path.parts) and path.name != "demo.py":
                yield name, ast.parse(path.read_text())


def _targets(node: ast.AST) -> Iterator[ast.expr]:
    for target in getattr(node, "targets", None) or [getattr(node, "target", None)]:
        yield from target.elts if isinstance(target, ast.Tuple) else [target]


def _assigned(nodes: list[ast.AST], fields: set[str]) -> list[int]:
    """Lines that set a state on something else than the object itself."""
    assigned = [
        node.lineno
        for node in nodes
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign)
        for target in _targets(node)
        if isinstance(target, ast.Attribute)
        and target.attr in fields
        and not (isinstance(target.value, ast.Name) and target.value.id == "self")
    ]
    written = [
        node.lineno
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setattr"
        if isinstance(node.args[1], ast.Constant) and node.args[1].value in fields
    ]
    return assigned + written


def _updates(nodes: list[ast.AST], fields: set[str]) -> bool:
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "update"
        and fields & {keyword.arg for keyword in node.keywords}
        for node in nodes
    )


def test_no_state_is_set_but_by_move_to():
    assert _changes()[0] == {}


def test_states_of_many_rows_are_set_in_named_modules_only():
    assert _changes()[1] == set(SET_BASED)


def test_every_state_field_has_its_table():
    without = {
        model._meta.label
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.name in NAMES and isinstance(field, models.CharField) and field.choices
        if not issubclass(model, HasState) or field.name not in model.TRANSITIONS
        if not model.__name__.startswith("Historical")
    }
    assert without == WRITTEN_ONCE


def test_diagrams_show_the_tables():
    texts = [path.read_text() for path in sorted((ROOT / "docs").rglob("*.md"))]
    shown = [found for text in texts for found in DIAGRAM.findall(text)]
    assert len(shown) == sum(text.count("stateDiagram-v2") for text in texts) >= 8, "a diagram without its mark"
    for label, field, body in shown:
        model = apps.get_model(label)
        first = model.FIRST_STATES.get(field) or {model._meta.get_field(field).default}
        steps = {(before, after) for before, following in model.TRANSITIONS[field].items() for after in following}
        drawn = {(before, after) for before, after in ARROW.findall(body)}
        loops = {(state, state) for state, _after in drawn}  # staying may be shown, and need not be
        wanted = {("[*]", str(state)) for state in first} | {(str(before), str(after)) for before, after in steps}
        assert drawn - wanted == set(), f"{label}.{field}: drawn, and not in the table"
        assert wanted - drawn - loops == set(), f"{label}.{field}: in the table, and not drawn"


def test_assignments_are_seen_in_every_form():
    tree = ast.parse(
        "row.state = 1\na.b.state, x = 1, 2\nrow.state: str = 1\nsetattr(row, 'state', 1)\nself.state = 1\n"
    )
    assert _assigned(list(ast.walk(tree)), {"state"}) == [1, 2, 3, 4]
