#!/usr/bin/env python
"""Keelson's command line: every command runs on the embedded servers unless DATABASE_URL and REDIS_URL are set."""

import os
import sys
from pathlib import Path


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings.dev")
    from django.core.management import execute_from_command_line

    from launcher import devdb

    devdb.ensure_for_command(sys.argv[1:], Path(os.environ.get("KEELSON_VAR") or Path(__file__).parent / "var"))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
