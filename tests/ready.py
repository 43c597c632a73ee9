"""`python -m tests.ready`: what every test process needs, made once beforehand, on the core that `make test` leaves idle
while it checks style and types: the template of the tests' database, and every test compiled.
"""

import contextlib
import os
import sys


def main() -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "crm.settings.test"
    import django
    import pytest

    django.setup()
    from tests import database

    database.start_servers()
    database.ensure_template()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123
        code = pytest.main(["-qq", "-n", "0", "--collect-only", "-p", "no:cacheprovider", "tests"])
    if code:
        print("Some tests can't be read; the run that follows says which.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
