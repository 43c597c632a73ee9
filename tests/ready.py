"""`python -m tests.ready`: what every test process needs, made once beforehand, on the core that `make test` leaves idle
while it checks style and types: the templates of the tests' databases, and every test compiled.
"""

import os
import subprocess
import sys


def main() -> int:
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
    return 0


if __name__ == "__main__":
    sys.exit(main())
