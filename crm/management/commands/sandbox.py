"""`manage.py sandbox mt5 …`: one of the sandbox servers alone, for other people's clients to be pointed at.

The server is a program of its own (`python -m sandbox.mt5`); this command becomes it, so that it has the same process id.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Run a sandbox server alone. Raw Web API on N, REST over TLS on N+1, its state page on N+2."
    requires_system_checks: list[str] = []  # it needs neither database nor settings

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("server", choices=["mt5"])
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8443, help="N")
        parser.add_argument("--login", type=int, default=1000, help="manager login")
        parser.add_argument("--password", default="Sandbox-1000!", help="manager API password")
        parser.add_argument("--crypt", action="store_true", help="accept only encrypted sessions on the raw port")
        parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same accounts and deals")
        parser.add_argument("--state", default=":memory:", help="SQLite file that keeps the server's state")
        parser.add_argument("--rhythm", type=float, default=12.0, help="positions a minute; 0: nothing moves by itself")

    def handle(self, *args: Any, **options: Any) -> None:
        port = options["port"]
        arguments = [
            sys.executable, "-m", "sandbox.mt5", "--host", options["host"], "--port", str(port),
            "--rest-port", str(port + 1 if port else 0), "--http-port", str(port + 2 if port else 0),
            "--login", str(options["login"]), "--password", options["password"], "--seed", str(options["seed"]),
            "--state", options["state"], "--rhythm", str(options["rhythm"]), "--world", "seeded",
            *(["--crypt"] if options["crypt"] else []),
        ]  # fmt: skip
        sys.stdout.flush()
        os.chdir(settings.BASE_DIR)
        os.execv(sys.executable, arguments)  # noqa: S606 - a program of our own, with its arguments in a list
