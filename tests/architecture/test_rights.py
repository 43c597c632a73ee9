"""What guards a change: never a right to look alone, and where the record belongs to somebody, reach as well."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
ASKS = {"require_permission", "has_permission", "has_perm"}
REACH = re.compile(
    r"reach|visible_to|get_client|get_partner|get_account|can_\w+\(|queries\.|find\(|whole_brands|owner_id != actor\.pk"
    r"|user=actor\b"
)
# Of the whole installation: no brand, no client, so nobody's reach says anything.
OF_THE_INSTALLATION = {
    "crm.due.sweep.replay",
    "crm.events.delivery.replay",
    "crm.events.delivery.skip",
    "compliance.watchlists.import_watchlist",
    "trading.leverage.caps.add_line",
    "trading.leverage.caps.end_line",
    "trading.symbols.mapping.confirm",
    "trading.symbols.mapping.map_symbol",
    "trading.symbols.mapping.leave_out",
    "trading.symbols.past_mappings.correct",
    "trading.servers.verbs.connect_server",
    "trading.servers.verbs.change_server",
    "trading.core.issues.close_issue",
    "trading.sync.backfill.start",
    "trading.sync.backfill.resume",
    "trading.sync.backfill.drop",
    "trading.sync.breaks.settle",
    "trading.sync.breaks.fetch_again",
    # A file of another system, which only its owner sees.
    "monitoring.history.files.upload_history",
}


def calls(node, functions):
    return [
        functions[name]
        for one in ast.walk(node)
        if isinstance(one, ast.Call)
        if (name := ast.unparse(one.func)) in functions
    ]


def rights(node, module):
    """Names of the rights that a function asks for."""
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and one.args and ast.unparse(one.func).rpartition(".")[2] in ASKS:
            last = one.args[-1]
            if isinstance(last, ast.Constant):
                yield last.value
            elif isinstance(last, ast.Name):
                yield getattr(module, last.id, "?")


@pytest.fixture(scope="module")
def verbs():
    """(name, what it and its helpers say, the rights they ask for) of every function that audits for an actor."""
    found = []
    for path in (path for app in settings.KEELSON_APPS for path in (ROOT / app).rglob("*.py")):
        text = path.read_text()
        if {"migrations", "demo", "management"} & set(path.parts) or "audit.record" not in text:
            continue
        name = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
        functions = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
        for verb in functions.values():
            near = calls(verb, functions)
            parts = [verb, *near, *(far for one in near for far in calls(one, functions))]
            whole = "\n".join(ast.unparse(part) for part in parts)
            if verb.name.startswith("_") or "audit.record" not in whole or "actor" not in ast.unparse(verb.args):
                continue
            asked = {str(right) for part in parts for right in rights(part, import_module(name))}
            if asked:
                found.append((f"{name}.{verb.name}", whole, asked))
    assert len(found) > 30
    return found


def test_no_right_to_look_guards_a_change(verbs):
    assert not [name for name, _whole, asked in verbs if all(".view_" in right for right in asked)]


def test_who_changes_a_record_reaches_it(verbs):
    without = {name for name, whole, _asked in verbs if not REACH.search(whole)}
    assert without == OF_THE_INSTALLATION & without, sorted(without - OF_THE_INSTALLATION)
