"""What can be checked of the ways to run Keelson without a container engine: files agree with each other and with settings."""

import functools
import json
import re
import shlex
import subprocess
import sys
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

from launcher.supervisor import plan, sandboxes

ROOT = Path(settings.BASE_DIR)
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
# What programs other than ours read.
FOREIGN = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "DJANGO_SETTINGS_MODULE"}
ENVIRONMENT_READ = re.compile(r"""(?:\benv(?:\.\w+)?\(|environ(?:\.get\(|\[)|getenv\()\s*["']([A-Z][A-Z0-9_]+)["']""")


@functools.cache
def read_variables(*folders: str) -> set[str]:
    found = set()
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            found |= set(ENVIRONMENT_READ.findall(path.read_text()))
    return found


def instructions(name: str) -> list[str]:
    joined = DOCKERFILE.replace("\\\n", " ")
    return [line[len(name) :].strip() for line in joined.splitlines() if line.startswith(f"{name} ")]


SANDBOXES = [*(server.part for server in sandboxes.SERVERS), "sandbox-psp"]


def own_services() -> dict[str, dict]:
    return {name: service for name, service in COMPOSE["services"].items() if "build" in service}


def packages_of(name: str) -> list[str]:
    lines = (ROOT / "deploy" / name).read_text().splitlines()
    return [word for line in lines if (word := line.partition("#")[0].strip())]


# --- documents ---


def test_each_environment_variable_that_we_read_is_documented():
    text = (ROOT / "docs" / "operations.md").read_text()
    ours = read_variables(*settings.KEELSON_APPS, "launcher", "sandbox") - {
        "PATH",
        "PYTHONPATH",
        "HOME",
        "TZ",
        "NO_COLOR",
    }
    missing = sorted(name for name in ours if f"`{name}`" not in text)
    assert not missing, f"docs/operations.md does not explain {', '.join(missing)}"


def test_no_documented_variable_is_gone():
    text = (ROOT / "docs" / "operations.md").read_text()
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    named = {name for cell in rows for name in re.findall(r"`((?:KEELSON|SANDBOX)_[A-Z0-9_]+)`", cell)}
    ports = {f"KEELSON_{name}PORT" for name in ("", "LIVE_", "PSP_")} | {one.variable for one in sandboxes.LISTENERS}
    set_by_us = {*ports, *plan.JOINED, plan.INSTANCE_MARK}
    set_by_us |= set(re.findall(r'"(KEELSON_[A-Z]+)"', (ROOT / "deploy" / "bootstrap.py").read_text()))
    assert not sorted(named - read_variables(*settings.KEELSON_APPS, "launcher", "sandbox", "tests") - set_by_us)


def test_each_manage_command_that_the_handbook_names_exists():
    text = (ROOT / "docs" / "operations.md").read_text()
    named = set(re.findall(r"manage\.py (\w+)", text))
    assert named
    assert not sorted(named - set(get_commands()))


# --- containers ---


def test_compose_runs_each_part_that_the_supervisor_runs():
    assert set(plan.PARTS) <= set(COMPOSE["services"])
    assert {"postgres", "redis", "migrate"} <= set(COMPOSE["services"])
    assert COMPOSE["services"]["postgres"]["image"] == "postgres:18"


@pytest.mark.parametrize("name", sorted(own_services()))
def test_each_service_starts_something_that_exists(name):
    command = own_services()[name].get("command") or json.loads(instructions("CMD")[0])
    match command:
        case ["python", "manage.py", subcommand, *_]:
            assert subcommand in get_commands()
        case ["python", "-m", module, *_]:
            assert find_spec(f"{module}.__main__")
        case ["gunicorn" | "uvicorn", target, *_]:
            assert find_spec(target.partition(":")[0])
        case ["celery", "-A", package, *_]:
            assert find_spec(f"{package}.celery")
        case _:
            pytest.fail(f"{name} starts {command}: say here how to check it")


@pytest.mark.parametrize("name", sorted(own_services()))
def test_each_service_gets_only_variables_that_somebody_reads(name):
    known = read_variables(*settings.KEELSON_APPS, "launcher", "sandbox") | FOREIGN
    assert not sorted(set(own_services()[name]["environment"]) - known)


@pytest.mark.parametrize("name", [part.replace("-", ".") for part in SANDBOXES])
def test_the_sandboxes_take_the_flags_they_are_given(name):
    given = {word for word in own_services()[name.replace(".", "-")]["command"] if word.startswith("--")}
    planned = next(c for c in plan.children(plan.Options(Path("/nowhere"))) if c.name == name.replace(".", "-"))
    given |= {word for word in planned.command if word.startswith("--")}
    usage = subprocess.run([sys.executable, "-m", name, "--help"], cwd=ROOT, capture_output=True, text=True).stdout
    assert not sorted(flag for flag in given if flag not in usage)


@pytest.mark.parametrize("name", SANDBOXES)
def test_the_sandboxes_of_containers_start_as_those_of_the_supervisor(name):
    def flags(command):
        return {word for word in command if word.startswith("--")}

    planned = next(c for c in plan.children(plan.Options(Path("/nowhere"))) if c.name == name)
    service = own_services()[name]
    assert flags(service["command"]) == flags(planned.command) | {"--host"}
    # What the demo leaves for them lies on a volume that both see, at the place where the demo writes it.
    folder = "/var/lib/keelson/sandbox"
    assert f"sandbox:{folder}" in service["volumes"]
    assert f"sandbox:{folder}" in own_services()["web"]["volumes"]
    imported = service["command"][service["command"].index("--import") + 1]
    file = planned.command[planned.command.index("--import") + 1]
    assert imported == f"{folder}/{Path(file).name}"
    assert f"install -d -o keelson -g keelson {folder}" in DOCKERFILE


def test_secrets_of_containers_have_no_default():
    for name in ("POSTGRES_PASSWORD", "SECRET_KEY", "KEELSON_FIELD_KEY"):
        uses = re.findall(rf"\$\{{{name}(?!\w)([^}}]*)\}}", (ROOT / "docker-compose.yml").read_text())
        assert uses
        assert all(use.startswith(":?") for use in uses)


def test_each_volume_and_dependency_is_declared():
    services = COMPOSE["services"]
    for service in services.values():
        assert set(service.get("depends_on") or []) <= set(services)
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in COMPOSE["volumes"]


def test_each_file_that_the_image_copies_exists():
    copied = [shlex.split(line) for line in instructions("COPY")]
    sources = [source for words in copied if not words[0].startswith("--from") for source in words[:-1]]
    assert sources
    assert not [source for source in sources if not (ROOT / source).exists()]
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert not sorted(source for source in sources if source.partition("/")[0] not in allowed)


def test_the_image_has_all_that_runs():
    copied = {source for line in instructions("COPY") for source in shlex.split(line)[:-1]}
    assert {*settings.KEELSON_APPS, "launcher", "sandbox", "templates", "static", "locale", "manage.py"} <= copied


def test_the_image_installs_the_packages_of_the_bootstrap():
    """Both read the same two lists, so that they can't differ."""
    assert "deploy/apt-packages.txt | xargs apt-get install" in DOCKERFILE
    assert "apt-packages.txt" in (ROOT / "deploy" / "bootstrap.py").read_text()
    runtime = {path.name for path in (ROOT / "requirements").glob("*.txt")} - {"dev.txt", "mutants.txt"}
    assert not sorted(name for name in runtime if f"requirements/{name}" not in DOCKERFILE)


def test_the_image_does_not_run_as_root():
    users = instructions("USER")
    assert users
    assert users[-1] != "root"


def test_system_packages_are_named_once():
    names = packages_of("apt-packages.txt") + packages_of("apt-packages-dev.txt")
    assert len(names) == len(set(names))
    assert "libpango-1.0-0" in names


# --- installation ---


def test_every_requirement_is_pinned_by_hash():
    for path in (ROOT / "requirements").glob("*.txt"):
        entries = re.split(r"\n(?=[a-z0-9A-Z])", path.read_text())
        pinned = [entry for entry in entries if re.match(r"[A-Za-z0-9_.\[\]-]+==", entry)]
        assert pinned, path
        assert not [entry.splitlines()[0] for entry in pinned if "--hash=sha256:" not in entry], path


def test_requirements_name_no_host():
    for path in (ROOT / "requirements").glob("*.txt"):
        assert not re.search(r"https?://|--index-url|--find-links", path.read_text()), path


def test_each_make_target_of_the_documents_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    for name in ("README.md", "CONTRIBUTING.md", "docs/operations.md", "docs/architecture.md", ".ci/run"):
        named = set(re.findall(r"(?:`|^|\s)make ([a-z]+)(?=[`\s;])", (ROOT / name).read_text()))
        named -= {"it", "sure", "a", "the", "this"}
        assert not sorted(named - targets), name


def test_continuous_integration_runs_tests_and_journey():
    script = (ROOT / ".ci" / "run").read_text()
    assert "make test" in script
    assert "_smoke _production" in script
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def named_packages() -> dict[str, str]:
    """Each package that we name for running, with the rest of its line."""
    lines = (ROOT / "pyproject.toml").read_text().partition("[dependency-groups]")[0].splitlines()
    found = [re.match(r'\s+"([A-Za-z0-9_-]+)[^"]*",?(.*)$', line) for line in lines]
    return {match[1]: match[2] for match in found if match}


def test_each_package_has_its_reason_in_a_line():
    assert not [name for name, rest in named_packages().items() if not re.match(r"\s*# \w.{8,}", rest)]


# What is named by something else than its module: a hasher in the settings, a program, the driver of another system.
NAMED_BY = {
    "argon2-cffi": "Argon2PasswordHasher",
    "gunicorn": "gunicorn",
    "uvicorn": "uvicorn",
    "MetaTrader5": "MetaTrader5",
}


def test_each_package_does_work_in_the_code():
    """What nobody imports, and no setting names, is weight and risk for nothing."""
    modules: dict[str, list[str]] = {}
    for module, names in packages_distributions().items():
        for name in names:
            modules.setdefault(name.lower().replace("_", "-"), []).append(module)
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    code = "\n".join((ROOT / name).read_text() for name in listed.split() if not name.startswith("tests/"))
    idle = []
    for name in named_packages():
        words = [NAMED_BY[name]] if name in NAMED_BY else modules.get(name.lower(), [name])
        if not any(re.search(rf"\b{re.escape(word)}\b", code) for word in words):
            idle.append(name)
    assert not idle
