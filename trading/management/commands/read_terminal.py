"""`manage.py read_terminal`: balances and deals of a trader's or partner's own terminal, on Windows, read only."""

from __future__ import annotations

import datetime as dt
import getpass
import json
import os
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from trading.platforms.errors import PlatformError
from trading.platforms.mt5.terminal import terminal

PASSWORD = "KEELSON_TERMINAL_PASSWORD"  # noqa: S105 - the name of a variable


class Command(BaseCommand):
    help = (
        "Print the account, positions and deals of the MetaTrader 5 terminal on this Windows machine as JSON lines. "
        f"Use the investor password; the command prompts for it or reads it from {PASSWORD} and doesn't store it."
    )
    requires_system_checks: list[str] = []  # it needs no database

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("login", type=int)
        parser.add_argument("server", help="as listed in the terminal, e.g. Broker-Live")
        parser.add_argument("--days", type=int, default=30, help="days of deal history to read")
        parser.add_argument("--zone", default="EET", help="time zone of the server's clock")
        parser.add_argument("--path", default="", help="path of terminal64.exe if several are installed")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            zone = ZoneInfo(options["zone"])
        except (ZoneInfoNotFoundError, ValueError) as problem:
            raise CommandError(f"{options['zone']} isn't a time zone. Use a name such as EET.") from problem
        password = os.environ.get(PASSWORD) or getpass.getpass("Investor password: ")
        until = timezone.now()
        try:
            with terminal(
                login=options["login"], password=password, server=options["server"], zone=zone, path=options["path"]
            ) as reader:
                account = reader.account()
                self._say("account", asdict(account))
                for position in reader.positions():
                    self._say("position", asdict(position))
                for deal in reader.deals(until - dt.timedelta(days=options["days"]), until + dt.timedelta(hours=1)):
                    self._say("deal", {key: value for key, value in asdict(deal).items() if key != "raw"})
        except PlatformError as problem:
            raise CommandError(f"{problem.message[:1].upper()}{problem.message[1:]}.") from problem
        if account.can_trade:
            self.stderr.write("This is the master password: the investor password is enough, and safer.")

    def _say(self, kind: str, values: dict[str, Any]) -> None:
        self.stdout.write(json.dumps({"kind": kind, **values}, default=str, ensure_ascii=False))
