"""`python -m tests.ready`: what every test process needs, made once beforehand, on the core that `make test` leaves idle
while it checks style and types: the templates of the tests' databases, every test compiled, and the static files collected
for the instances that tests, `make smoke` and `make production` start.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
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
    from tests import database, demo_template

    database.start_servers()
    database.ensure_template()
    # In a process of its own: pytest rewrites plugins as they are imported, and the apps have imported some by now.
    collect = [sys.executable, "-m", "pytest", "-qq", "-n", "0", "--collect-only", "-p", "no:cacheprovider", "tests"]
    if subprocess.run(collect, stdout=subprocess.DEVNULL).returncode:
        print("Some tests can't be read; the run that follows says which.", file=sys.stderr)
    demo_template.ensure_template()


if __name__ == "__main__":
    sys.exit(main())
