"""`manage.py bench NAME`: measures one capability beside its yardstick; docs/performance.md explains the figures."""

import json
import sys
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

PACKAGES = {"leads", "risk", "web"}


def names() -> list[str]:
    """List the benchmarks by their modules' names."""
    folder = Path(settings.BASE_DIR) / "bench"
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "harness", "bare_urls", "anomalies", "ib_huge"}
    # A large one is a package: its parts are measured together.
    return sorted(modules | {path.parent.name for path in folder.glob("*/__init__.py") if path.parent.name in PACKAGES})


class Command(BaseCommand):
    help = "Run a benchmark in a database of its own. quick ends within about a minute; full uses the design's sizes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", choices=names(), help="Without a name: list the benchmarks")
        parser.add_argument(
            "--size",
            choices=["tiny", "quick", "full", "huge"],
            default="quick",
            help="tiny only shows that the benchmark works; not every benchmark has huge, which takes up to half an hour",
        )
        parser.add_argument("--json", action="store_true")
        parser.add_argument(
            "--resume", type=Path, metavar="FILE", help="kyc: keep what was judged in this file, and go on from it"
        )
        parser.add_argument("--check", action="store_true", help="Exit 1 when a goal is missed")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["name"]:
            self._list(as_json=options["json"])
            return
        try:
            module = import_module(f"bench.{options['name']}")
        except ImportError as error:
            raise CommandError(f"The benchmark {options['name']} can't be loaded: {error}") from error
        harness = import_module("bench.harness")
        if options["resume"] and "resume" not in signature(module.run).parameters:
            raise CommandError(f"The benchmark {options['name']} can't be resumed.")
        if options["size"] == "huge" and "huge" not in getattr(module, "SIZES", ()):
            raise CommandError(f"The benchmark {options['name']} has no size huge.")
        figures = module.run(options["size"], **({"resume": options["resume"]} if options["resume"] else {}))
        report = {
            "bench": options["name"],
            "size": options["size"],
            "machine": harness.machine(),
            "figures": [figure.as_json() for figure in figures],
        }
        if options["json"]:
            self.stdout.write(json.dumps(report, indent=1))
        else:
            self._print(report)
        missed = [figure for figure in report["figures"] if figure["ok"] is False]
        if options["check"] and missed:
            sys.exit(1)

    def _list(self, *, as_json: bool) -> None:
        members = {name: (import_module(f"bench.{name}").__doc__ or "").strip().splitlines()[0] for name in names()}
        if as_json:
            self.stdout.write(json.dumps(members, indent=1))
            return
        for name, purpose in members.items():
            self.stdout.write(f"{name:<12} {purpose.partition(': ')[2] or purpose}")

    def _print(self, report: dict[str, Any]) -> None:
        self.stdout.write(f"{report['bench']} ({report['size']}) on {report['machine']}")
        for figure in report["figures"]:
            beside = f"  {figure['ratio']} × {figure['yardstick_name']}" if figure["ratio"] is not None else ""
            verdict = {True: "ok", False: "MISSED", None: ""}[figure["ok"]]
            self.stdout.write(
                f"  {figure['name']:<58} {figure['value']:>12,.2f} {figure['unit']:<10}{beside:<38} {figure['goal']:<20} {verdict}"
            )
