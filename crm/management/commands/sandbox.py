"""`manage.py sandbox {mt5,mt4,ctrader,matchtrader,sirix} --port N`: a sandbox server alone, for other people's clients.

The server is a program of its own (`python -m sandbox.<name>`); this command becomes it, so that it has the same process id.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from launcher.supervisor.sandboxes import SERVERS, named

DEFAULT_WORLD = "seeded"


class Command(BaseCommand):
    help = (
        "Run a sandbox trading server alone, seeded. Its listeners take N, N+1 …, its state page with all switches the next "
        "port. Options of the server itself follow after two dashes, e.g. `-- --tls`."
    )
    requires_system_checks: list[str] = []  # it needs neither database nor settings

    more: list[str] = []  # what stands after two dashes

    def run_from_argv(self, argv: list[str]) -> None:
        if "--" in argv:
            at = argv.index("--")
            argv, self.more = argv[:at], argv[at + 1 :]
        super().run_from_argv(argv)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("server", choices=[server.name for server in SERVERS])
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, help="N; 0 takes free ones. Default: the server's own ports")
        parser.add_argument("--login", help="manager login (mt5, ctrader)")
        parser.add_argument("--password", help="manager password (mt5, ctrader)")
        parser.add_argument("--crypt", action="store_true", help="accept only encrypted sessions on the raw port (mt5)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same accounts and deals")
        parser.add_argument("--state", default=":memory:", help="SQLite file that keeps the server's state")
        parser.add_argument("--rhythm", type=float, default=12.0, help="positions a minute; 0: no automatic activity")

    def handle(self, *args: Any, **options: Any) -> None:
        server, first = named(options["server"]), options["port"]
        arguments = [sys.executable, "-m", f"sandbox.{server.name}", "--host", options["host"]]
        for number, listener in enumerate(server.all_listeners):
            port = listener.port if first is None else first + number if first else 0
            arguments += [listener.flag, str(port)]
        for name in ("login", "password"):
            arguments += [f"--{name}", options[name]] if options[name] else []
        arguments += ["--crypt"] if options["crypt"] else []
        arguments += [
            "--seed",
            str(options["seed"]),
            "--state",
            options["state"],
            "--rhythm",
            str(options["rhythm"]),
            "--world",
            DEFAULT_WORLD,
            *self.more,
        ]
        sys.stdout.flush()
        os.chdir(settings.BASE_DIR)
        os.execv(sys.executable, arguments)  # noqa: S606 - a program of our own, with its arguments in a list
