"""The rules of the house that a reader can't see at a glance: layers, migrations, settings, history, documents."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command, get_commands
from django.urls import Resolver404, resolve
from simple_history import register  # noqa: F401 — its registry is filled when models load
from simple_history.utils import get_history_manager_for_model

from crm.errors import DomainError
from crm.events.bus import EVENT_TYPES, HANDLERS

ROOT = Path(settings.BASE_DIR)
APPS = settings.KEELSON_APPS


def sources(*folders: str):
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            if "migrations" not in path.parts:
                yield path


def trees(about: re.Pattern[str]) -> Iterator[tuple[Path, ast.Module]]:
    """The apps' sources that say `about` anywhere, parsed: to parse all of them takes seconds."""
    for path in sources(*APPS):
        text = path.read_text()
        if about.search(text):
            yield path, ast.parse(text)


def tracked_models() -> set[str]:
    names = set()
    for model in apps.get_models():
        if model._meta.app_label not in APPS:
            continue
        try:
            get_history_manager_for_model(model)
        except Exception:
            continue
        names.add(model.__name__)
    return names


def test_an_app_imports_only_from_those_below_it():
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.django_db
def test_models_and_migrations_agree():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_each_app_has_one_line_of_migrations():
    for app in APPS:
        folder = ROOT / app / "migrations"
        numbers = [path.name[:4] for path in folder.glob("0*.py")]
        assert len(numbers) == len(set(numbers)), f"{app}: two migrations share a number: {sorted(numbers)}"


def test_production_settings_pass_the_deployment_check():
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "crm.settings.production",
        "SECRET_KEY": "q7Zr2-Kd9w.Lm4x_Tb8v+Ns3y!Hc6p" * 2,
        "KEELSON_FIELD_KEY": "ab" * 32,
        "KEELSON_SEAL_KEY": "cd" * 32,
        "EMAIL_URL": "smtp+tls://user:password@mail.example.com:587",
        "KEELSON_HOSTS": "crm.example.com",
        "KEELSON_BASE_URL": "https://crm.example.com",
        "KEELSON_LIVE_URL": "https://crm.example.com",
        "KEELSON_DEMO": "0",
        "REDIS_URL": "redis://localhost:6379/0",
        "KEELSON_TRUSTED_PROXIES": "1",
    }
    environment.pop("DATABASE_URL", None)  # the tests' own, of its owner: roles have tests of their own
    environment.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # set by the browser tests of the same run
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_history_tracked_models_are_never_changed_behind_their_history():
    tracked = tracked_models()
    assert tracked
    offences = []
    for path, tree in trees(re.compile(r"\.\s*(?:update|bulk_create|bulk_update)\b")):
        if path.name == "demo.py" or "demo" in path.parts:
            continue
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr not in ("update", "bulk_create", "bulk_update"):
                continue
            text = ast.unparse(node.func)
            match = re.match(r"(\w+)\.objects\b", text)
            if match and match[1] in tracked:
                offences.append(f"{path.relative_to(ROOT)}:{node.lineno}: {text[:80]}")
    assert not offences, "\n".join(offences)


def test_handlers_live_in_subscribers_and_hear_known_events():
    assert HANDLERS
    for event, handlers in HANDLERS.items():
        assert event in EVENT_TYPES
        for handler in handlers:
            app, module, *_rest = handler.split(".")
            assert app in APPS and module == "subscribers", handler


OURS = sorted(name for name, app in get_commands().items() if app in APPS)
FEATURES = (ROOT / "docs" / "features.md").read_text()
HEADINGS = {"crm": "Ground floor", "ib": "Partners", "prop": "Prop challenges", "portal": "Client portal", "kyc": "KYC"}


def test_the_handbook_names_every_command():
    text = (ROOT / "docs" / "operations.md").read_text()
    assert not [name for name in OURS if f"`manage.py {name}" not in text]


def test_every_app_says_what_it_can_do_and_what_is_not_there_yet():
    parts = re.split(r"^## ", FEATURES, flags=re.M)[1:]
    by_heading = {part.partition("\n")[0]: part for part in parts}
    assert {HEADINGS.get(app, app.title()) for app in [*APPS, "sandbox"]} == set(by_heading)
    for heading, part in by_heading.items():
        assert "| capability | page | command | test |" in part, heading
        assert "Not there yet: " in part, heading
        assert not re.search(r"\|\n\n+\|", part), (
            f"{heading}: an empty line ends the table, the rows after it are no table"
        )


def test_features_name_tests_and_commands_that_exist():
    rows = [line for line in FEATURES.splitlines() if line.startswith("| ") and "capability" not in line]
    folder = ""
    for row in rows:
        for name in re.findall(r"`([\w/]+(?:\.py|/))`", row.rsplit("|", 2)[1]):
            folder = name.rpartition("/")[0] or folder
            path = ROOT / (name if "/" in name else f"{folder}/{name}")
            assert path.exists(), row
        for command in re.findall(r"`manage\.py (\w+)", row):
            assert command in OURS, row


def test_features_name_pages_that_exist():
    """An address stands as people see it, `<…>` for what differs: it must match a pattern of ours."""
    for row in FEATURES.splitlines():
        cells = row.split("|")
        for address in re.findall(r"`(/[^`]*)`", cells[2] if row.startswith("| ") else ""):
            tries = [re.sub(r"<[^>]+>", value, address) for value in ("7", "a-word")]
            assert any(_resolves(one) for one in tries), address


def _resolves(address: str) -> bool:
    try:
        resolve(address)
    except Resolver404:
        return False
    return True


def test_every_command_is_described():
    text = "".join(path.read_text() for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
    missing = [name for name, app in get_commands().items() if app in APPS and f"manage.py {name}" not in text]
    assert not missing, missing


def test_no_page_sets_scripts_or_styles_inline():
    offences = []
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text()
        if "email" in path.parts or "pdf" in path.parts or path.name.endswith(("_pdf.html", "_mail.html")):
            continue
        for pattern, what in (
            (r"<script(?![^>]*\bsrc=)(?![^>]*type=.application/json)", "inline script"),
            (r"\son[a-z]+=\"", "inline handler"),
            (r"<style\b", "inline style sheet"),
        ):
            if re.search(pattern, text):
                offences.append(f"{path.relative_to(ROOT)}: {what}")
    assert not offences, "\n".join(offences)


def test_the_project_speaks_of_the_product_only():
    """No machine's paths, no registry hosts in what we ship."""
    words = re.compile(r"(?<![\w.])/(?:work|farm)/|pypi\.org|pythonhosted|registry\.npmjs|deb\.debian", re.I)
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    offences = []
    for name in listed:
        path = ROOT / name
        if not path.is_file() or path.suffix not in {
            ".py",
            ".md",
            ".toml",
            ".txt",
            ".html",
            ".js",
            ".yml",
            ".css",
            ".sh",
            "",
        }:
            continue
        if name.startswith("static/vendor") or path == Path(__file__):
            continue
        if words.search(path.read_text(errors="ignore")):
            offences.append(name)
    assert not offences, offences


def _gives_money(node: ast.AST) -> bool:
    """`Money(…)`, `Money.of_minor(…)`."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id == "Money"


def _is_phrase(node: ast.AST, tree: ast.AST) -> bool:
    """`phrase(…)`, or a name that one was given."""
    if isinstance(node, ast.Name):
        given = (one for one in ast.walk(tree) if isinstance(one, ast.Assign))
        return any(ast.unparse(one.targets[0]) == node.id and _is_phrase(one.value, ast.Tuple()) for one in given)
    return any(isinstance(one, ast.Name) and one.id == "phrase" for one in ast.walk(node))


def test_amounts_stand_in_messages_as_their_reader_writes_them():
    """`%(money)s` is filled by `formats.money`: Money by itself is written for machines. A phrase keeps it as Money."""
    functions = (
        node
        for _path, tree in trees(re.compile("Money"))
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    )
    money = {one.name for one in functions if one.returns and ast.unparse(one.returns).split(" | ")[0] == "Money"}
    assert {"money", "payout_money"} <= money
    raw = [
        f"{path.relative_to(ROOT)}:{value.lineno} {ast.unparse(value)}"
        for path, tree in trees(re.compile(r"%(?:\s|\(|#.*)*\{"))
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and isinstance(node.right, ast.Dict)
        if not _is_phrase(node.left, tree)
        for value in node.right.values
        if (isinstance(value, ast.Attribute) and value.attr in money)
        or (isinstance(value, ast.Call) and _gives_money(value.func))
    ]
    assert raw == []


def test_a_day_from_the_browser_s_calendar_is_written_as_the_browser_reads_it():
    """`type="date"` reads the ISO form alone: in German a plain widget would write 23.11.2026, and the field stands empty."""
    own = {"crm/ui/forms.py", "portal/forms.py"}
    bare = re.compile(r"DateInput\(")
    found = [
        path
        for path, _tree in trees(bare)
        if path.relative_to(ROOT).as_posix() not in own and re.search(r"forms\.DateInput\(", path.read_text())
    ]
    assert not found


PAGE_CODE = re.compile(r"^portal/|/(?:views|pages)/|/(?:\w+_)?views\.py$|/(?:forms\w*|\w+_forms|panels|\w+_tab)\.py$")


def _kinds(error: type[Exception]) -> set[str]:
    return {error.__name__}.union(*(_kinds(kind) for kind in error.__subclasses__()))


def test_pages_run_actions_one_way():
    """No page catches a DomainError: `run_action` shows a refusal, `outcome_of` stands for a part that can't be shown."""
    resolve("/")  # every page, and with them every kind of refusal, is loaded
    refusals = _kinds(DomainError)
    assert {"NotAllowed", "WrongState", "LinkProblem", "EndUnknown"} <= refusals
    caught, seen = [], 0
    for path, tree in trees(re.compile(r"\bexcept\b|run_action")):
        name = path.relative_to(ROOT).as_posix()
        if not PAGE_CODE.search(name):
            continue
        seen += 1
        for node in ast.walk(tree):
            if not isinstance(node, ast.ExceptHandler):
                continue
            named = {part.split(".")[-1] for part in re.findall(r"[\w.]+", ast.unparse(node.type) if node.type else "")}
            if named & refusals:
                caught.append(f"{name}:{node.lineno}")
    assert seen > 60
    assert not caught, "\n".join(caught)


def test_the_formatter_decides_how_code_is_laid_out():
    """Only tables of pairs keep their columns; whatever else gets long wants a better shape."""
    mark = "# fmt: " + "skip"
    kept = [
        f"{path}: {line.strip()}"
        for path in sources(*APPS, "launcher", "sandbox", "tests", "bench")
        for line in path.read_text().splitlines()
        if mark in line
    ]
    assert len(kept) <= 20, kept
    assert not [line for line in kept if not line.partition(mark)[2].strip()], "say why beside it"


def test_people_have_their_type():
    """Who acts or looks is a `User`, or an `Actor` where the system itself may (None); never `Any`."""
    people = {"actor", "user", "requested_by", "decided_by", "made_by", "reader", "viewer", "officer", "agent"}
    offences = []
    for path, tree in trees(
        re.compile(r"\b(actor|user|requested_by|decided_by|made_by|reader|viewer|officer|agent): ")
    ):
        for node in ast.walk(tree):
            name = node.arg if isinstance(node, ast.arg) else None
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                name = node.target.id
            kind = getattr(node, "annotation", None)
            if name in people and kind is not None and ast.unparse(kind) in {"Any", "object", "Any | None"}:
                offences.append(f"{path.relative_to(ROOT)}:{node.lineno} {name}")
    assert not offences, offences


def test_types_are_checked_strictly():
    """mypy is strict over all apps; off is only what libraries without types make impossible, unread only made code."""
    mypy = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    assert mypy["strict"] is True
    off = {name for name, value in mypy.items() if value is False}
    assert off == {"disallow_subclassing_any", "disallow_untyped_decorators"}
    for override in mypy["overrides"]:
        assert all(".proto." in module for module in override["module"]), override


def test_things_have_their_type():
    """A brand, a payment or a list of rows that a function takes is what it is; never `Any`."""
    things = {"brand", "client", "account", "deposit", "withdrawal", "transfer", "psp", "server", "queryset", "cursor"}
    offences = []
    for path, tree in trees(re.compile(r"\b(" + "|".join(sorted(things)) + r"): Any\b")):
        for node in ast.walk(tree):
            kind = node.annotation if isinstance(node, ast.arg) and node.arg in things else None
            if kind is not None and ast.unparse(kind) == "Any":
                offences.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.arg}")
    assert not offences, offences
