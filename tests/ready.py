"""`python -m tests.ready`: what every test process needs, made once beforehand, on the core that `make test` leaves idle
while it checks style and types: the templates of the tests' databases, every test compiled, the constants that Hypothesis
mixes in, and the static files collected for the instances that tests, `make smoke` and `make production` start.
"""

import ast
import compileall
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import source_hash
from pathlib import Path

from launcher.supervisor import statics

ROOT = Path(__file__).resolve().parent.parent
STATIC_ROOT = ROOT / "var" / "staticfiles"


def collect_static_files(environment: dict[str, str]) -> None:
    """As a start of Keelson would, for all that are started later."""
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    places = {"KEELSON_STATIC_ROOT": str(STATIC_ROOT), "KEELSON_VAR": str(ROOT / "var" / "test")}
    with statics.collecting(STATIC_ROOT) as needed:
        if needed:
            subprocess.run(command, cwd=ROOT, env={**environment, **places}, check=True)


def compile_tests() -> None:
    """As a process that collects them would, with assertions that say what they compared, but without importing anything."""
    from _pytest.assertion import rewrite
    from django.conf import settings

    for path in sorted((ROOT / "tests").rglob("*.py")):
        if not (path.name.startswith("test_") or path.name == "conftest.py"):
            continue
        folder = rewrite.get_cache_dir(path)
        compiled = folder / (path.name.removesuffix(".py") + rewrite.PYC_TAIL)
        if rewrite._read_pyc(path, compiled):
            continue
        source = path.read_bytes()
        tree = ast.parse(source, filename=str(path))
        rewrite.rewrite_asserts(tree, source, str(path))
        folder.mkdir(exist_ok=True)
        draft = compiled.with_suffix(f".{os.getpid()}")
        with draft.open("wb") as file:
            code = compile(tree, str(path), "exec", dont_inherit=True)
            rewrite._write_pyc_fp(file, source_hash(source), code)
        draft.replace(compiled)
    compileall.compile_dir(ROOT / "tests", rx=re.compile(r"/(test_\w+|conftest)\.py$"), quiet=2)
    for folder in ("bench", "launcher", *settings.KEELSON_APPS):
        compileall.compile_dir(ROOT / folder, quiet=2)


def main() -> int:
    environment = dict(os.environ)  # before the tests' settings add theirs
    with ThreadPoolExecutor(1) as pool:
        collecting = pool.submit(collect_static_files, environment)
        make_ready()
        collecting.result()
    return 0


def make_ready() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "crm.settings.test"
    import django

    django.setup()
    from tests import constants, database, demo_template

    database.start_servers()
    database.ensure_template()
    try:
        compile_tests()
        constants.stored()
    except Exception as error:
        # A file that can't be read, or another pytest: each process compiles what it needs, and says what is wrong.
        print(f"Not all tests are compiled: {error!r}", file=sys.stderr)
    demo_template.ensure_template()


if __name__ == "__main__":
    sys.exit(main())
